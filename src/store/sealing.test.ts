import assert from 'node:assert/strict'
import { it } from 'node:test'
import { MasterKey } from './sealing.ts'

const secret = (fill: number) => Buffer.alloc(32, fill)
const ABOUT = ['dkim', 'bakery', 'bakery.test', 's1']

it('what is sealed opens with the same key and for the same thing only', () => {
  const key = new MasterKey(secret(1))
  const sealed = key.seal(Buffer.from('private'), ABOUT)
  assert.equal(sealed.includes('private'), false)
  assert.equal(new MasterKey(secret(1)).open(sealed, ABOUT)?.toString(), 'private')
  assert.equal(new MasterKey(secret(2)).open(sealed, ABOUT), undefined)
  for (const other of [
    ['dkim', 'smith', 'bakery.test', 's1'],
    ['dkim', 'bakery', 'bakery.tests', '1'],
    ABOUT.slice(1),
  ]) {
    assert.equal(key.open(sealed, other), undefined)
  }
})

it('any change is noticed, and nothing is sealed twice alike', () => {
  const key = new MasterKey(secret(1))
  const sealed = key.seal(Buffer.from('private'), ABOUT)
  assert.notDeepEqual(key.seal(Buffer.from('private'), ABOUT), sealed)
  for (let i = 0; i < sealed.length; i++) {
    const changed = Buffer.from(sealed)
    changed[i]! ^= 1
    assert.equal(key.open(changed, ABOUT), undefined, `octet ${i}`)
    assert.equal(key.open(sealed.subarray(0, i), ABOUT), undefined, `cut at ${i}`)
  }
})

it('keys have ids of their own, and short secrets are none', () => {
  assert.notEqual(new MasterKey(secret(1)).id, new MasterKey(secret(2)).id)
  assert.equal(new MasterKey(secret(1)).id, new MasterKey(secret(1)).id)
  assert.throws(() => new MasterKey(Buffer.alloc(15)), RangeError)
})
