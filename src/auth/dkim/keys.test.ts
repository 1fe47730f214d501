import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { bitsOf, makeKey, publicText, publishedIn, readKey, recordName, recordText, zoneLine } from './keys.ts'
import { inPieces, judged, key, signed } from './testing.ts'

const pem = (bits: number, type: 'pkcs8' | 'pkcs1' = 'pkcs8') =>
  generateKeyPairSync('rsa', {
    modulusLength: bits,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type, format: 'pem' },
  })
const faultOf = (text: string) => {
  const read = readKey(text)
  return read.ok ? undefined : read.fault
}

describe('a key', () => {
  it('is made, and its record is what a receiver needs', async () => {
    for (const algorithm of ['rsa-sha256', 'ed25519-sha256'] as const) {
      const privateKey = await makeKey(algorithm)
      const record = recordText(algorithm, publicText(privateKey))
      const message = await signed(inPieces('From: a@bakery.test\r\n\r\nx\r\n'), [
        key(algorithm, { privateKey, selector: 's1' }),
      ])
      assert.deepEqual(await judged(message!, new Map([[recordName('bakery.test', 's1'), record]])), ['pass'])
      assert.equal(publishedIn([record], algorithm, publicText(privateKey)), 'there')
    }
    assert.equal(bitsOf(await makeKey('rsa-sha256')), 2048)
  })

  it('is read from PEM of both kinds, and from the Base64 of an Ed25519 key', () => {
    assert.equal(faultOf(pem(2048).privateKey), undefined)
    assert.equal(faultOf(pem(1024, 'pkcs1').privateKey), undefined)
    const { privateKey } = generateKeyPairSync('ed25519')
    const bare = privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(-32).toString('base64')
    const read = readKey(`${bare}\n`)
    assert.ok(read.ok && read.algorithm === 'ed25519-sha256')
    assert.equal(publicText(read.privateKey), publicText(privateKey))
  })

  it('is not taken if receivers would ignore it', () => {
    assert.match(faultOf(pem(1016).privateKey) ?? '', /1016 bits; receivers ignore less than 1024/)
    assert.match(faultOf(pem(2048).publicKey) ?? '', /public key/)
    assert.match(faultOf('x'.repeat(20_000)) ?? '', /too long/)
    const { privateKey: curve } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    assert.match(faultOf(String(curve.export({ type: 'pkcs8', format: 'pem' }))) ?? '', /ec key cannot sign/)
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const secret = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const
    assert.match(faultOf(String(privateKey.export(secret))) ?? '', /encrypted/)
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => typeof faultOf(text) === 'string'))
  })
})

describe('a record', () => {
  it('is written for a zone file in strings of 255 octets', () => {
    const text = recordText('rsa-sha256', 'A'.repeat(392))
    const line = zoneLine(recordName('bakery.test', 's1'), text)
    assert.match(line, /^s1\._domainkey\.bakery\.test\. IN TXT \( "v=DKIM1; k=rsa; p=A+" "A+" \)$/)
    const strings = [...line.matchAll(/"([^"]*)"/g)].map((match) => match[1]!)
    assert.equal(strings.join(''), text)
    assert.ok(strings.every((one) => one.length <= 255))
  })

  it('is compared with the key as a receiver would', () => {
    const say = (...records: string[]) => publishedIn(records, 'rsa-sha256', 'QUJD')
    assert.equal(say('v=DKIM1; k=rsa; p=QUJD'), 'there')
    assert.equal(say('p=QU JD;'), 'there')
    assert.equal(say('v=DKIM1;t=y;h=sha1:sha256;s=email; p = QUJD ; n=note; '), 'there')
    assert.equal(say(), 'missing')
    assert.equal(say('v=DKIM1; p=QUJD', 'v=spf1 -all'), 'several')
    assert.equal(say('v=DKIM1; p='), 'revoked')
    assert.equal(say('v=DKIM1; p=QUJE'), 'another-key')
    assert.equal(say('v=DKIM1; k=ed25519; p=QUJD'), 'another-key')
    for (const bad of ['', 'v=spf1 -all', 'k=rsa; v=DKIM1; p=QUJD', 'v=DKIM2; p=QUJD', 'p=QUJD; p=QUJD', 'v=DKIM1']) {
      assert.equal(say(bad), 'not-readable', bad)
    }
    assert.equal(say('v=DKIM1; h=sha1; p=QUJD'), 'not-readable')
    assert.equal(say('v=DKIM1; s=tlsrpt; p=QUJD'), 'not-readable')
  })

  it('may be anything', () => {
    const part = fc.constantFrom('v=DKIM1', 'p=QUJD', 'k=rsa', ';', ' ', '=', '\t', 'p', 'x=', '\xff')
    fc.assert(
      fc.property(
        fc.array(part).map((parts) => parts.join('')),
        (text) => typeof publishedIn([text], 'rsa-sha256', 'QUJD') === 'string',
      ),
    )
  })
})
