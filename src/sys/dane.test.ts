import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { daneMismatch, usableRecords } from './dane.ts'
import { selfSignedCertificate } from './self-signed.ts'

const made = () => new X509Certificate(selfSignedCertificate({ names: ['mx.test'], fromMs: 0, days: 1 }).certificatePem)
const [own, other] = [made(), made()]

const record = (certificate: X509Certificate, usage: number, selector: number, matchingType: number) => {
  const part = selector === 0 ? certificate.raw : certificate.publicKey.export({ type: 'spki', format: 'der' })
  const digest = () =>
    createHash(matchingType === 1 ? 'sha256' : 'sha512')
      .update(part)
      .digest()
  return { usage, selector, matchingType, data: matchingType === 0 ? part : digest() }
}

test('DANE-EE: each selector and matching type, whatever the name and the date', () => {
  for (const selector of [0, 1]) {
    for (const matchingType of [0, 1, 2]) {
      const against = (certificate: X509Certificate) => {
        const records = usableRecords([record(certificate, 3, selector, matchingType)])
        assert.equal(records.length, 1)
        return daneMismatch([own], { records, names: ['else.test'] }, Date.now())
      }
      assert.equal(against(own), undefined)
      assert.match(against(other) ?? '', /no TLSA record matches/)
    }
  }
})

test('the certificate of the server is no authority; a chain that is none is seen', () => {
  const at = 3_600_000
  const names = ['mx.test']
  assert.match(daneMismatch([own], { records: [record(own, 2, 0, 1)], names }, at) ?? '', /no TLSA record/)
  assert.match(daneMismatch([own, other], { records: [record(other, 2, 0, 1)], names }, at) ?? '', /no chain/)
  assert.match(daneMismatch([own, other], { records: [record(other, 2, 0, 1)], names }, Date.now()) ?? '', /expired/)
  assert.match(daneMismatch([], { records: [record(own, 3, 0, 1)], names }, at) ?? '', /no certificate/)
})

test('unusable records; the strongest digest counts', () => {
  const good = record(own, 3, 1, 1)
  const unusable = [
    { ...good, usage: 0 },
    { ...good, usage: 1 },
    { ...good, selector: 2 },
    { ...good, matchingType: 3 },
    { ...good, data: good.data.subarray(1) },
    { ...good, matchingType: 0 },
  ]
  assert.deepEqual(usableRecords(unusable), [])
  const strong = record(other, 3, 1, 2)
  assert.deepEqual(usableRecords([good, strong]), [strong])
})

test('any octets are judged, none throw', () => {
  const octet = fc.integer({ min: 0, max: 255 })
  const any = fc.record({ usage: octet, selector: octet, matchingType: octet, data: fc.uint8Array({ maxLength: 80 }) })
  fc.assert(fc.property(fc.array(any), (records) => void usableRecords(records)))
})
