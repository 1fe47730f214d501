/** The section of DNS lists: how it is read, and what is said about lists that could not be asked or understood. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { diffFromDefaults } from './diff.ts'
import { parseConfig } from './parse.ts'
import { problemLine } from './problem.ts'
import { readCodePattern } from './resolve-spam-lists.ts'

function parsed(lists: string, top = '') {
  const text = `hostname: mx1.relay.example
listeners: {name: mx, addresses: 192.0.2.1:25, tls: none}
spam:
  lists: ${lists}
${top}
tenants: {bakery: {postmaster: boss@bakery.example, domains: {bakery.example: {deliver-to: a.example}}}}
`
  return parseConfig(text, 'v', { machine: [] })
}
const problems = (lists: string, top = ''): string => {
  const result = parsed(lists, top)
  return (result.ok ? result.warnings : result.problems)
    .map(problemLine)
    .filter((line) => /spam|name-servers/.test(line))
    .join('\n')
    .replaceAll('"', '')
}

test('a list with everything, and one with little', () => {
  const result = parsed(`
    zen: {kind: client, zone: Zen.List.example, access-key: AbC, codes: {127.0.0.2: 5 known spammers, 127.0.*.3: 0.5}}
    dbl: {kind: [sender, link], zone: dbl.example, weight: 3, test-entry: dbltest.example}`)
  assert.ok(result.ok)
  assert.deepEqual(result.config.spam.lists, [
    {
      ...{ name: 'zen', kinds: ['client'], zone: 'zen.list.example', accessKey: 'abc', welcome: false },
      codes: [
        { written: '127.0.0.2', mask: 0xffff_ffff, value: 0x7f00_0002, weight: 5, meaning: 'known spammers' },
        { written: '127.0.*.3', mask: 0xffff_00ff, value: 0x7f00_0003, weight: 0.5 },
      ],
    },
    {
      ...{ name: 'dbl', kinds: ['sender', 'link'], zone: 'dbl.example', welcome: false },
      ...{ codes: [], weight: 3, testEntry: 'dbltest.example' },
    },
  ])
  const none = parsed('{}')
  assert.ok(none.ok && none.config.spam.lists.length === 0, 'none by default')
  assert.match(JSON.stringify(diffFromDefaults(result.written)), /"access-key":"\*\*\*"/)
})

test('what is wrong with a list is said where it stands', () => {
  for (const [list, problem] of [
    ['{kind: client, zone: a.example}', /spam\.lists\.it: neither weight nor codes/],
    ['{kind: client, zone: a.example., weight: 1}', /zone: a\.example\. is not allowed here.*without the dot/],
    ['{kind: client, zone: "*.a.example", weight: 1}', /the zone alone/],
    ['{kind: client, zone: 127.0.0.2, weight: 1}', /zone: 127\.0\.0\.2 is not allowed/],
    ['{kind: all, zone: a.example, weight: 1}', /kind.*client, sender, link/],
    ['{kind: client, zone: a.example, weight: -3}', /weight: -3 is not allowed.*welcome: true/],
    ['{kind: client, zone: a.example, weight: 9}', /weight: 9 is not allowed/],
    ['{kind: client, zone: a.example, codes: {127.0.0.2: much}}', /much is not allowed here.*5 phishing/],
    ['{kind: client, zone: a.example, codes: {10.0.0.2: 1}}', /10\.0\.0\.2 is no code of a list/],
    ['{kind: client, zone: a.example, codes: {127.0.0.1: 1}}', /127\.0\.0\.1 is an error, never a listing/],
    ['{kind: client, zone: a.example, codes: {127.255.255.254: 1}}', /is an error, never a listing/],
    [
      '{kind: [client, link], zone: a.example, weight: 1, welcome: true}',
      /welcome: a list that welcomes is of the kind/,
    ],
    ['{kind: client, zone: a.example, weight: 1, access-key: a.b}', /access-key/],
  ] as const) {
    assert.match(problems(`{it: ${list}}`), problem, list)
  }
  const many = Array.from({ length: 31 }, (_, i) => `l${i}: {kind: client, zone: a.example, weight: 1}`).join(', ')
  assert.match(problems(`{${many}}`), /there are 31 lists.*30 at most/)
  const one = '{it: {kind: client, zone: a.example, weight: 1}}'
  assert.equal(problems(one), '')
  assert.match(problems(one, 'name-servers: [127.0.0.1, 8.8.8.8]'), /warning.*8\.8\.8\.8 is a public resolver/)
  assert.equal(problems('{}', 'name-servers: 8.8.8.8'), '')
})

test('codes: what is written is what is meant, and nothing outside 127.0.0.0/8', () => {
  for (const wrong of [
    '',
    '127',
    '127.0.0',
    '*.0.0.2',
    '127.0.0.2/33',
    '127.0.0.2/24',
    '0.0.0.0/0',
    '126.0.0.0/7',
    'bit-3',
    'bit-1',
    '127.0.0.2.1',
  ]) {
    assert.equal(readCodePattern(wrong), undefined, wrong)
  }
  const octet = fc.integer({ min: 0, max: 255 })
  const star = fc.oneof(octet, fc.constant('*' as const))
  fc.assert(
    fc.property(fc.tuple(star, star, star), fc.tuple(octet, octet, octet), (pattern, address) => {
      const { mask, value } = readCodePattern(['127', ...pattern].join('.'))!
      const code = Buffer.from([127, ...address]).readUInt32BE(0)
      const meant = pattern.every((part, i) => part === '*' || part === address[i])
      assert.equal((code & mask) >>> 0 === value, meant)
    }),
  )
  fc.assert(
    fc.property(fc.string(), (text) => {
      const pattern = readCodePattern(text)
      if (pattern !== undefined) assert.ok(pattern.value >>> 24 === 127 && (pattern.value & ~pattern.mask) === 0)
    }),
  )
})
