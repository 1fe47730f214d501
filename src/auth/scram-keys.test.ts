import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { test } from 'node:test'
import { nobodysScramKeys, SCRAM_ITERATIONS, scramKeysOf } from './scram-keys.ts'

const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest()

test('the exchange of RFC 7677 §3 is understood with the keys', async () => {
  const keys = await scramKeysOf('pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'), 4096)
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
  const exchange = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${nonce}`
  const proof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64')
  const signature = hmac(keys.storedKey, exchange)
  const clientKey = proof.map((octet, i) => octet ^ signature[i]!)
  assert.deepEqual(createHash('sha256').update(clientKey).digest(), keys.storedKey)
  assert.equal(hmac(keys.serverKey, exchange).toString('base64'), '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
})

test('a login that does not exist has keys of the same form, always the same ones', async () => {
  const secret = Buffer.alloc(32, 5)
  const [one, again] = [nobodysScramKeys('anna', secret), nobodysScramKeys('anna', secret)]
  assert.deepEqual(one, again)
  assert.notDeepEqual(nobodysScramKeys('bert', secret).salt, one.salt)
  assert.notDeepEqual(nobodysScramKeys('anna', Buffer.alloc(32, 6)).salt, one.salt)
  const real = await scramKeysOf('pencil', undefined, 4096)
  const lengths = ({ salt, storedKey, serverKey }: typeof one) => [salt.length, storedKey.length, serverKey.length]
  assert.deepEqual(lengths(one), lengths(real))
  assert.equal(one.iterations, SCRAM_ITERATIONS)
})
