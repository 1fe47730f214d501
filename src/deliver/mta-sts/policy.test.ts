/** MTA-STS records and policies, as strangers write them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MAX_AGE_S_MAX, namesHost, PATTERNS_MAX, readPolicy, readRecordId } from './policy.ts'

const GOOD = 'version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.Example.net\r\nmax_age: 604800\r\n'

test('a record has an id; several, or one without, are none', () => {
  assert.equal(readRecordId(['v=STSv1; id=20160831085700Z;']), '20160831085700Z')
  assert.equal(readRecordId(['v=spf1 -all', 'v=STSv1;id=1']), '1')
  assert.equal(readRecordId(['v=STSv1; ext=x; id=1; id=2']), '1')
  for (const records of [[], ['v=STSv1; id=1', 'v=STSv1; id=1'], ['v=STSv1'], ['v=STSv1;'], ['v=STSv2; id=1']])
    assert.equal(readRecordId(records), undefined, records.join('|'))
  for (const id of ['', 'a-b', 'a'.repeat(33), 'é']) assert.equal(readRecordId([`v=STSv1; id=${id};`]), undefined, id)
})

test('a policy is read with either line end, and unknown fields are passed over', () => {
  const policy = { mode: 'enforce', mx: ['mail.example.com', '*.example.net'], maxAgeMs: 604_800_000 }
  assert.deepEqual(readPolicy(GOOD), { kind: 'policy', policy })
  assert.deepEqual(readPolicy(GOOD.replaceAll('\r', '').replace(/\n$/, '')), { kind: 'policy', policy })
  assert.deepEqual(readPolicy(`${GOOD}future: yes\nmode: none\nmax_age: 1\n`), { kind: 'policy', policy })
  const none = readPolicy('version: STSv1\nmode: none\nmax_age: 99999999999'.slice(0, -1))
  assert.deepEqual(none, { kind: 'policy', policy: { mode: 'none', mx: [], maxAgeMs: MAX_AGE_S_MAX * 1000 } })
})

test('what lacks something is no policy, and says what', () => {
  const without = (line: string) =>
    readPolicy(
      GOOD.split('\r\n')
        .filter((one) => !one.startsWith(line))
        .join('\n'),
    )
  for (const line of ['version', 'mode', 'mx', 'max_age']) assert.equal(without(line).kind, 'no-policy', line)
  for (const [from, to] of [
    ['STSv1', 'STSv2'],
    ['enforce', 'Enforce'],
    ['604800', '-1'],
    ['604800', '1e9'],
    ['mail.', 'mail..'],
    ['*.Ex', 'a*.Ex'],
    ['*.Ex', '*.*.Ex'],
    ['mode:', '<html>\nmode:'],
  ] as const)
    assert.equal(readPolicy(GOOD.replace(from, to)).kind, 'no-policy', to)
  const many = Array.from({ length: PATTERNS_MAX + 1 }, (_, i) => `mx: m${i}.x\n`).join('')
  assert.equal(readPolicy(GOOD + many).kind, 'no-policy')
  assert.equal(readPolicy(GOOD + '\n'.repeat(65_536)).kind, 'no-policy')
})

test('a wildcard stands for one label', () => {
  const policy = { mx: ['mail.example.com', '*.example.net'] }
  for (const host of ['mail.example.com', 'a.example.net', 'mx-1.example.net']) assert.ok(namesHost(policy, host), host)
  for (const host of ['example.com', 'x.mail.example.com', 'example.net', '.example.net', 'a.b.example.net', 'net'])
    assert.ok(!namesHost(policy, host), host)
})

test('whatever strangers write is read or refused, and never throws', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(
      'version: STSv1',
      'mode: enforce',
      'mode',
      'mx: *.a.b',
      'mx:',
      'max_age: 1',
      '\n',
      '\r\n',
      ':',
      ';',
    ),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const text = pieces.join('')
      const read = readPolicy(text)
      if (read.kind === 'policy') assert.ok(read.policy.mode === 'none' || read.policy.mx.length > 0)
      const id = readRecordId([`v=STSv1;${text}`])
      assert.ok(id === undefined || /^[a-z0-9]{1,32}$/i.test(id))
    }),
  )
})
