import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '#config/config.ts'
import type { HeldMessage } from '#mail/notice.ts'
import { mailbox, newTraceId, recipient } from '#mail/testing.ts'
import { openStore } from '#store/database.ts'
import { NOTICE_MARKS } from '#store/notice-marks.ts'
import { NOTICES_PER_DAY_MAX, type NoticeQuestions, NoticesClerk, QUIET_MS } from './notices.ts'

const HOUR_MS = 3_600_000
const route = { id: 'bakery/main', tenant: 'bakery', hosts: [] }
const config = (postmaster: string | undefined, more: object = {}, ofTenant: object = {}): Config => {
  const to = postmaster && { postmaster: mailbox(postmaster) }
  const tenant = { name: 'bakery', language: 'de', ...to, ...ofTenant } as const
  return {
    hostname: 'relay.example',
    notices: { digest: 'daily', collectMs: 0, timeZone: 'UTC', ...more },
    tenants: [tenant],
    routes: [route, { ...route, id: 'provider/out' }],
    domains: [{ name: 'bakery.example', tenant, route, recipients: { kind: 'live' } }],
  } as unknown as Config
}

const held = (receivedMs: number): HeldMessage => ({
  id: newTraceId(),
  route: 'bakery/main',
  reversePath: { kind: 'null' },
  recipients: [
    { forwardPath: recipient('anna@bakery.example').forwardPath, reason: 'refused', text: '550 5.7.1 smells of spam' },
  ],
  octets: 1000,
  receivedMs,
})

/** Two workers with held mail of their own, and a clock in the test's hand. */
function office(given: Config) {
  const holds: HeldMessage[][] = [[], []]
  const sent: NoticeQuestions['notices/send']['body'][] = []
  const log: string[] = []
  const now = { ms: 1_800_000_000_000, workersTake: true }
  const clock = { wall: () => now.ms, monotonic: () => now.ms, after: () => () => {} }
  const store = openStore(':memory:', [NOTICE_MARKS])
  const open = (): NoticesClerk => {
    const parts = { store, wallMs: () => now.ms, clock, config: given, log: (line: string) => void log.push(line) }
    const clerk = new NoticesClerk(parts)
    clerk.started(
      async (about, body) => holds.map((own) => (about === 'holds/summary' ? summary(own) : list(own, body))),
      async (_about, body) => {
        if (!now.workersTake) return undefined
        sent.push(body as NoticeQuestions['notices/send']['body'])
        return newTraceId()
      },
    )
    return clerk
  }
  return { holds, sent, log, now, open }
}
const summary = (own: readonly HeldMessage[]) =>
  own.length === 0 ? {} : { bakery: { held: own.length, newestMs: Math.max(...own.map((one) => one.receivedMs)) } }
const list = (own: readonly HeldMessage[], body: unknown) => {
  const { afterMs, rowsMax } = body as NoticeQuestions['holds/list']['body']
  const found = own.filter((one) => one.receivedMs > afterMs)
  return { rows: found.slice(0, rowsMax), found: found.length }
}
const textOf = (content: Uint8Array): string => Buffer.from(content).toString()

test('a digest tells of what all workers hold, once, in the language of the tenant', async () => {
  const { holds, sent, now, open, log } = office(config('chef@bakery.example'))
  const clerk = open()
  await clerk.look()
  assert.equal(sent.length, 0)
  holds[0]!.push(held(now.ms))
  for (let i = 0; i < 500; i++) holds[1]!.push(held(now.ms - i))
  await clerk.look()
  await clerk.look()
  assert.equal(sent.length, 1)
  const [{ tenant, route: way, recipient: to, content }] = sent as [(typeof sent)[0]]
  assert.deepEqual([tenant, way, to], ['bakery', 'bakery/main', 'chef@bakery.example'])
  assert.match(textOf(content), /^Auto-Submitted: auto-generated\r$/m)
  assert.match(textOf(content), /501/)
  assert.match(textOf(content), /Nachricht/)
  assert.match(log.join('\n'), /told <chef@bakery\.example> \(tenant bakery\)/)
  assert.deepEqual(clerk.metrics()['vorposten_notices_total']?.samples, {
    'vorposten_notices_total{kind="held-digest",result="sent"}': 1,
  })
})

for (const [zones, expected] of [
  [[{}, {}], /15\.01\.2027, 08:00 \(UTC\)/],
  [[{ timeZone: 'Asia/Tokyo' }, {}], /15\.01\.2027, 17:00 \(UTC\+09:00\)/],
  [[{ timeZone: 'Asia/Tokyo' }, { timeZone: 'Europe/Berlin' }], /15\.01\.2027, 09:00 \(UTC\+01:00\)/],
] as const) {
  test(`moments are told in the tenant's time zone, or the relay's: ${JSON.stringify(zones)}`, async () => {
    const { holds, sent, now, open } = office(config('chef@bakery.example', ...zones))
    holds[0]!.push(held(now.ms))
    await open().look()
    assert.match(textOf(sent[0]!.content).replaceAll('=\r\n', ''), expected)
  })
}

