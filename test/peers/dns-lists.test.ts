/**
 * DNS lists behind unbound, as an operator has them: zones that stand for lists of every kind, good and ill, and one whose
 * name servers are dead, one whose are silent, one whose are slow.
 */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { spamListsOf } from '#config/resolve-spam-lists.ts'
import { spamLists } from '#config/schema-spam-lists.ts'
import { BUDGET_MS, type ListsSaid, SpamLists } from '#scan/spam/lists/spam-lists.ts'
import { systemClock } from '#sys/clock.ts'
import { createDns } from '#sys/dns/dns.ts'
import { a, fakeNameServer, soa } from '#sys/dns/testing.ts'
import { startUnbound, withoutUnbound, type ZoneSource } from './unbound.ts'

const skip = withoutUnbound()

const TEST_V6 = `2.0.0.0.0.0.f.7.f.f.f.f.${'0.'.repeat(20)}`.slice(0, -1)
const CLIENT_V6 = `1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2`
const ZONES: readonly ZoneSource[] = [
  {
    name: 'zen.test',
    records: [
      '2.0.0.127 60 IN A 127.0.0.2',
      `${TEST_V6} 60 IN A 127.0.0.2`,
      '9.2.0.192 60 IN A 127.0.0.4',
      '9.2.0.192 60 IN A 127.0.0.10',
      `${CLIENT_V6} 60 IN A 127.0.0.3`,
    ],
  },
  { name: 'good.test', records: ['2.0.0.127 60 IN A 127.0.0.2', '8.2.0.192 60 IN A 127.0.5.3'] },
  {
    name: 'multi.test',
    records: [
      'test 60 IN A 127.0.0.254',
      '2.0.0.127 60 IN A 127.0.0.254',
      'spam.example 60 IN A 127.0.0.80',
      '4.2.0.192 60 IN A 127.0.0.8',
    ],
  },
  { name: 'world.test', records: ['* 60 IN A 127.0.0.2'] },
  { name: 'empty.test', records: [] },
  { name: 'refused.test', records: ['* 60 IN A 127.255.255.254'] },
  { name: 'sold.test', records: ['* 60 IN A 192.0.2.80'] },
]

const settings = (lists: object) => spamListsOf(spamLists.parse(lists))
const short = ({ signs, silent }: ListsSaid): unknown => [
  ...signs.filter(({ weight }) => weight !== 0).map(({ symbol, weight, detail }) => `${symbol} ${weight} ${detail}`),
  ...silent.map((list) => `silent ${list}`),
]

test('lists behind unbound: listed, welcome, not, IPv6, bits, and every illness', { skip }, async () => {
  await using unbound = await startUnbound(ZONES)
  const dns = createDns({ clock: systemClock, servers: async () => [unbound.endpoint] })
  const client = (name: string) => ({ kind: 'client', zone: `${name}.test`, weight: 2 })
  const lists = new SpamLists(
    settings({
      zen: { kind: 'client', zone: 'zen.test', codes: { '127.0.0.4': '4 exploited', '127.0.0.10': 1, '127.0.0.3': 3 } },
      good: { kind: 'client', zone: 'good.test', welcome: true, codes: { '127.0.*.3': 3 } },
      multi: {
        kind: ['sender', 'link'],
        zone: 'multi.test',
        codes: { 'bit-8': '5 phishing', 'bit-16': 4, 'bit-64': 3 },
      },
      world: client('world'),
      empty: client('empty'),
      refused: client('refused'),
      sold: client('sold'),
    }),
    { dns, clock: systemClock, random: Math.random },
  )
  await lists.checked()
  const ill = ['silent world', 'silent empty', 'silent refused', 'silent sold']
  assert.deepEqual(
    lists.reports().map(({ name, state }) => [name, state.kind === 'aside' ? state.illness : state.kind]),
    [
      ['zen', 'well'],
      ['good', 'well'],
      ['multi', 'well'],
      ['world', 'lists-everything'],
      ['empty', 'lists-nothing'],
      ['refused', 'refuses'],
      ['sold', 'is-no-list'],
    ],
  )
  assert.deepEqual(short(await lists.client('192.0.2.9')), [
    'LIST_CLIENT_BLOCKED 4 zen: 127.0.0.4 (exploited), 127.0.0.10',
    ...ill,
  ])
  assert.deepEqual(short(await lists.client('192.0.2.8')), ['LIST_CLIENT_WELCOME -3 good: 127.0.5.3', ...ill])
  assert.deepEqual(short(await lists.client('192.0.2.7')), ill)
  assert.deepEqual(short(await lists.client('2001:db8::1')), ['LIST_CLIENT_BLOCKED 3 zen: 127.0.0.3', ...ill])
  assert.deepEqual(short(await lists.sender(['spam.example', 'bakery.example'])), [
    'LIST_SENDER_BLOCKED 4 spam.example: multi: 127.0.0.80',
  ])
  assert.deepEqual(short(await lists.links(['www.spam.example', '192.0.2.4', 'bakery.example'])), [
    'LIST_LINK_BLOCKED 5 192.0.2.4: multi: 127.0.0.8 (phishing), and 1 more',
  ])
  lists.close()
})

test('dead, silent and slow name servers of a list: a verdict in time, and "unknown" is no "no"', {
  skip,
}, async () => {
  const silence = createSocket('udp4').unref()
  silence.bind(0, '127.0.0.1')
  await once(silence, 'listening')
  await using slow = await fakeNameServer(({ name, reply }) => {
    const listed = name === '2.0.0.127.slow.test' || name === '9.2.0.192.slow.test'
    const said = listed
      ? reply({ answers: [a(name, '127.0.0.2')] })
      : reply({ rcode: 3, authorities: [soa('slow.test', 60)] })
    return new Promise((resolve) => setTimeout(() => resolve([said]), 300))
  })
  const elsewhere = { 'silent.test': silence.address().port, 'slow.test': slow.endpoint.port }
  await using unbound = await startUnbound(ZONES.slice(0, 1), elsewhere)
  const dns = createDns({ clock: systemClock, servers: async () => [unbound.endpoint] })
  const client = (name: string) => ({ kind: 'client', zone: `${name}.test`, weight: 2 })
  // `dead.test` is asked of the root, which is a closed port here: SERVFAIL.
  const names = ['zen', 'dead', 'silent', 'slow']
  const lists = new SpamLists(settings(Object.fromEntries(names.map((name) => [name, client(name)]))), {
    ...{ dns, clock: systemClock, random: Math.random },
  })
  const startMs = performance.now()
  const said = await lists.client('192.0.2.9')
  const ms = performance.now() - startMs
  assert.ok(ms < BUDGET_MS + 500, `${ms} ms`)
  assert.deepEqual(short(said), [
    'LIST_CLIENT_BLOCKED 2 zen: 127.0.0.10, 127.0.0.4',
    'LIST_CLIENT_BLOCKED 2 slow: 127.0.0.2',
    'silent dead',
    'silent silent',
  ])
  assert.equal(said.signs.filter(({ symbol }) => symbol === 'LIST_UNKNOWN').length, 2)
  await lists.checked()
  const questions = () => lists.reports().map(({ counts }) => counts.questions)
  const [, dead, mute] = questions()
  const many = await Promise.all(Array.from({ length: 50 }, (_, i) => lists.client(`192.0.2.${i}`)))
  for (const { silent } of many) assert.deepEqual(silent, ['dead', 'silent'])
  assert.deepEqual(questions().slice(1, 3), [dead, mute], 'of lists that are set aside nothing is asked')
  lists.close()
  silence.close()
})
