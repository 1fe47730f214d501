import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RECORDS, signed } from '#auth/dkim/testing.ts'
import { content } from '#mail/content.ts'
import { systemClock } from '#sys/clock.ts'
import type { Dns } from '#sys/dns/answer.ts'
import type { Evidence } from './questions.ts'
import { Verifier, type VerifierParts } from './verifier.ts'

const ZONE: Record<string, string> = { ...Object.fromEntries(RECORDS), 'bakery.test': 'v=spf1 ip4:192.0.2.1 -all' }
const dns = {
  async lookup(name: string, type: string) {
    const text = type === 'TXT' ? ZONE[name] : undefined
    return text === undefined
      ? { kind: 'none', why: 'no-name', name, secure: false, ttlMs: 1 }
      : { kind: 'found', records: [text], name, secure: false, ttlMs: 1 }
  },
} as unknown as Dns
const silent = { lookup: () => new Promise(() => {}) } as unknown as Dns

const MESSAGE = content([Buffer.from('From: anna@bakery.test\r\nSubject: bread\r\n\r\nToday.\r\n')])
const evidence = (clientAddress: string, domain = 'bakery.test'): Evidence => ({
  reversePath: `anna@${domain}`,
  domain,
  clientAddress,
  greetingName: 'mx.bakery.test',
})
const OURS = evidence('192.0.2.1')
const OTHERS = evidence('192.0.2.2')
const made = (more: Partial<VerifierParts> = {}) => {
  const verifier = new Verifier({ clock: systemClock, dns, ...more })
  return { verifier, [Symbol.asyncDispose]: () => verifier.close() }
}
const threadOf = (source: string) => new URL(`data:text/javascript,${encodeURIComponent(source)}`)
const STUCK = threadOf(
  "import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { for (;;); })",
)
const CRASHES = threadOf(
  "import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { throw new Error('no') })",
)
const HUNGRY = threadOf(
  "import { parentPort } from 'node:worker_threads'; const all = []; parentPort.on('message', () => { for (;;) all.push({ a: {} }) })",
)
const FAILED = { kind: 'unknown', why: 'failed' }

describe('a verifier of reverse-paths', () => {
  it('finds a pass of SPF, a signature of the same domain, or nothing', async () => {
    await using bench = made()
    const { verifier } = bench
    const good = (await signed(MESSAGE))!
    const changed = content([...good.chunks, Buffer.from('more\r\n')])
    assert.deepEqual(await verifier.verify(OURS, MESSAGE), { kind: 'spf-pass' })
    assert.deepEqual(await verifier.verify(OTHERS, MESSAGE), { kind: 'none' })
    assert.deepEqual(await verifier.verify(OTHERS, good), { kind: 'aligned-dkim' })
    assert.deepEqual(await verifier.verify(OTHERS, changed), { kind: 'none' })
    for (const domain of ['other.test', 'test', 'sub.bakery.test'])
      assert.deepEqual(await verifier.verify(evidence('192.0.2.1', domain), good), { kind: 'none' })
  })

  it('does not know if the thread is stuck, crashes or eats too much, and goes on with the next', async () => {
    for (const thread of [STUCK, CRASHES, HUNGRY]) {
      await using bench = made({
        thread,
        limits: { jobMs: thread === STUCK ? 300 : 20_000, atOnceMax: 1, heapMib: 16 },
      })
      const both = [bench.verifier.verify(OURS, MESSAGE), bench.verifier.verify(OURS, MESSAGE)]
      assert.deepEqual(await Promise.all(both), [FAILED, FAILED])
    }
  })

  it('gives no pass when DNS is silent, or asked too often', async () => {
    await using quiet = made({ dns: silent, limits: { lookupsMs: 50 } })
    assert.deepEqual(await quiet.verifier.verify(OURS, MESSAGE), { kind: 'none' })
    await using short = made({ limits: { questionsMax: 0 } })
    assert.deepEqual(await short.verifier.verify(OURS, MESSAGE), { kind: 'none' })
  })

  it('has a short line', async () => {
    await using bench = made({ dns: silent, limits: { messagesMax: 1, lookupsMs: 50, octetsMax: 100 } })
    const { verifier } = bench
    const first = verifier.verify(OURS, MESSAGE)
    assert.deepEqual(await verifier.verify(OURS, MESSAGE), { kind: 'unknown', why: 'full' })
    const large = content([Buffer.alloc(101)])
    assert.deepEqual(await verifier.verify(OURS, large), { kind: 'unknown', why: 'too-large' })
    await first
    assert.deepEqual(await verifier.verify(OURS, MESSAGE), { kind: 'none' })
  })
})