test('a reminder after a week has all that is held, the oldest first', async () => {
  const { holds, sent, now, open } = office(config('chef@bakery.example'))
  const [old, older] = [held(now.ms), held(now.ms - HOUR_MS)]
  holds[0]!.push(old)
  holds[1]!.push(older)
  const clerk = open()
  await clerk.look()
  now.ms += 7 * 24 * HOUR_MS
  await clerk.look()
  assert.equal(sent.length, 2)
  for (const { content } of sent) {
    const text = textOf(content)
    assert.ok(text.indexOf(older.id) > 0 && text.indexOf(older.id) < text.indexOf(old.id))
  }
})

test('after a restart only what is new is told, on the next day', async () => {
  const { holds, sent, now, open } = office(config('chef@bakery.example'))
  holds[0]!.push(held(now.ms))
  await open().look()
  const again = open()
  await again.look()
  now.ms += HOUR_MS
  holds[0]!.push(held(now.ms))
  await again.look()
  assert.equal(sent.length, 1)
  now.ms += 24 * HOUR_MS
  await again.look()
  assert.equal(sent.length, 2)
})

test('a digest that no worker takes is tried again; one that has no way is not', async () => {
  const { holds, sent, now, open, log } = office(config('chef@bakery.example'))
  holds[0]!.push(held(now.ms))
  now.workersTake = false
  const clerk = open()
  await clerk.look()
  now.workersTake = true
  await clerk.look()
  assert.equal(sent.length, 1)
  assert.match(log[0]!, /found no worker/)

  const lost = office(config('chef@elsewhere.example'))
  lost.holds[0]!.push(held(lost.now.ms))
  const other = lost.open()
  await other.look()
  await other.look()
  assert.equal(lost.log.length, 1)
  assert.match(lost.log[0]!, /not served here, and notices have no route/)
  const nobody = office(config(undefined))
  nobody.holds[0]!.push(held(nobody.now.ms))
  await nobody.open().look()
  assert.match(nobody.log[0]!, /has no postmaster/)
})

test('a postmaster elsewhere hears by the route for notices', async () => {
  const { holds, sent, now, open } = office(config('chef@elsewhere.example', { route: 'provider/out' }))
  holds[0]!.push(held(now.ms))
  await open().look()
  assert.deepEqual([sent[0]?.route, sent[0]?.recipient], ['provider/out', 'chef@elsewhere.example'])
})

test('a clock that is far ahead or behind floods nobody: other notices have a limit for each day', async () => {
  const { sent, now, open } = office(config('chef@bakery.example'))
  const clerk = open()
  const facts = { tenant: 'bakery', route: 'bakery/main', domains: ['bakery.example'], sinceMs: now.ms, waiting: 1 }
  for (let i = 0; i < NOTICES_PER_DAY_MAX + 5; i++) {
    clerk.notify({ kind: 'primary-down', ...facts, atMs: now.ms, oldestMs: now.ms, text: 'connection refused' })
  }
  await new Promise(setImmediate)
  assert.equal(sent.length, NOTICES_PER_DAY_MAX)
  clerk.notify({ kind: 'primary-down', ...facts, tenant: 'nobody', atMs: now.ms, text: 'x' })
  await new Promise(setImmediate)
  assert.equal(sent.length, NOTICES_PER_DAY_MAX)
})

test('what is told once is told once for each time that it begins, and not for each flicker; also after a restart', async () => {
  const { sent, now, open, log } = office(config('chef@bakery.example'))
  let clerk = open()
  const facts = { tenant: 'bakery', recordName: '_vorposten.shop.test', record: 'vorposten-sender=1' }
  const tell = async (kind: 'sender-domain-going' | 'sender-domain-revoked', sinceMs: number, domain = 'shop.test') => {
    clerk.notify({ kind, ...facts, domain, sinceMs, untilMs: sinceMs + 7 * 24 * HOUR_MS, atMs: now.ms })
    await new Promise(setImmediate)
    return sent.length
  }
  const beganMs = now.ms
  now.workersTake = false
  assert.equal(await tell('sender-domain-going', beganMs), 0)
  now.workersTake = true
  assert.equal(await tell('sender-domain-going', beganMs), 1)
  assert.match(textOf(sent[0]!.content), /bakery|shop\.test/)
  assert.match(log.at(-1)!, /told <chef@bakery\.example> \(tenant bakery\): Der DNS-Eintrag von shop\.test fehlt/)
  clerk = open()
  now.ms += 100 * HOUR_MS
  assert.equal(await tell('sender-domain-going', beganMs), 1)
  assert.equal(await tell('sender-domain-going', beganMs, 'other.test'), 2)
  assert.equal(await tell('sender-domain-revoked', beganMs), 3)
  assert.equal(await tell('sender-domain-going', now.ms), 4)
  now.ms += QUIET_MS - 1
  assert.equal(await tell('sender-domain-going', now.ms), 4)
  now.ms += 2
  assert.equal(await tell('sender-domain-going', now.ms), 5)
})
