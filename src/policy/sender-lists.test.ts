/** Who is let through and who is refused; and that nobody is let through for what he merely says. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Authentication } from '#mail/authentication.ts'
import { session, transaction } from '#mail/testing.ts'
import { listed } from './sender-lists.ts'

const NOBODY: Authentication = {
  spf: { result: 'none', identity: 'mailfrom', domain: 'shop.example' },
  dkim: [],
  dmarc: { result: 'none', domain: 'news.shop.example', alignedBy: [] },
  arc: { result: 'none', instances: 0, sealers: [] },
  durationMs: 0,
}
const SPF: Authentication = { ...NOBODY, spf: { ...NOBODY.spf, result: 'pass' } }
const DMARC: Authentication = { ...NOBODY, dmarc: { ...NOBODY.dmarc, result: 'pass', alignedBy: ['dkim'] } }
const DKIM_OF_OTHER: Authentication = { ...NOBODY, dkim: [{ result: 'pass', domain: 'evil.example' }] }

const ONE = transaction(['a@b.test'], 'Ben@shop.example', session({ client: { address: '192.0.2.9', port: 1 } }))
const NULL = transaction(['a@b.test'], '')
const asked = (allow: readonly string[], block: readonly string[], by?: Authentication, of = ONE) => {
  const found = listed({ allow, block }, of, by)
  return found && `${found.kind} ${found.entry}`
}

test('to be let through it takes a proof: an address, a domain, what is below one, a network', () => {
  for (const entry of ['ben@shop.example', 'shop.example']) {
    assert.equal(asked([entry], [], SPF), `allowed ${entry}`)
    for (const none of [NOBODY, DKIM_OF_OTHER, undefined]) assert.equal(asked([entry], [], none), `unproven ${entry}`)
  }
  assert.equal(asked(['*.shop.example'], [], DMARC), 'allowed *.shop.example', 'the author’s domain')
  assert.equal(asked(['*.shop.example'], [], SPF), 'unproven *.shop.example', 'another domain has vouched')
  assert.equal(asked(['192.0.2.0/24'], []), 'allowed 192.0.2.0/24')
  assert.equal(asked(['192.0.2.9'], []), 'allowed 192.0.2.9')
  assert.equal(asked(['198.51.100.0/24', '2001:db8::/32', 'eve@shop.example', 'hop.example'], [], SPF), undefined)
})

test('to be refused a claim is enough; a proven permission comes first, a claimed one does not', () => {
  assert.equal(asked([], ['shop.example']), 'blocked shop.example')
  assert.equal(asked(['ben@shop.example'], ['shop.example'], SPF), 'allowed ben@shop.example')
  assert.equal(asked(['ben@shop.example'], ['shop.example'], NOBODY), 'blocked shop.example')
  assert.equal(asked([], ['shop.example'], undefined, NULL), undefined)
})
