import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { selfSignedCertificate } from './self-signed.ts'

const FROM_MS = Date.UTC(2026, 10, 24, 12, 30, 5)

test('the certificate names its hosts, is valid as asked, and carries its own signature', () => {
  const names = ['mx1.example.net', 'mx2.example.net']
  const { keyPem, certificatePem } = selfSignedCertificate({ names, fromMs: FROM_MS, days: 10 })
  const certificate = new X509Certificate(certificatePem)
  assert.equal(certificate.subject, 'CN=mx1.example.net')
  assert.equal(certificate.issuer, certificate.subject)
  assert.equal(certificate.subjectAltName, 'DNS:mx1.example.net, DNS:mx2.example.net')
  assert.equal(certificate.validFromDate.getTime(), FROM_MS)
  assert.equal(certificate.validToDate.getTime(), FROM_MS + 10 * 86_400_000)
  assert.equal(certificate.ca, false)
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1'])
  assert.ok(certificate.verify(certificate.publicKey), 'signature')
  assert.ok(certificate.checkPrivateKey(createPrivateKey(keyPem)), 'key')
  assert.match(certificate.serialNumber, /^[4-7][0-9A-F]{31}$/)
})

test('long lists of names and dates behind 2050 keep their DER forms', () => {
  const names = Array.from({ length: 200 }, (_, i) => `mx${i}.a-rather-long-name.example.net`)
  const { certificatePem } = selfSignedCertificate({ names, fromMs: Date.UTC(2051, 0, 1), days: 1 })
  const certificate = new X509Certificate(certificatePem)
  assert.equal(certificate.validFromDate.getUTCFullYear(), 2051)
  assert.equal(certificate.checkHost('mx199.a-rather-long-name.example.net'), 'mx199.a-rather-long-name.example.net')
})

test('a name that is no DNS name is refused', () => {
  for (const names of [[], ['bücher.example'], ['a\0b'], ['']]) {
    assert.throws(() => selfSignedCertificate({ names, fromMs: FROM_MS, days: 1 }), TypeError)
  }
})
