/** What may be remembered of a look, for whom and how long; and that no other content profits from it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { content } from '#mail/content.ts'
import type { ScanFact, ScanResult } from '#mail/scan.ts'
import { FACTS_KEPT_MAX, RESULT_MS_MAX, RESULTS_MAX, Results } from './results.ts'

const MALWARE: ScanFact = { kind: 'malware', engine: 'one', name: 'Eicar', where: 'part 2' }
const clock = { nowMs: 0, monotonic: () => clock.nowMs }

/** Mail behind a trace field of its own. */
const mail = (text: string, trace = 'Received: by x\r\n') => content([Buffer.from(trace), Buffer.from(text)])
const whose = (tenant = 'bakery', ownOctets = 16) => ({ tenant, ownOctets })

function looking(facts: readonly ScanFact[] = [], results = new Results(clock)) {
  let looks = 0
  const scan = async (): Promise<ScanResult> => {
    looks++
    await Promise.resolve()
    return { facts, cleanBy: [], durationMs: 5 }
  }
  return {
    results,
    looks: () => looks,
    of: (one = mail('x'), by = whose(), signatures = 'v1') => results.of(one, by, signatures, scan),
  }
}

test('the same content behind another trace field is remembered, with all that was found', async () => {
  const { of, looks } = looking([MALWARE])
  const first = await of(mail('x'))
  assert.equal(first.memory, 'miss')
  const longer = 'Received: by x\r\n\tfor <eve@y.test>\r\n'
  const second = await of(mail('x', longer), whose('bakery', longer.length))
  assert.deepEqual([second.memory, second.facts, looks()], ['hit', [MALWARE], 1])
})

test('no other content profits: another octet, a tenant, an octet less of our own, other signatures', async () => {
  const { of, looks } = looking()
  await of(mail('x'))
  for (const [one, by, signatures] of [
    [mail('y')],
    [mail('x '), whose()],
    [mail('x'), whose('school')],
    [mail('x'), whose('bakery', 15)],
    [mail('x'), whose('bakery', 17)],
    [mail('x'), whose(), 'v2'],
  ] as const)
    assert.equal((await of(one, by, signatures)).memory, 'miss')
  assert.equal(looks(), 7)
})

test('the borders of the chunks are no matter', async () => {
  const { of } = looking()
  await of(content([Buffer.from('Received: by x\r\n'), Buffer.from('hello')]))
  const cut = content([Buffer.from('Received: '), Buffer.from('by x\r\nhe'), Buffer.from('llo')])
  assert.equal((await of(cut)).memory, 'hit')
  const large = Buffer.alloc(3 * 1024 * 1024 + 5, 'a')
  await of(content([large]), whose('bakery', 0))
  const pieces = [large.subarray(0, 1_100_000), large.subarray(1_100_000)]
  assert.equal((await of(content(pieces), whose('bakery', 0))).memory, 'hit')
  large[2_000_000] = 0
  assert.equal((await of(content([large]), whose('bakery', 0))).memory, 'miss')
})

test('what is not whole, or was a matter of load, is looked at again', async () => {
  const silent: ScanFact = { kind: 'not-looked', engine: 'one', why: 'down', text: 'x' }
  const late: ScanFact = { kind: 'over-limit', limit: 'time', where: 'a', text: 'b' }
  const deep: ScanFact = { ...late, limit: 'depth' }
  const second = async (facts: readonly ScanFact[]) => {
    const { of } = looking(facts)
    await of()
    return (await of()).memory
  }
  assert.equal(await second([MALWARE, silent]), 'miss')
  assert.equal(await second([late]), 'miss')
  assert.equal(await second([deep]), 'hit')
  assert.equal(await second(Array.from({ length: FACTS_KEPT_MAX }, () => deep)), 'hit')
  assert.equal(await second(Array.from({ length: FACTS_KEPT_MAX + 1 }, () => deep)), 'miss')
})

test('it holds for a while, and not beyond a change of settings', async () => {
  const { of, results } = looking()
  await of()
  clock.nowMs += RESULT_MS_MAX - 1
  assert.equal((await of()).memory, 'hit')
  clock.nowMs += 1
  assert.equal((await of()).memory, 'miss')
  results.forget()
  assert.equal((await of()).memory, 'miss')
})

test('contents that come together are looked at once; a look begun before a change of settings is not kept', async () => {
  const { of, looks, results } = looking()
  const all = await Promise.all(Array.from({ length: 20 }, () => of()))
  assert.deepEqual([looks(), all.filter(({ memory }) => memory === 'hit').length], [1, 19])
  const other = of(mail('y'))
  while (looks() < 2) await Promise.resolve()
  results.forget()
  await other
  assert.equal((await of(mail('y'))).memory, 'miss')
})

test('together, and the one look failed: each is looked at', async () => {
  const { of, looks } = looking([{ kind: 'not-looked', engine: 'one', why: 'busy', text: 'x' }])
  const all = await Promise.all(Array.from({ length: 5 }, () => of()))
  assert.ok(all.every(({ memory }) => memory === 'miss'))
  assert.equal(looks(), 5)
})

test('it is limited: the oldest goes', async () => {
  const { of } = looking()
  for (let i = 0; i <= RESULTS_MAX; i++) await of(mail(`${i}`))
  assert.equal((await of(mail(`${RESULTS_MAX}`))).memory, 'hit')
  assert.equal((await of(mail('1'))).memory, 'hit')
  assert.equal((await of(mail('0'))).memory, 'miss')
})
