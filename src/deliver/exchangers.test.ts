import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Answer } from '#sys/dns/answer.ts'
import { chooseHosts, type Exchanger, type MxList, readMx, type Standing } from './exchangers.ts'

const found = (...records: [number, string][]): Answer<'MX'> => ({
  kind: 'found',
  records: records.map(([preference, exchange]) => ({ preference, exchange })),
  name: 'bakery.example',
  secure: true,
  ttlMs: 1000,
})
const none = (why: 'no-name' | 'no-record'): Answer<'MX'> => ({
  kind: 'none',
  why,
  name: 'bakery.example',
  secure: false,
  ttlMs: 1000,
})
const read = (answer: Answer<'MX'>) => readMx('bakery.example', answer)

test('MX records, best first; a host that is named twice has its better preference', () => {
  assert.deepEqual(read(found([20, 'b.example'], [10, 'c.example'], [10, 'a.example'], [5, 'b.example'])), {
    kind: 'exchangers',
    list: [
      { name: 'b.example', preference: 5 },
      { name: 'a.example', preference: 10 },
      { name: 'c.example', preference: 10 },
    ],
    implicit: false,
    secure: true,
  })
})

test('without MX the domain is its own host; without the domain there is none', () => {
  assert.deepEqual(read(none('no-record')), {
    kind: 'exchangers',
    list: [{ name: 'bakery.example', preference: 0 }],
    implicit: true,
    secure: false,
  })
  assert.deepEqual(read(none('no-name')), {
    kind: 'failed',
    status: '5.1.2',
    text: 'the domain bakery.example does not exist',
  })
})

test('a null MX takes no mail; beside others it says nothing', () => {
  const alone = read(found([0, '']))
  assert.equal(alone.kind === 'failed' && alone.status, '5.1.10')
  const beside = read(found([0, ''], [10, 'mx.example']))
  assert.deepEqual(beside.kind === 'exchangers' && beside.list, [{ name: 'mx.example', preference: 10 }])
})

test('silence of the name servers is no answer', () => {
  assert.equal(read({ kind: 'unknown', text: 'SERVFAIL' }).kind, 'deferred')
})

const list = (...entries: [number, string][]): Exchanger[] =>
  entries.map(([preference, name]) => ({ preference, name }))
const mx = (exchangers: Exchanger[], implicit = false): MxList => ({
  kind: 'exchangers',
  list: exchangers,
  implicit,
  secure: false,
})
const STANDINGS: Record<string, Standing> = {
  u: { kind: 'usable' },
  s: { kind: 'self' },
  x: { kind: 'useless', text: 'x has no address' },
  '?': { kind: 'unknown', text: 'SERVFAIL' },
}

/** `10u 20s`: hosts by preference, and how they stand. */
function choose(text: string, implicit = false): string {
  const entries = text.split(' ').map((one) => ({ preference: Number.parseInt(one, 10), letter: one.at(-1)! }))
  const exchangers = entries.map(({ preference, letter }, i) => ({ preference, name: `${letter}${i}` }))
  const standings = entries.map(({ letter }) => STANDINGS[letter]!)
  const chosen = chooseHosts('bakery.example', mx(exchangers, implicit), standings, 25)
  if (chosen.kind !== 'hosts') return chosen.kind === 'failed' ? chosen.status : 'deferred'
  return chosen.hosts.map(({ name }) => name).join(' ')
}

test('what can be used, what can not, and ourselves', () => {
  for (const [hosts, chosen] of [
    ['10u', 'u0'],
    ['10u 10u 20u', 'u0 u1 u2'],
    ['10x 20u', 'u1'],
    ['10? 20u', '?0 u1'],
    ['10u 20?', 'u0 ?1'],
    ['10x', '5.4.4'],
    ['10x 20x', '5.4.4'],
    ['10?', 'deferred'],
    ['10x 20?', 'deferred'],
    ['10s', '5.4.6'],
    ['10s 20u', '5.4.6'],
    ['10u 10s', '5.4.6'],
    ['10u 20s 30u', 'u0'],
    ['10u 20u 20s 30u', 'u0'],
    ['10x 20s', '5.4.4'],
    ['10? 20s 30u', 'deferred'],
  ] as const) {
    assert.equal(choose(hosts), chosen, hosts)
  }
  assert.equal(choose('0x', true), '5.4.4')
})

test('never ourselves, never a host as good as we or worse, always an end', () => {
  const entry = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom('u', 's', 'x', '?'))
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 10 }), (entries) => {
      const sorted = entries.toSorted(([one], [two]) => one - two)
      const standings = sorted.map(([, letter]) => STANDINGS[letter]!)
      const named = list(...sorted.map(([preference], i): [number, string] => [preference, String(i)]))
      const own = Math.min(...sorted.filter(([, letter]) => letter === 's').map(([preference]) => preference))
      const chosen = chooseHosts('bakery.example', mx(named), standings, 25)
      if (chosen.kind !== 'hosts') return
      assert.ok(chosen.hosts.length > 0)
      for (const { name, preference } of chosen.hosts) {
        assert.ok(preference < own)
        assert.ok(['usable', 'unknown'].includes(standings[Number(name)]!.kind))
      }
    }),
  )
})
