import assert from 'node:assert/strict'
import { it } from 'node:test'
import { openStore } from './database.ts'
import { DKIM_KEYS, DkimKeys, type KeyName, openKey, type StoredKey, sealKey } from './dkim-keys.ts'
import { MasterKey } from './sealing.ts'

const master = new MasterKey(Buffer.alloc(32, 1))

function stored(name: Partial<KeyName> = {}, more: Partial<StoredKey> = {}): StoredKey {
  const full = { tenant: 'bakery', domain: 'bakery.test', selector: 's1', ...name }
  return {
    ...full,
    algorithm: 'rsa-sha256',
    bits: 2048,
    state: 'active',
    stateMs: 5,
    madeMs: 5,
    publicKey: 'QUJD',
    ...sealKey(master, full, Buffer.from(`private ${full.selector}`)),
    ...more,
  }
}

const keysOf = () => new DkimKeys(openStore(':memory:', [DKIM_KEYS]))

it('a tenant’s domain has its own keys, and only the active ones sign', () => {
  const keys = keysOf()
  keys.put(stored())
  keys.put(stored({ selector: 's2' }, { state: 'pending' }))
  keys.put(stored({ selector: 'e1' }, { algorithm: 'ed25519-sha256', bits: 256 }))
  keys.put(stored({ tenant: 'smith' }))
  const selectors = (tenant: string, domain: string) => keys.active(tenant, domain).map(({ selector }) => selector)
  assert.deepEqual(selectors('bakery', 'bakery.test'), ['s1', 'e1'])
  assert.deepEqual(selectors('smith', 'bakery.test'), ['s1'])
  assert.deepEqual(selectors('bakery', 'sub.bakery.test'), [])
  keys.setState(stored(), 'retired', 9)
  keys.setState(stored({ selector: 's2' }), 'active', 9)
  keys.setFound(stored({ selector: 's2' }), 'there', 10)
  assert.deepEqual(selectors('bakery', 'bakery.test'), ['s2', 'e1'])
  assert.deepEqual(selectors('smith', 'bakery.test'), ['s1'])
  const [found] = keys.active('bakery', 'bakery.test')
  assert.deepEqual([found?.found, found?.foundMs, found?.stateMs], ['there', 10, 9])
  keys.remove(stored({ selector: 's2' }))
  assert.deepEqual(selectors('bakery', 'bakery.test'), ['e1'])
  assert.throws(() => keys.put(stored()), /UNIQUE/)
})

it('a key that somebody copied to another row does not open there', () => {
  const keys = keysOf()
  keys.put(stored())
  const [key] = keys.all()
  assert.equal(openKey(master, key!)?.toString(), 'private s1')
  assert.equal(openKey(new MasterKey(Buffer.alloc(32, 2)), key!), undefined)
  for (const other of [{ tenant: 'smith' }, { domain: 'smith.test' }, { selector: 's9' }]) {
    assert.equal(openKey(master, { ...key!, ...other }), undefined, JSON.stringify(other))
  }
})
