/** Lists that are asked: what their answers become, how long anybody waits, and what an ill list costs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CHECK_MS, FAILURES_MAX, RECHECK_MS, SLOW_MS, UNDER_WAY_MAX } from './spam-list.ts'
import { BUDGET_MS, DOMAINS_MAX, type ListsSaid, QUESTIONS_MAX } from './spam-lists.ts'
import { BL, DOM, FakeDns, listsWith, quiet } from './testing.ts'

const short = ({ signs, silent }: ListsSaid): unknown => [
  ...signs.map(({ symbol, weight, detail }) => `${symbol} ${weight} ${detail}`),
  ...silent.map((list) => `silent ${list}`),
]

test('a client is listed, welcome, or not there; private ones are not asked about', async () => {
  const { lists, dns } = listsWith([BL, { ...BL, name: 'wl', zone: 'wl.test', welcome: true }], {
    '2.0.0.127.wl.test': ['127.0.0.2'],
    '9.2.0.192.bl.test': ['127.0.0.4'],
    '8.2.0.192.wl.test': ['127.0.5.1'],
  })
  assert.deepEqual(short(await lists.client('192.0.2.9')), ['LIST_CLIENT_BLOCKED 4 bl: 127.0.0.4'])
  assert.deepEqual(short(await lists.client('192.0.2.8')), ['LIST_CLIENT_WELCOME -4 wl: 127.0.5.1'])
  assert.deepEqual(short(await lists.client('192.0.2.7')), [])
  const asked = dns.asked.length
  assert.deepEqual(short(await lists.client('10.0.0.1')), [])
  assert.deepEqual(short(await lists.client('no address')), [])
  assert.equal(dns.asked.length, asked)
})

test('senders by their domain and its registrable part; links by that part, and by address', async () => {
  const { lists, dns } = listsWith([DOM], {
    'spam.example.dom.test': ['127.0.1.2'],
    '4.2.0.192.dom.test': ['127.0.1.5'],
    'anna.github.io.dom.test': ['127.0.1.4'],
  })
  const before = () => dns.asked.splice(0)
  await lists.checked()
  before()
  assert.deepEqual(short(await lists.sender(['Mail.Spam.Example', 'bakery.example', '[IPv6:::1]', 'localhost', ''])), [
    'LIST_SENDER_BLOCKED 3 spam.example: dom: 127.0.1.2',
  ])
  assert.deepEqual(
    before(),
    ['mail.spam.example', 'bakery.example', 'spam.example'].map((name) => `A ${name}.dom.test`),
  )
  const links = [
    'www.spam.example',
    'spam.example',
    '192.0.2.4',
    '[2001:db8::1]',
    '127.0.0.9',
    'shop.anna.github.io',
    'co.uk',
  ]
  assert.deepEqual(short(await lists.links(links)), ['LIST_LINK_BLOCKED 3 spam.example: dom: 127.0.1.2, and 2 more'])
  assert.deepEqual(
    before(),
    ['spam.example', '4.2.0.192', 'anna.github.io'].map((name) => `A ${name}.dom.test`),
  )
})

test('domains and questions of one message are bounded', async () => {
  const many = Array.from({ length: 500 }, (_, i) => `host.domain${i}.example`)
  const one = listsWith([DOM])
  await one.lists.checked()
  one.dns.asked.length = 0
  await one.lists.links(many)
  assert.equal(one.dns.asked.length, DOMAINS_MAX)
  const settings = Array.from({ length: 30 }, (_, i) => ({ ...DOM, name: `list${i}`, testEntry: 'none' }))
  const thirty = listsWith(settings)
  await thirty.lists.checked()
  thirty.dns.asked.length = 0
  await thirty.lists.links(many)
  assert.equal(thirty.dns.asked.length, 30 * Math.floor(QUESTIONS_MAX / 30))
})

test('IPv6: asked of lists that have its test entry, and of no others', async () => {
  const [must, mustNot] = ['2', '1'].map((last) => `${last}.0.0.0.0.0.f.7.f.f.f.f.${'0.'.repeat(20)}bl.test`)
  const client = `1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.bl.test`
  const has = listsWith([BL], { [must!]: ['127.0.0.2'], [client]: ['127.0.0.3'] })
  assert.deepEqual(short(await has.lists.client('2001:db8::1')), ['LIST_CLIENT_BLOCKED 4 bl: 127.0.0.3'])
  const hasNot = listsWith([BL], { [client]: ['127.0.0.3'] })
  assert.deepEqual(short(await hasNot.lists.client('2001:db8::1')), [])
  const world = listsWith([BL], { [must!]: ['127.0.0.2'], [mustNot!]: ['127.0.0.2'], [client]: ['127.0.0.3'] })
  assert.deepEqual(short(await world.lists.client('2001:db8::1')), [])
  const unknown = listsWith([BL], { [must!]: 'fails' })
  assert.match(
    String(short(await unknown.lists.client('2001:db8::1'))),
    /^LIST_UNKNOWN 0 bl: .*IPv6 addresses,silent bl$/,
  )
})

test('addresses in links: not asked of lists of domains, some of which say yes to every address', async () => {
  const every = Object.fromEntries([1, 2].map((i) => [`${i}.0.0.127.dom.test`, ['127.0.1.255']]))
  const { lists } = listsWith([DOM], {
    ...every,
    '4.2.0.192.dom.test': ['127.0.1.255'],
    'spam.example.dom.test': ['127.0.1.2'],
  })
  const said = await lists.links(['192.0.2.4', 'spam.example'])
  assert.deepEqual(short(said), ['LIST_LINK_BLOCKED 3 spam.example: dom: 127.0.1.2'])
  const unknown = listsWith([DOM], { '1.0.0.127.dom.test': 'fails' })
  assert.deepEqual((await unknown.lists.links(['192.0.2.4'])).silent, ['dom'])
})

test('a list that fails its test is set aside, told once, and asked again until it is well', async () => {
  for (const [illness, zone, text] of [
    ['lists-nothing', { '2.0.0.127.bl.test': undefined }, /its test entry 127\.0\.0\.2 is not listed/],
    ['lists-everything', { '1.0.0.127.bl.test': ['127.0.0.2'] }, /127\.0\.0\.1 is listed/],
    ['refuses', { '2.0.0.127.bl.test': ['127.255.255.254'] }, /127\.255\.255\.254 \(asked through a public resolver/],
    ['refuses', { '2.0.0.127.bl.test': ['127.0.0.1'] }, /127\.0\.0\.1 \(it refuses/],
    ['is-no-list', { '2.0.0.127.bl.test': ['192.0.2.80'], '1.0.0.127.bl.test': ['192.0.2.80'] }, /192\.0\.2\.80/],
    ['silent', { '2.0.0.127.bl.test': 'fails' }, /SERVFAIL/],
  ] as const) {
    const { lists, dns, clock, told } = listsWith([BL], { '9.2.0.192.bl.test': ['127.0.0.4'], ...(zone as object) })
    const said = await lists.client('192.0.2.9')
    assert.deepEqual([said.silent, said.signs[0]?.symbol, said.signs[0]?.weight], [['bl'], 'LIST_UNKNOWN', 0], illness)
    assert.match(said.signs[0]?.detail ?? '', text)
    assert.deepEqual(
      told.map(([list, state]) => [list, state.kind === 'aside' && state.illness]),
      [['bl', illness]],
    )
    for (let i = 0; i < 1000; i++) await lists.client(`192.0.2.${i % 200}`)
    const asked = dns.asked.length
    await clock.pass(24 * 3_600_000)
    const checks = (dns.asked.length - asked) / 2
    assert.ok(checks > 24 && checks < 120, `${checks} checks in a day`)
    assert.equal(told.length, 1)
    Object.assign(dns.zone, { '2.0.0.127.bl.test': ['127.0.0.2'] })
    delete dns.zone['1.0.0.127.bl.test']
    await clock.pass(CHECK_MS)
    assert.deepEqual(told[1]?.[1].kind, 'well')
    assert.deepEqual(short(await lists.client('192.0.2.9')), ['LIST_CLIENT_BLOCKED 4 bl: 127.0.0.4'])
    lists.close()
    assert.equal(clock.timers, 0)
  }
})

test('an error in an answer sets the list aside at once', async () => {
  const { lists, dns } = listsWith([BL], { '9.2.0.192.bl.test': ['127.255.255.255'] })
  assert.match(
    String(short(await lists.client('192.0.2.9'))),
    /LIST_UNKNOWN 0 bl: it answers 127\.255\.255\.255 \(too many questions\)/,
  )
  const asked = dns.asked.length
  assert.match(String(short(await lists.client('192.0.2.8'))), /LIST_UNKNOWN 0 bl: set aside: it answers 127/)
  assert.equal(dns.asked.length, asked)
})

test('a list that dies: nobody waits longer than the budget, and 10,000 messages cost few questions', async () => {
  const { lists, dns, clock } = listsWith([BL, { ...BL, name: 'other', zone: 'other.test', testEntry: 'none' }])
  await lists.checked()
  dns.otherwise = 'silent'
  dns.zone['2.0.0.127.bl.test'] = 'silent'
  const others = { '9.2.0.192.other.test': ['127.0.0.2'] }
  Object.assign(dns.zone, others)
  dns.asked.length = 0
  const first = lists.client('192.0.2.9')
  let ended = false
  void first.then(() => {
    ended = true
  })
  await clock.pass(BUDGET_MS - 1)
  assert.equal(ended, false)
  await clock.pass(1)
  assert.equal(ended, true, 'at the end of the budget')
  assert.ok(BUDGET_MS < 5_000)
  const said = await first
  assert.deepEqual(said.silent, ['bl'])
  assert.deepEqual(
    said.signs.map(({ symbol, weight }) => [symbol, weight]),
    [
      ['LIST_UNKNOWN', 0],
      ['LIST_CLIENT_BLOCKED', 4],
    ],
  )
  for (let second = 0; second < 100; second++) {
    const at = clock.nowMs
    const messages = Array.from({ length: 100 }, (_, i) => lists.client(`198.51.${second}.${i}`))
    await clock.pass(BUDGET_MS)
    const all = await Promise.all(messages)
    assert.ok(all.every(({ silent }) => silent.includes('bl')))
    assert.ok(clock.nowMs - at <= BUDGET_MS)
  }
  const dead = dns.asked.filter((name) => name.endsWith('.bl.test')).length
  assert.ok(dead <= UNDER_WAY_MAX + 20, `${dead} questions to the dead list`)
})

test('10,000 messages at once beside a list that has just died cost no more than its share of questions', async () => {
  const { lists, dns, clock } = listsWith([BL])
  await lists.checked()
  dns.otherwise = 'silent'
  dns.asked.length = 0
  const all = Array.from({ length: 10_000 }, (_, i) => lists.client(`198.51.${i >> 8}.${i & 255}`))
  await clock.pass(BUDGET_MS)
  assert.ok((await Promise.all(all)).every(({ silent }) => silent.includes('bl')))
  assert.equal(dns.asked.length, UNDER_WAY_MAX)
})

test('questions that were answered make room for others', async () => {
  const { lists } = listsWith([BL])
  for (let i = 0; i < 2_000; i += 100) {
    const some = Array.from({ length: 100 }, (_, j) => lists.client(`198.51.${(i + j) >> 8}.${(i + j) & 255}`))
    assert.ok((await Promise.all(some)).every(({ silent }) => silent.length === 0))
  }
})

test('a list of domains that lists INVALID is no list of domains', async () => {
  const { lists } = listsWith([DOM], { 'invalid.dom.test': ['127.0.1.2'] })
  assert.deepEqual((await lists.sender(['bakery.example'])).silent, ['dom'])
})

test('failures in a row set a list aside, single ones do not; a slow answer is a failure', async () => {
  const { lists, dns, clock, told } = listsWith([BL], {
    ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((i) => [`${i}.2.0.192.bl.test`, 'fails'])),
  })
  for (let i = 1; i < FAILURES_MAX; i++) assert.deepEqual((await lists.client(`192.0.2.${i}`)).silent, ['bl'])
  assert.deepEqual(short(await lists.client('192.0.2.100')), [], 'it answers: they are forgotten')
  for (let i = 1; i < FAILURES_MAX; i++) await lists.client(`192.0.2.${i}`)
  assert.equal(told.length, 0)
  await lists.client('192.0.2.6')
  assert.equal(told[0]?.[1].kind, 'aside')
  await clock.pass(RECHECK_MS)
  assert.equal(told[1]?.[1].kind, 'well')
  dns.otherwise = 'silent'
  for (let i = 0; i < FAILURES_MAX; i++) void lists.client(`192.0.2.${50 + i}`)
  await clock.pass(SLOW_MS - 1)
  assert.equal(told.length, 2)
  await clock.pass(1)
  assert.equal(told[2]?.[1].kind, 'aside')
})

test('the first check is waited for, within the budget', async () => {
  const { lists, clock } = listsWith([BL], { '2.0.0.127.bl.test': 'silent', '9.2.0.192.bl.test': ['127.0.0.4'] })
  const said = lists.client('192.0.2.9')
  await clock.pass(BUDGET_MS)
  assert.deepEqual(short(await said), ['LIST_UNKNOWN 0 bl: no answer yet to its first check', 'silent bl'])
})

test('who asks the same at the same time asks once; the key is never shown', async () => {
  const { lists, dns } = listsWith([{ ...BL, accessKey: 'k3y' }], {
    '2.0.0.127.k3y.bl.test': ['127.0.0.2'],
    '9.2.0.192.k3y.bl.test': 'fails',
  })
  await lists.checked()
  dns.asked.length = 0
  const [one] = await Promise.all([lists.client('192.0.2.9'), lists.client('192.0.2.9')])
  assert.deepEqual(dns.asked, ['A 9.2.0.192.k3y.bl.test'])
  assert.match(one!.signs[0]?.detail ?? '', /SERVFAIL about 9\.2\.0\.192\.\*\*\*\.bl\.test/)
  assert.deepEqual(lists.reports()[0]?.counts, { questions: 5, listed: 0, unknown: 2 })
})

test('the name of a client: confirmed, unconfirmed, none, unknown; in time', async () => {
  const zone = {
    'PTR 1.2.0.192.in-addr.arpa': ['liar.example', 'mail.bakery.example'],
    'mail.bakery.example': ['192.0.2.9', '192.0.2.1'],
    'PTR 2.2.0.192.in-addr.arpa': ['liar.example'],
    'PTR 3.2.0.192.in-addr.arpa': ['not a name', ''],
    'PTR 4.2.0.192.in-addr.arpa': 'fails',
    'PTR 5.2.0.192.in-addr.arpa': ['broken.example', 'liar.example'],
    'broken.example': 'fails',
    [`PTR 1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`]: ['six.example'],
    'AAAA six.example': ['2001:db8:0::1'],
    'PTR 6.2.0.192.in-addr.arpa': 'silent',
  } as const
  const { lists, clock } = listsWith([], zone)
  assert.deepEqual(await lists.clientName('192.0.2.1'), { kind: 'confirmed', name: 'mail.bakery.example' })
  assert.deepEqual(await lists.clientName('2001:db8::1'), { kind: 'confirmed', name: 'six.example' })
  assert.deepEqual(await lists.clientName('192.0.2.2'), { kind: 'unconfirmed', name: 'liar.example' })
  assert.deepEqual(await lists.clientName('192.0.2.3'), { kind: 'none' })
  assert.deepEqual(await lists.clientName('192.0.2.7'), { kind: 'none' })
  for (const address of ['192.0.2.4', '192.0.2.5', '10.0.0.1', 'x']) {
    assert.deepEqual(await lists.clientName(address), { kind: 'unknown' }, address)
  }
  const late = lists.clientName('192.0.2.6')
  await clock.pass(BUDGET_MS)
  assert.deepEqual(await late, { kind: 'unknown' })
  await quiet()
  assert.ok(new FakeDns({}).asked.length === 0)
})
