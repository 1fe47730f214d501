import assert from 'node:assert/strict'
import { argon2Sync } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { COST_MAX, hashPassword, hashText, nobodysHash, passwordFits, readHash } from './password-hash.ts'

const CHEAP = { memoryKib: 64, passes: 1, lanes: 1 }

test('the test vector of RFC 9106 §5.3 comes out of the function in use', () => {
  const tag = argon2Sync('argon2id', {
    message: Buffer.alloc(32, 1),
    nonce: Buffer.alloc(16, 2),
    secret: Buffer.alloc(8, 3),
    associatedData: Buffer.alloc(12, 4),
    parallelism: 4,
    passes: 3,
    memory: 32,
    tagLength: 32,
  })
  assert.equal(tag.toString('hex'), '0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659')
})

test('a password fits its own string only, and each string has its own salt', async () => {
  const [one, other] = [await hashPassword('correct horse', CHEAP), await hashPassword('correct horse', CHEAP)]
  assert.notEqual(one, other)
  assert.match(one, /^\$argon2id\$v=19\$m=64,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  assert.equal(await passwordFits('correct horse', readHash(one)!), true)
  assert.equal(await passwordFits('Correct horse', readHash(one)!), false)
  assert.equal(await passwordFits('', { ...nobodysHash(), ...CHEAP }), false)
})

test('the cost is read from the string, and one that is too high is not read', async () => {
  const dear = await hashPassword('x', { memoryKib: 128, passes: 3, lanes: 2 })
  const kept = readHash(dear)!
  assert.deepEqual([kept.memoryKib, kept.passes, kept.lanes], [128, 3, 2])
  assert.equal(await passwordFits('x', kept), true)
  for (const over of [
    { memoryKib: COST_MAX.memoryKib + 1 },
    { passes: COST_MAX.passes + 1 },
    { lanes: COST_MAX.lanes + 1 },
    { memoryKib: 15, lanes: 2 },
  ]) {
    assert.equal(readHash(hashText({ ...kept, ...over })), undefined)
  }
})

test('no other text is read, and what is read has one spelling', () => {
  const good = hashText({ ...CHEAP, salt: Buffer.alloc(16, 7), hash: Buffer.alloc(32, 9) })
  const texts = [
    good.replace('argon2id', 'argon2i'),
    good.replace('v=19', 'v=16'),
    good.replace('m=64', 'm=064'),
    `${good}=`,
    ` ${good}`,
    `${good}\n`,
  ]
  for (const text of texts) assert.equal(readHash(text), undefined, text)
  const pieces = fc.constantFrom('$', 'argon2id', 'v=19', 'm=64', ',t=1', ',p=1', 'BwcHBwcHBwcHBwcHBwcHBw', '=', 'A')
  const alike = fc.array(fc.oneof(pieces, fc.string()), { maxLength: 14 }).map((parts) => parts.join(''))
  const changed = fc
    .tuple(fc.nat(good.length), fc.string({ maxLength: 2 }), fc.nat(3))
    .map(([at, put, cut]) => good.slice(0, at) + put + good.slice(at + cut))
  fc.assert(
    fc.property(fc.oneof(fc.string(), alike, changed), (text) => {
      const read = readHash(text)
      if (read !== undefined) assert.equal(hashText(read), text)
    }),
  )
})
