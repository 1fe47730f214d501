/**
 * A transaction whose recipients are at several destinations is stored as several messages. Everything is killed between
 * its 250 and the first delivery, and in the middle of another one: what was answered 250 arrives at each destination once.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort } from '../harness/free-port.ts'
import { type Sink, startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'

const DESTINATIONS = ['one.test', 'two.test', 'three.test', 'four.test'] as const
const ANSWERED = 12
const recipients = DESTINATIONS.flatMap((domain) => [`bob@${domain}`, `eve@${domain}`])
const mail = (subject: string) =>
  `From: anna@dest.test\r\nSubject: ${subject}\r\n\r\n${'bread and butter\r\n'.repeat(1_000)}`
const subjectOf = (content: Buffer) => /^Subject: (.*)\r$/m.exec(content.toString())?.[1] ?? ''

function configuration(door: number, sinks: readonly Sink[]) {
  const routes = sinks.map(({ port }, i) => [`to-${i}`, { hosts: [`127.0.0.1:${port}`] }] as const)
  const ways = DESTINATIONS.map((domain, i) => [domain, `to-${i}`] as const)
  return {
    listeners: [{ name: 'out', addresses: [`127.0.0.1:${door}`], service: 'outbound' }],
    tenants: {
      bakery: {
        routes: Object.fromEntries(routes),
        domains: { 'dest.test': { route: 'to-0', recipients: 'accept-all' } },
        outbound: { 'from-networks': ['127.0.0.1'], route: 'to-0', 'domain-routes': Object.fromEntries(ways) },
      },
    },
  }
}

test('what was answered 250 reaches every destination once, also after a kill -9', async () => {
  const sinks = await Promise.all(DESTINATIONS.map(() => startSink({}, { started: false })))
  await using stack = new AsyncDisposableStack()
  for (const sink of sinks) stack.use(sink)
  const door = await freePort()
  const relay = stack.use(await startVorposten({ config: configuration(door, sinks), workers: 2 }))
  const from = 'anna@dest.test'
  for (let i = 0; i < ANSWERED; i++) {
    using talk = await greeted(door)
    assert.match((await talk.message({ from, to: recipients, content: mail(`answered ${i}`) })).text, /^250 /)
  }
  // These are told nothing any more, or perhaps just so: they may arrive, at all, some or none of the destinations.
  const open = await Promise.all(Array.from({ length: 4 }, () => greeted(door)))
  for (const [i, talk] of open.entries()) {
    await talk.say(`MAIL FROM:<${from}>`, /^250 /)
    for (const to of recipients) await talk.say(`RCPT TO:<${to}>`, /^250 /)
    await talk.say('DATA', /^354 /)
    talk.sendRaw(`${mail(`open ${i}`)}.\r\n`)
  }
  await relay.kill9('all')
  const told = await Promise.all(
    open.map((talk) =>
      talk.reply().then(
        ({ code }) => code,
        () => undefined,
      ),
    ),
  )
  for (const talk of open) talk[Symbol.dispose]()

  for (const sink of sinks) await sink.start()
  await relay.start()
  await relay.command('queue', 'flush')
  const promised = [
    ...Array.from({ length: ANSWERED }, (_, i) => `answered ${i}`),
    ...told.flatMap((code, i) => (code === 250 ? [`open ${i}`] : [])),
  ]
  for (const [i, sink] of sinks.entries()) {
    const subjects = () => sink.accepted.map(({ content }) => subjectOf(content))
    // Messages that nobody was promised may come first, so the count alone says nothing.
    await waitFor(
      `all that was promised at ${DESTINATIONS[i]}`,
      () => promised.every((subject) => subjects().includes(subject)) || undefined,
    )
    const seen = subjects()
    assert.equal(new Set(seen).size, seen.length, `${DESTINATIONS[i]} has something twice: ${seen.join(', ')}`)
    for (const { recipients: to } of sink.accepted)
      assert.deepEqual(
        to.map(({ mailbox }) => mailbox),
        [`bob@${DESTINATIONS[i]}`, `eve@${DESTINATIONS[i]}`],
      )
  }
})
