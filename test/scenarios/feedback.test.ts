/**
 * What comes back by mail of mail that left: a server that accepts first and bounces later, and a receiver's reports of
 * complaints. Both are learned where the token in our own message proves them, and nothing is learned of what is made up.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { complaint, dsn } from '../harness/feedback.ts'
import { freePort } from '../harness/free-port.ts'
import { leaving } from '../harness/leaving.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'

const PASSWORD = 'correct horse battery'
const ANNA = 'anna@dest.test'
const FBL = 'fbl@dest.test'

async function open(feedback: object = { addresses: FBL, 'from-networks': '127.0.0.1' }) {
  const world = await startSink()
  const shop = await startSink()
  const [door, users] = [await freePort(), await freePort()]
  const tenant = { postmaster: 'boss@dest.test' }
  const config = leaving({ door, world: world.port, shop: shop.port, tenant }) as {
    listeners: object[]
    feedback?: object
  }
  config.listeners.push({ name: 'users', addresses: [`127.0.0.1:${users}`], service: 'submission', tls: 'starttls' })
  config.feedback = feedback
  const relay = await startVorposten({ config: config as never, workers: 2 })
  const add = ['credentials', 'add', 'bakery', ANNA, '--password-stdin']
  assert.equal((await relay.commandWithInput(`${PASSWORD}\n`, ...add)).code, 0)
  let sent = 0
  /** What the world received of a message of Anna's to this address. */
  const sends = async (to: string) => {
    using talk = await greeted(users)
    await talk.startTls()
    await talk.say('EHLO laptop.test', /^250/)
    await talk.say(`AUTH PLAIN ${Buffer.from(`\0${ANNA}\0${PASSWORD}`).toString('base64')}`, /^235 /)
    const content = `From: ${ANNA}\r\nTo: ${to}\r\nSubject: hello\r\n\r\nText.\r\n`
    assert.match((await talk.message({ from: ANNA, to: [to], content })).text, /^250 /)
    const received = await world.received(++sent)
    return received.at(-1)!.content.toString('latin1')
  }
  /** Comes in by the MX. Answered with the id. */
  const arrives = async (to: string, content: string, from = '') => {
    using talk = await greeted(relay.port)
    await talk.say('EHLO mx.far.test', /^250/)
    const { text } = await talk.message({ from, to: [to], content })
    assert.match(text, /^250 /)
    return /[0-9A-Z]{15}/.exec(text)![0]
  }
  const story = async (id: string, pattern: RegExp) =>
    waitFor(`${pattern} in the trace`, async () => pattern.test((await relay.command('trace', id)).text))
  const suppressed = async () => (await relay.command('suppressions', 'list')).text
  return {
    relay,
    shop,
    sends,
    arrives,
    story,
    suppressed,
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]()
      await Promise.all([world.stop(), shop.stop()])
    },
  }
}

test('a bounce by mail suppresses the address that does not exist, and goes on to its sender', async () => {
  await using open_ = await open()
  const { sends, arrives, story, suppressed, shop, relay } = open_
  const original = await sends('gone@far.test')
  assert.match(original, /^X-Vorposten-Token: [\w-]{72}\r\n /m)
  const id = await arrives(ANNA, dsn({ recipient: 'gone@far.test', original }))
  await story(
    id,
    /hard-bounce of mail of bakery, sent by anna@dest\.test to <gone@far\.test>: suppressed, proved by token/,
  )
  assert.match(
    await suppressed(),
    /^gone@far\.test {2}bakery {2}bounced[\s\S]*its server said so by mail: \w{15} from mx\.far\.test/m,
  )
  assert.match((await shop.received(1))[0]!.content.toString(), /Final-Recipient: rfc822; gone@far\.test/)
  await story(await arrives(ANNA, dsn({ recipient: 'gone@far.test', original })), /: repeated, proved/)
  const full = await sends('full@far.test')
  const said = { status: '5.2.2', diagnostic: '552 5.2.2 mailbox full' }
  await story(
    await arrives(ANNA, dsn({ recipient: 'full@far.test', original: full, ...said })),
    /soft-bounce .*: counted/,
  )
  assert.doesNotMatch(await suppressed(), /full@/)
  assert.equal(await relay.metric('vorposten_feedback_total{about="hard-bounce",decision="suppressed"}'), 1)
})

test('nothing is learned of a bounce that nobody can prove', async () => {
  await using open_ = await open()
  const { sends, arrives, story, suppressed } = open_
  const original = await sends('bob@far.test')
  const made = (recipient: string, returned: string) => dsn({ recipient, original: returned })
  const withoutToken = original.replace(/^X-Vorposten-Token:.*\r\n(?: .*\r\n)*/m, '')
  for (const forged of [
    made('bob@far.test', withoutToken),
    made('eve@far.test', original),
    made('bob@far.test', original.replace(/(X-Vorposten-Token: .{20})./, '$1~')),
  ])
    await story(await arrives(ANNA, forged), /hard-bounce .*: not-proven/)
  assert.match(await suppressed(), /There are none/)
})

test('complaints suppress, are counted, and lock the login; of strangers they do nothing', async () => {
  await using open_ = await open()
  const { sends, arrives, story, suppressed, relay, shop } = open_
  for (let i = 0; i < 9; i++) await arrives(FBL, complaint(await sends(`reader-${i}@far.test`)), 'fbl@far.test')
  await waitFor('nine to be on the list', async () => (await suppressed()).match(/complained/g)?.length === 9)
  assert.match((await relay.command('credentials', 'show', ANNA)).text, /anna/)
  await relay.stop()
  await relay.start()
  const last = await sends('reader-9@far.test')
  await story(
    await arrives(FBL, complaint(last, { recipient: 'eve@far.test' })),
    /complaint .*<reader-9@far\.test>: suppressed/,
  )
  await relay.logged(
    /credential anna@dest\.test of bakery: locked \(complaints: 10 of 10 recipients within a week complained\)/,
  )
  assert.match(
    (await shop.received(11)).at(-1)!.content.toString(),
    /10 of 10 recipients within a week called the mail spam/,
  )
})

test('a report from nobody whose reports are taken is only mail', async () => {
  await using open_ = await open({ addresses: FBL, 'from-networks': '192.0.2.0/24' })
  const { sends, arrives, story, suppressed } = open_
  const original = await sends('bob@far.test')
  await story(await arrives(FBL, complaint(original), 'fbl@far.test'), /complaint .*: not-trusted/)
  assert.match(await suppressed(), /There are none/)
})
