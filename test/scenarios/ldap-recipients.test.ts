/**
 * The recipients of a domain come from the customer's directory (OpenLDAP). What changes there counts after the next
 * fetch, in every worker; while it is down, broken or suddenly empty, the last good list stays, and the operator sees why.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'
import { BASE, BIND_DN, PASSWORD, type Person, type Slapd, startSlapd, withoutSlapd } from '../peers/slapd.ts'

const skip = withoutSlapd()
const SESSIONS = 6

const person = (uid: string): Person => ({ uid, mail: [], proxyAddresses: [`SMTP:${uid}@dest.test`] })
const STAFF = Array.from({ length: 60 }, (_, i) => person(`staff${i}`))

async function everywhere(relay: Vorposten, mailbox: string, expected: RegExp): Promise<void> {
  const talks = await Promise.all(Array.from({ length: SESSIONS }, () => greeted(relay.port)))
  for (const talk of talks) {
    await talk.say('MAIL FROM:<a@x.test>', /^250 /)
    await talk.say(`RCPT TO:<${mailbox}>`, expected)
    talk[Symbol.dispose]()
  }
}

async function exchange(slapd: Slapd, people: readonly Person[]): Promise<void> {
  await slapd.stop()
  await slapd.load(people)
  await slapd.start()
}

test('the directory says who exists, and its absence takes nobody away', { skip }, async () => {
  await using slapd = await startSlapd([...STAFF, person('anna')])
  await slapd.stop()
  await using sink = await startSink()
  process.env['TEST_LDAP_PASSWORD'] = PASSWORD
  const ldap = {
    url: slapd.url,
    'ca-file': slapd.certificateFile,
    'bind-dn': BIND_DN,
    'password-env': 'TEST_LDAP_PASSWORD',
    base: BASE,
    'page-size': 20,
    interval: '1h',
  }
  await using relay = await startVorposten({ config: bakery(sink.port, { recipients: { ldap } }), workers: 2 })
  const refresh = (...options: string[]) => relay.command('recipients', 'refresh', 'dest.test', ...options)
  await relay.logged(/recipients of dest\.test not fetched.*ECONNREFUSED/)
  await everywhere(relay, 'anna@dest.test', /^450 4\.1\.1 /)

  await slapd.start()
  const first = await refresh()
  assert.equal(first.code, 0, first.text)
  assert.match(first.text, /0 before, 61 after: 61 added, 0 removed/)
  await everywhere(relay, 'anna@dest.test', /^250 /)
  await everywhere(relay, 'bert@dest.test', /^550 5\.1\.1 /)

  await exchange(slapd, [...STAFF, person('bert')])
  assert.match((await refresh()).text, /\+ bert@dest\.test\n +- anna@dest\.test\n.*1 added, 1 removed/)
  await everywhere(relay, 'bert@dest.test', /^250 /)
  await everywhere(relay, 'anna@dest.test', /^550 5\.1\.1 /)

  await slapd.stop()
  const from = relay.log().length
  for (let i = 0; i < 3; i++) assert.equal((await refresh()).code, 69)
  await relay.logged(/alarm: recipients of dest\.test could not be fetched 3 times in a row: .*ECONNREFUSED/, from)
  await everywhere(relay, 'bert@dest.test', /^250 /)
  const status = await relay.command('recipients', 'status', 'dest.test')
  assert.match(status.text, /61 entries, ldap, .* old.*\n.*3 tries failed: .*ECONNREFUSED/)

  await exchange(slapd, [])
  const empty = await refresh()
  assert.equal(empty.code, 69)
  assert.match(empty.text, /the directory knows nobody; the list was kept .*recipients refresh dest\.test --force/)
  await everywhere(relay, 'bert@dest.test', /^250 /)
  assert.equal((await refresh('--force')).code, 0)
  await everywhere(relay, 'bert@dest.test', /^550 5\.1\.1 /)

  const imported = await relay.commandWithInput('anna\n', 'recipients', 'import', 'dest.test')
  assert.match(imported.text, /comes from a directory/)
  await assertAccount(relay, [sink], { accepted: 0, delivered: 0, refused: 4 * SESSIONS, held: 0 })
})

test('it is fetched by itself at the start, and after a reload from what the reload says', { skip }, async () => {
  await using slapd = await startSlapd([person('anna')])
  await using sink = await startSink()
  process.env['TEST_LDAP_PASSWORD'] = PASSWORD
  const ldap = (changes: object) => ({
    ldap: { url: slapd.url, 'ca-file': slapd.certificateFile, base: BASE, 'bind-dn': BIND_DN, ...changes },
    otherwise: 'live',
  })
  const config = (changes: object) => bakery(sink.port, { recipients: ldap(changes) })
  await using relay = await startVorposten({ config: config({ 'password-env': 'TEST_LDAP_PASSWORD' }) })
  const rows = async () => (await relay.command('recipients', 'status', '--json')).json() as Record<string, unknown>
  await waitFor('the first fetch', async () => ((await rows())['entries'] === 1 ? true : undefined))
  await everywhere(relay, 'anna@dest.test', /^250 /)
  // Not on the list: the customer's server is asked, and knows everybody.
  await everywhere(relay, 'bert@dest.test', /^250 /)

  const from = relay.log().length
  await relay.reload(config({ 'password-env': 'HOME' }))
  await relay.logged(/recipients of dest\.test not fetched.*\b49\b/, from)
  assert.equal((await rows())['failures'], 1)
  await everywhere(relay, 'anna@dest.test', /^250 /)
  await assertAccount(relay, [sink], { accepted: 0, delivered: 0, refused: 0, held: 0 })
})
