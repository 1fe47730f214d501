import assert from 'node:assert/strict'
import { test } from 'node:test'
import { content } from '#mail/content.ts'
import { authentication } from '#mail/testing.ts'
import { authenticationResults } from './authentication-results.ts'
import { readHeaderSection } from './header-section.ts'
import { forgedResults } from './trace-fields.ts'

const HOST = 'relay.example'

test('the field has one line for each fact', () => {
  const found = authentication({
    spf: { result: 'pass', identity: 'mailfrom', domain: 'shop.example', reason: 'not written of a pass' },
    dkim: [
      { result: 'pass', domain: 'shop.example', selector: 's1', algorithm: 'rsa-sha256', begins: 'Jk3X/Uzq' },
      { result: 'policy', domain: undefined, reason: 'it has "expired"\r\nEvil: 1' },
    ],
    dmarc: { result: 'pass', domain: 'shop.example', policy: 'reject', alignedBy: ['spf'] },
    arc: { result: 'pass', instances: 2, sealers: ['list.example', 'shop.example'] },
  })
  assert.equal(
    authenticationResults(HOST, found),
    [
      'Authentication-Results: relay.example;',
      '\tspf=pass',
      '\t smtp.mailfrom=shop.example;',
      '\tdkim=pass',
      '\t header.d=shop.example',
      '\t header.s=s1',
      '\t header.a=rsa-sha256',
      '\t header.b="Jk3X/Uzq";',
      '\tdkim=policy reason="it has \'expired\'??Evil: 1";',
      '\tdmarc=pass',
      '\t header.from=shop.example',
      '\t policy.dmarc=reject;',
      '\tarc=pass',
      '\t header.d=list.example',
      '',
    ].join('\r\n'),
  )
})

test('nobody looked, nobody signed, nobody knows', () => {
  assert.equal(authenticationResults(HOST, undefined), 'Authentication-Results: relay.example; none\r\n')
  const none = authenticationResults(
    HOST,
    authentication({ spf: { result: 'none', identity: 'helo', domain: undefined } }),
  )
  assert.equal(none, 'Authentication-Results: relay.example;\r\n\tspf=none;\r\n\tdkim=none;\r\n\tdmarc=none\r\n')
  const unknown = authentication({ arc: { result: 'temperror', instances: 1, sealers: [] } })
  assert.doesNotMatch(authenticationResults(HOST, unknown), /\tarc=/)
})

test('whatever strangers put into it stays one field, which we would take for ours', () => {
  for (const evil of ['a\r\nX: 1', 'a;dkim=pass', '"', '\\', '(', 'ä', 'x'.repeat(5000), '\0']) {
    const spf = { result: 'fail', identity: 'helo', domain: evil, reason: evil } as const
    const text = authenticationResults(
      HOST,
      authentication({ spf, dkim: [{ result: 'fail', domain: evil, reason: evil }] }),
    )
    const section = readHeaderSection(content([Buffer.from(`${text}\r\n`)]))
    assert.equal(section.fields.length, 1, JSON.stringify(evil))
    assert.equal(section.end, Buffer.byteLength(text))
    assert.equal(forgedResults(section, HOST).length, 1)
    assert.ok(text.split('\r\n').every((line) => line.length < 500))
  }
})
