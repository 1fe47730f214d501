/**
 * The customer's server refuses mail after our 250. Nobody bounces; the customer's postmaster is told, in one mail, in the
 * customer's language. If that mail is refused too, it is dropped: nobody is told of it, and nothing goes round.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bakery } from '../harness/bakery.ts'
import { type Sink, startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'

const WORDS = { de: /3 Nachrichten für Sie angenommen und nicht zugestellt/, en: /3 messages for you/ } as const

/** RFC 2045 §6.7, as far as a test needs it. */
const unquoted = (text: string): string =>
  Buffer.from(
    text
      .replaceAll('=\r\n', '')
      .replace(/=([0-9A-F]{2})/g, (_, octet: string) => String.fromCharCode(Number.parseInt(octet, 16))),
    'latin1',
  ).toString()

const forged = {
  from: 'forged@victim.test',
  to: ['anna@dest.test'],
  content: 'Subject: cheap loaves <b>&\r\n\r\nx\r\n',
}

function config(sink: Sink, language: 'de' | 'en') {
  const { tenants, ...rest } = bakery(sink.port, { commit: 'spool' }) as unknown as { tenants: { bakery: object } }
  const notices = { 'collect-time': '1s' }
  return {
    ...rest,
    workers: 2,
    notices,
    tenants: { bakery: { ...tenants.bakery, postmaster: 'chef@dest.test', language } },
  }
}

for (const language of ['de', 'en'] as const) {
  test(`one digest tells the postmaster, from the null path (${language})`, async () => {
    const refusesAnna = { dot: '554 5.7.1 smells of spam' }
    await using sink = await startSink(refusesAnna)
    await using relay = await startVorposten({ config: config(sink, language) })
    using talk = await greeted(relay.port)
    for (let i = 0; i < 3; i++) assert.match((await talk.message(forged)).text, /^250 /)
    await relay.loggedTimes(3, /status=held \(refused/)
    sink.behave({})

    const [digest] = await sink.received(1)
    assert.equal(digest?.reversePath, '')
    assert.deepEqual(
      digest?.recipients.map(({ mailbox }) => mailbox),
      ['chef@dest.test'],
    )
    const text = unquoted(digest?.content.toString('latin1') ?? '')
    assert.match(text, WORDS[language])
    assert.match(text, /^Auto-Submitted: auto-generated\r?$/m)
    assert.match(text, /^Content-Type: text\/plain/m)
    assert.match(text, /^Content-Type: text\/html/m)
    assert.match(text, /smells of spam/)
    // What the sender wrote is shown, and stays text.
    assert.match(text, /cheap loaves &#60;b&#62;&#38;/)

    // The same is not told again, by whichever worker or after a restart.
    await relay.logged(/told <chef@dest\.test>/)
    await new Promise((resolve) => setTimeout(resolve, 3000))
    assert.deepEqual(
      sink.accepted.map(({ recipients }) => recipients[0]?.mailbox),
      ['chef@dest.test'],
    )
    assert.match((await relay.command('queue', 'list', '--state', 'held')).text, /3 messages/)
  })
}

test('a digest that is refused is dropped, with a line in the log, and makes no other', async () => {
  await using sink = await startSink({ dot: '554 5.7.1 smells of spam' })
  await using relay = await startVorposten({ config: config(sink, 'en') })
  using talk = await greeted(relay.port)
  assert.match((await talk.message(forged)).text, /^250 /)
  await relay.logged(/status=held/)
  await relay.logged(/told <chef@dest\.test>/)
  await relay.logged(/status=dropped|dropped/)
  await new Promise((resolve) => setTimeout(resolve, 3000))
  assert.match((await relay.command('queue', 'list')).text, /1 message$/m)
  await waitFor(
    'both contents at the server',
    () => sink.commands.filter((line) => line.startsWith('MAIL')).length === 2,
  )
  // Law 2: nothing on any way to the sender.
  assert.ok(!sink.commands.some((line) => line.startsWith('RCPT') && line.includes('victim.test')))
})
