import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '#sys/clock.ts'
import type { Dns } from '#sys/dns/answer.ts'
import { Lookups, QUESTIONS_MAX } from './lookups.ts'
import { checked, KEYS, signedElsewhere, textDns } from './testing.ts'

const LETTER = 'From: anna@bakery.test\r\nSubject: bread\r\n\r\nBread.\r\n'
const ANNA = { clientAddress: '192.0.2.1', greetingName: 'mx', sender: { localPart: 'anna', domain: 'bakery.test' } }
const ZONE = { ...KEYS, 'bakery.test': 'v=spf1 ip4:192.0.2.1 -all', '_dmarc.bakery.test': 'v=DMARC1; p=reject' }

test('all of it: what vouches, and for whom', async () => {
  const found = await checked(await signedElsewhere(LETTER), ZONE, ANNA)
  assert.equal(found.spf.result, 'pass')
  assert.deepEqual(
    found.dkim.map(({ result }) => result),
    ['pass'],
  )
  assert.deepEqual(found.dmarc, { domain: 'bakery.test', policy: 'reject', result: 'pass', alignedBy: ['spf', 'dkim'] })
  assert.deepEqual(found.arc, { result: 'none', instances: 0, sealers: [] })
  const other = await checked(LETTER, ZONE, { ...ANNA, clientAddress: '192.0.2.2' })
  assert.deepEqual([other.spf.result, other.dkim, other.dmarc.result], ['fail', [], 'fail'])
})

test('a dead name server makes everything unknown when the time is over, and nothing false', async () => {
  const zone = new Proxy({}, { get: () => 'silent' }) as Record<string, 'silent'>
  const found = await checked(await signedElsewhere(LETTER), zone, ANNA)
  assert.deepEqual(
    [found.spf.result, found.dkim[0]?.result, found.dmarc.result],
    ['temperror', 'temperror', 'temperror'],
  )
  const never: Dns = { lookup: () => new Promise(() => {}) }
  using lookups = new Lookups(never, systemClock, 20)
  const answers = await Promise.all([lookups.lookup('a.test', 'TXT'), lookups.lookup('b.test', 'A')])
  assert.deepEqual(
    answers.map(({ kind }) => kind),
    ['unknown', 'unknown'],
  )
  assert.equal((await lookups.lookup('c.test', 'TXT')).kind, 'unknown')
})

test('there is an end to the questions', async () => {
  const dns = textDns({})
  using lookups = new Lookups(dns, systemClock)
  for (let i = 0; i <= QUESTIONS_MAX; i++) await lookups.lookup(`${i}.test`, 'A')
  assert.equal(dns.asked.length, QUESTIONS_MAX)
  assert.equal((await lookups.lookup('x.test', 'A')).kind, 'unknown')
})

test('what some would read as another header section has no author', async () => {
  for (const text of [
    'From: a@bakery.test\r\nno field\r\nFrom: b@evil.test\r\n\r\n',
    'From : a@bakery.test\r\nFrom: a@bakery.test\r\n\r\n',
    '',
    '\r\n',
  ])
    assert.equal((await checked(text, ZONE, ANNA)).dmarc.result, 'permerror', JSON.stringify(text))
})
