import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Answer, Dns } from '#sys/dns/answer.ts'
import { providerBy, providerOf } from './provider.ts'

describe('the provider behind an exchanger', () => {
  const examples: readonly [string, string][] = [
    ['gmail-smtp-in.l.google.com', 'google.com'],
    ['alt1.aspmx.l.google.com', 'google.com'],
    ['bakery-test.mail.protection.outlook.com', 'outlook.com'],
    ['mx00.gmx.de', 'gmx.de'],
    ['mx.example.co.uk', 'example.co.uk'],
    ['mx.example.or.jp', 'example.or.jp'],
    ['co.uk', 'co.uk'],
    ['localhost', 'localhost'],
    ['192.0.2.1', '192.0.2.1'],
  ]
  for (const [exchanger, provider] of examples)
    it(`${exchanger}: ${provider}`, () => assert.equal(providerOf(exchanger), provider))

  it('is the end of its name, whatever a stranger publishes', () => {
    fc.assert(fc.property(fc.string(), (name) => name.endsWith(providerOf(name))))
  })
})

describe('the provider of a destination', () => {
  const answers = new Map<string, Answer<'MX'>>()
  const lookup = async (name: string) => answers.get(name) ?? { kind: 'unknown', text: 'SERVFAIL' }
  const by = providerBy({ lookup } as unknown as Dns)
  const of = (destination: string) => by({ destination, byMx: { port: 25 } })
  const mx = (...records: readonly [number, string][]): Answer<'MX'> => ({
    kind: 'found',
    records: records.map(([preference, exchange]) => ({ preference, exchange })),
    name: 'shop.example',
    secure: false,
    ttlMs: 1,
  })

  it('is that of its best exchanger, of equals always the same', async () => {
    answers.set('shop.example', mx([20, 'backup.other.test'], [10, 'mx2.b.test'], [10, 'mx1.a.test']))
    assert.equal(await of('shop.example'), 'a.test')
  })

  it('is the domain itself without MX, and nobody where it takes no mail or nobody can say', async () => {
    answers.set('www.own.test', { kind: 'none', why: 'no-record', name: 'www.own.test', secure: false, ttlMs: 1 })
    answers.set('null.test', mx([0, '']))
    assert.equal(await of('www.own.test'), 'own.test')
    assert.equal(await of('null.test'), undefined)
    assert.equal(await of('silent.test'), undefined)
    assert.equal(await of('[192.0.2.1]'), undefined)
    assert.equal(await by({ destination: 'shop.example' }), undefined)
  })
})
