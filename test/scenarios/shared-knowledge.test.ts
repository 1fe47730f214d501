/**
 * What one worker has learned about a recipient, all know, and the next start too. A customer's server hears each question
 * once, however many workers want to know, and not more questions than its budget, whatever senders invent.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bakery } from '../harness/bakery.ts'
import { knows, type Sink, startSink } from '../harness/sink.ts'
import { greeted, type SmtpTalk } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'

const live = (sink: Sink) => bakery(sink.port, { recipients: 'live' })
const rcpts = (sink: Sink) => sink.commands.filter((line) => line.startsWith('RCPT TO:'))
const asked = (sink: Sink, mailbox: string) => rcpts(sink).filter((line) => line.includes(`<${mailbox}>`)).length

async function ask(talk: SmtpTalk, mailbox: string, expected: RegExp): Promise<void> {
  await talk.say('MAIL FROM:<a@x.test>', /^250 /)
  await talk.say(`RCPT TO:<${mailbox}>`, expected)
  await talk.say('RSET', /^250 /)
}

test('fifty sessions at two workers ask for one address: one question; a restart forgets nothing, a flush does', async () => {
  const slow = { ...knows('anna@dest.test') }
  await using sink = await startSink({
    rcpt: ({ recipient }) =>
      recipient === 'anna@dest.test'
        ? { reply: '250 2.1.5 ok', afterMs: 700 }
        : { reply: '550 5.1.1 no such user', afterMs: 100 },
    ...(slow.mail && { mail: slow.mail }),
  })
  await using relay = await startVorposten({ config: live(sink), workers: 2 })
  const talks = await Promise.all(Array.from({ length: 50 }, () => greeted(relay.port)))
  await Promise.all(talks.map((talk) => ask(talk, 'anna@dest.test', /^250 /)))
  assert.equal(asked(sink, 'anna@dest.test'), 1)
  assert.ok((await relay.metric('vorposten_callout_lease_waits_total')) >= 1, 'the other worker waited')

  // Refusals are shared as well, and a flush ends them in both workers at once.
  await Promise.all(talks.map((talk) => ask(talk, 'new@dest.test', /^550 5\.1\.1 /)))
  assert.equal(asked(sink, 'new@dest.test'), 1)
  sink.behave({})
  assert.match((await relay.command('recipients', 'flush', 'new@dest.test')).text, /^1 recipient forgotten$/)
  await Promise.all(talks.map((talk) => ask(talk, 'new@dest.test', /^250 /)))
  assert.equal(asked(sink, 'new@dest.test'), 2)
  for (const talk of talks) talk[Symbol.dispose]()

  const shown = (await relay.command('recipients', 'show', 'anna@dest.test')).text
  assert.match(shown, /known, learned \d+s ago from a callout; holds for another 31d/)
  assert.equal(await relay.stop(), 0)
  assert.match((await relay.command('recipients', 'show', 'Anna@DEST.test')).text, /known, learned/)

  // The server is away, and what was good is good.
  await sink.stop()
  await relay.start()
  for (let i = 0; i < 4; i++) {
    using talk = await greeted(relay.port)
    await ask(talk, 'anna@dest.test', /^250 /)
    await ask(talk, 'other@dest.test', /^450 4\.1\.1 /)
  }
  assert.equal((await relay.command('recipients', 'probe', 'anna@dest.test')).code, 69)
  assert.equal((await relay.command('recipients', 'flush', 'dest.test')).code, 0)
  using talk = await greeted(relay.port)
  await ask(talk, 'anna@dest.test', /^450 4\.1\.1 /)
})

test('the worker that asks is killed: another one asks, and everybody hears', async () => {
  let first = true
  await using sink = await startSink({
    rcpt: ({ recipient }) => {
      if (recipient !== 'anna@dest.test' || !first) return undefined
      first = false
      return {}
    },
  })
  await using relay = await startVorposten({ config: live(sink), workers: 2 })
  const talks = await Promise.all(Array.from({ length: 20 }, () => greeted(relay.port)))
  const replies = talks.map(async (talk) => {
    await talk.say('MAIL FROM:<a@x.test>', /^250 /)
    return talk.say('RCPT TO:<anna@dest.test>', /^250 /).catch(() => undefined)
  })
  await waitFor('the first question', () => asked(sink, 'anna@dest.test') === 1)
  // Which worker asked nobody outside can tell: the sessions of the one that lives are answered either way, if the
  // other one asked. So both are tried, one after the other.
  await relay.kill9('worker')
  const done = await Promise.race([
    Promise.all(replies),
    new Promise<undefined>((resolve) => setTimeout(resolve, 5_000, undefined)),
  ])
  if (done === undefined) {
    await relay.kill9('worker')
    using talk = await greeted(relay.port)
    await ask(talk, 'anna@dest.test', /^250 /)
  } else assert.ok(done.some((reply) => reply !== undefined))
  assert.ok(asked(sink, 'anna@dest.test') >= 2)
  for (const talk of talks) talk[Symbol.dispose]()
})

test('a flood of invented recipients: ten questions a second at the customer’s, and good mail goes on', async () => {
  await using sink = await startSink(knows('anna@dest.test'))
  const limits = { 'errors-max': 1000, 'sessions-per-client-max': 1000, 'new-per-minute-per-client-max': 10_000 }
  const config = bakery(sink.port, { recipients: 'live', top: { limits } })
  await using relay = await startVorposten({ config, workers: 2 })
  using good = await greeted(relay.port)
  await ask(good, 'anna@dest.test', /^250 /)
  const startMs = performance.now()
  let sent = 0
  const flood = Array.from({ length: 100 }, async (_, session) => {
    using talk = await greeted(relay.port)
    await talk.say('MAIL FROM:<a@x.test>', /^250 /)
    for (let i = 0; i < 30; i++, sent++)
      await talk.say(`RCPT TO:<name${session}x${i}@dest.test>`, /^(550 5\.1\.1|450 4\.)/)
  })
  for (let i = 0; i < 20; i++) await ask(good, 'anna@dest.test', /^250 /)
  await Promise.all(flood)
  const seconds = (performance.now() - startMs) / 1000
  const questions = rcpts(sink).length - asked(sink, 'anna@dest.test')
  assert.equal(sent, 3000)
  assert.ok(questions <= 10 * Math.ceil(seconds + 1), `${questions} questions in ${seconds} s`)
  assert.equal(asked(sink, 'anna@dest.test'), 1)
})

test('a reload ends refusals that were learned, in every worker', async () => {
  await using sink = await startSink(knows())
  await using relay = await startVorposten({ config: live(sink), workers: 2 })
  const talks = await Promise.all(Array.from({ length: 8 }, () => greeted(relay.port)))
  await Promise.all(talks.map((talk) => ask(talk, 'new@dest.test', /^550 /)))
  sink.behave({})
  await relay.reload(live(sink))
  await Promise.all(talks.map((talk) => ask(talk, 'new@dest.test', /^250 /)))
  assert.equal(asked(sink, 'new@dest.test'), 2)
  for (const talk of talks) talk[Symbol.dispose]()
})
