/**
 * A stolen login (R7): the thief has the right password and sends to addresses that he made up. The relay counts what next
 * hops refuse, slows the login down and locks it, also in the session that is open; the tenant's others go on.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { freePort } from '../harness/free-port.ts'
import { leaving } from '../harness/leaving.ts'
import { knows, startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'

const PASSWORD = 'correct horse battery'
const [ANNA, BERND] = ['anna@dest.test', 'bernd@dest.test']
const secret = (login: string) => Buffer.from(`\0${login}\0${PASSWORD}`).toString('base64')

async function open(outbound = {}) {
  const world = await startSink(knows('bob@elsewhere.test', 'boss@dest.test'))
  const [door, users] = [await freePort(), await freePort()]
  const config = leaving({
    door,
    world: world.port,
    // Users alone: nobody sends from a network of the tenant's.
    outbound: { 'from-networks': undefined, ...outbound },
    tenant: { postmaster: 'boss@dest.test', language: 'de' },
  }) as { listeners: object[] }
  config.listeners.push({ name: 'users', addresses: [`127.0.0.1:${users}`], service: 'submission', tls: 'starttls' })
  const relay = await startVorposten({ config: config as never, workers: 2 })
  for (const login of [ANNA, BERND]) {
    const add = ['credentials', 'add', 'bakery', login, '--password-stdin']
    assert.equal((await relay.commandWithInput(`${PASSWORD}\n`, ...add)).code, 0)
  }
  const loggedIn = async (login: string, from = '127.0.0.1') => {
    const talk = await greeted(users, { from })
    await talk.startTls()
    await talk.say('EHLO laptop.test', /^250/)
    await talk.say(`AUTH PLAIN ${secret(login)}`, /^235 /)
    return talk
  }
  const mailOf = (login: string, to: string) => ({
    from: login,
    to: [to],
    content: `From: ${login}\r\nTo: ${to}\r\nSubject: hello\r\n\r\nText.\r\n`,
  })
  return {
    relay,
    world,
    loggedIn,
    mailOf,
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]()
      await world.stop()
    },
  }
}

test('a thief who guesses addresses is locked out within a hundred; the bakery goes on', async () => {
  await using open_ = await open()
  const { relay, world, loggedIn, mailOf } = open_
  using thief = await loggedIn(ANNA)
  let heard = ''
  let sent = 0
  for (; sent < 300 && !heard.startsWith('550 5.7.13'); sent++) {
    await thief.say(`MAIL FROM:<${ANNA}>`, /^250 /)
    heard = (await thief.send(`RCPT TO:<made-up-${sent}@elsewhere.test>`).reply()).text
    if (heard.startsWith('250')) {
      await thief.say('DATA', /^354 /)
      heard = (await thief.content(mailOf(ANNA, 'x@elsewhere.test').content)).text
    } else {
      await thief.say('RSET', /^250 /)
      // Slowed down: what is on its way decides.
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  assert.match(heard, /^550 5\.7\.13 This login is locked: it looks stolen: \d+ of \d+ recipients .* do not exist/)
  await relay.logged(/credential anna@dest\.test of bakery: locked .*vorposten credentials unlock anna@dest\.test/)
  const [notice] = await world.received(1)
  assert.match(notice!.content.toString(), /Subject: Das Login anna@dest\.test ist gesperrt/)
  const shown = await relay.command('credentials', 'show', ANNA)
  assert.match(shown.text, /looks stolen/)
  using bernd = await loggedIn(BERND)
  assert.match((await bernd.message(mailOf(BERND, 'bob@elsewhere.test'))).text, /^250 /)
  await world.received(2)
  assert.equal(await relay.metric('vorposten_logins_suspected_total{deed="lock"}'), 1)
  assert.equal((await relay.command('credentials', 'unlock', ANNA)).code, 0)
  using anna = await loggedIn(ANNA)
  assert.match((await anna.message(mailOf(ANNA, 'bob@elsewhere.test'))).text, /^250 /)
})

test('limits hold across sessions, workers and a restart', async () => {
  const limits = { login: { 'recipients-per-10-minutes': 4, 'recipients-per-day': 100 } }
  await using open_ = await open({ limits })
  const { relay, loggedIn } = open_
  const ask = async (pattern: RegExp) => {
    using talk = await loggedIn(ANNA)
    await talk.say(`MAIL FROM:<${ANNA}>`, /^250 /)
    await talk.say('RCPT TO:<bob@elsewhere.test>', pattern)
  }
  for (let i = 0; i < 4; i++) await ask(/^250 /)
  await ask(/^451 4\.7\.1 Too many recipients, try again in \d+ min/)
  await relay.stop()
  await relay.start()
  await ask(/^451 4\.7\.1 /)
})

test('a login gets limits of its own while it sends; a domain has limits too', async () => {
  const toOne = { 'recipients-per-10-minutes': 2, 'recipients-per-day': 2 }
  await using open_ = await open({ limits: { 'login-to-one-domain': toOne } })
  const { relay, loggedIn } = open_
  const limit = (...options: string[]) => relay.command('credentials', 'limit', ANNA, ...options)
  using talk = await loggedIn(ANNA)
  await talk.say(`MAIL FROM:<${ANNA}>`, /^250 /)
  const ask = (domain: string, pattern: RegExp) => talk.say(`RCPT TO:<bob@${domain}>`, pattern)
  await ask('one.test', /^250 /)
  await ask('one.test', /^250 /)
  await ask('one.test', /^451 4\.7\.1 Too many recipients, try again in \d+ min \(anna@dest\.test to one\.test: 2 rec/)
  await ask('two.test', /^250 /)
  assert.match((await limit('--per-10-minutes', '4')).text, /recipients: at most 4 in 10 min/)
  await ask('two.test', /^250 /)
  await ask('three.test', /^451 4\.7\.1 .*\(anna@dest\.test: 4 recipients in 10 minutes\)/)
  assert.match((await limit('--per-day', '30000')).text, /no login of bakery may have more than 20000 recipients in 24/)
  await limit('--as-tenant', '--to-one-domain-per-day', '3', '--to-one-domain-per-10-minutes', '9')
  const shown = await relay.command('credentials', 'list')
  assert.match(shown.text, /^anna@.*recipients: at most 9 in 10 min to one domain, 3 a day to one domain; used/m)
  await ask('one.test', /^250 /)
  await ask('one.test', /^550 5\.7\.1 Too many recipients today, try again in 2\d h \(anna@dest\.test to one\.test: 3 /)
  assert.equal(await relay.metric('vorposten_sending_limited_total{why="domain"}'), 2)
})

test('what a locked login sent and has not left is held, also over a restart, and leaves when it is unlocked', async () => {
  await using open_ = await open({ ndrs: 'pass' })
  const { relay, world, loggedIn, mailOf } = open_
  await world.stop()
  {
    using anna = await loggedIn(ANNA)
    assert.match((await anna.message(mailOf(ANNA, 'bob@elsewhere.test'))).text, /^250 /)
    assert.match((await anna.message({ ...mailOf(ANNA, 'bob@elsewhere.test'), from: '' })).text, /^250 /)
    using bernd = await loggedIn(BERND)
    assert.match((await bernd.message(mailOf(BERND, 'bob@elsewhere.test'))).text, /^250 /)
  }
  await waitFor('all attempts to fail', async () => {
    const { text } = await relay.command('queue', 'list')
    return !text.includes('under way') && /3 messages|bob@[\s\S]*bob@[\s\S]*bob@/.test(text)
  })
  const locked = await relay.command('credentials', 'lock', ANNA, '--reason', 'it sent spam')
  assert.match(locked.text, /is locked; held: 2 messages that it sent/)
  await relay.stop()
  await relay.start()
  await world.start()
  await relay.command('queue', 'flush')
  const [first] = await world.received(1)
  assert.match(first!.content.toString(), /From: bernd/)
  assert.match((await relay.command('queue', 'list', '--state', 'held')).text, /bob@elsewhere\.test/)
  assert.match((await relay.command('credentials', 'unlock', ANNA)).text, /what was held goes out: 2 messages$/m)
  await world.received(3)
})

test('who comes from elsewhere with a list of good addresses is slowed down and locked; a traveller is not even told of', async () => {
  await using open_ = await open()
  const { relay, loggedIn, mailOf } = open_
  {
    using home = await loggedIn(ANNA)
    assert.match((await home.message(mailOf(ANNA, 'bob@elsewhere.test'))).text, /^250 /)
  }
  await relay.stop()
  weeksPass(relay.folder)
  await relay.start()
  {
    using hotel = await loggedIn(ANNA, '127.88.0.1')
    await hotel.say(`MAIL FROM:<${ANNA}>`, /^250 /)
    for (let n = 0; n < 15; n++) await hotel.say(`RCPT TO:<friend@d${n}.test>`, /^250 /)
    assert.equal(await relay.metric('vorposten_logins_suspected_total{deed="warn"}'), 0)
  }
  let heard = ''
  let taken = 0
  for (let n = 0; n < 200 && !heard.startsWith('550 5.7.13'); ) {
    // A session that is refused too often is refused all.
    using thief = await loggedIn(ANNA, '127.99.0.1')
    await thief.say(`MAIL FROM:<${ANNA}>`, /^250 /)
    for (let refused = 0; refused < 15 && n < 200 && !heard.startsWith('550 5.7.13'); n++) {
      heard = (await thief.send(`RCPT TO:<bob@victim${n}.test>`).reply()).text
      if (heard.startsWith('250')) taken++
      else refused++
    }
  }
  assert.match(heard, /^550 5\.7\.13 .* it looks stolen: recipients of \d+ domains within an hour, where 5 were/)
  assert.ok(taken < 30, `${taken}`)
  await relay.logged(/slowed down \(many-domains: .*; new-network: \d+ recipients within an hour from networks/)
  assert.equal(await relay.metric('vorposten_login_signs_total{sign="new-network"}'), 2)
  const shown = await relay.command('credentials', 'show', ANNA)
  assert.match(shown.text, /used from 127\.99\.0\.0\/24 .* ago, first on 20/)
})

/** Where Anna logged in is a habit by now, and so are five recipient domains in an hour. */
function weeksPass(folder: string): void {
  const name = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((path) => path.endsWith('store.db'))!
  const store = new DatabaseSync(join(folder, name))
  assert.equal(store.prepare('UPDATE credential_networks SET first_at = 1').run().changes, 1)
  store.prepare('UPDATE sending_habits SET most = 5.0, most_ms = ?').run(Date.now())
  store.close()
}
