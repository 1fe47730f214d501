import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Authentication, DmarcPolicy } from '#mail/authentication.ts'
import { authentication } from '#mail/testing.ts'
import { SYMBOLS } from '../symbols.ts'
import { AUTHENTICATION_SYMBOLS, authenticatedBy, signsOf } from './authentication.ts'

const symbols = (found: Authentication) => signsOf(found).map(({ symbol }) => symbol)
const failed = (policy: DmarcPolicy) => ({ result: 'fail', domain: 'shop.example', policy, alignedBy: [] }) as const
const spf = (result: Authentication['spf']['result']) =>
  ({ result, identity: 'mailfrom', domain: 'shop.example' }) as const

test('what the domain in From disavows counts as it asks', () => {
  assert.deepEqual(symbols(authentication({ dmarc: failed('reject') })), ['AUTH_DMARC_REJECT'])
  assert.deepEqual(symbols(authentication({ dmarc: failed('quarantine') })), ['AUTH_DMARC_QUARANTINE'])
  assert.deepEqual(symbols(authentication({ dmarc: failed('none'), spf: spf('softfail') })), [
    'AUTH_DMARC_FAIL',
    'AUTH_SPF_SOFTFAIL',
  ])
  const ambiguous = {
    result: 'permerror',
    domain: undefined,
    alignedBy: [],
    reason: 'there are several From fields',
  } as const
  assert.deepEqual(symbols(authentication({ dmarc: ambiguous, spf: spf('pass') })), ['AUTH_FROM_AMBIGUOUS'])
})

test('a pass speaks for it a little, and nothing at all a little against it', () => {
  const dmarc = { result: 'pass', domain: 'shop.example', policy: 'reject', alignedBy: ['dkim'] } as const
  const found = authentication({
    dmarc,
    dkim: [
      { result: 'fail', domain: 'x.example' },
      { result: 'pass', domain: 'shop.example' },
    ],
  })
  assert.deepEqual(symbols(found), ['AUTH_DMARC_PASS', 'AUTH_DKIM_ALIGNED'])
  assert.ok(signsOf(found).every(({ weight }) => weight < 0 && weight > -1))
  assert.deepEqual(authenticatedBy(found), { dkim: ['shop.example'], dmarc: 'pass', dmarcPolicy: 'reject' })
  assert.deepEqual(symbols(authentication()), ['AUTH_NOTHING'])
  const broken = authentication({ dkim: [{ result: 'fail', domain: 'shop.example' }], spf: spf('pass') })
  assert.deepEqual(symbols(broken), ['AUTH_DKIM_BROKEN'])
  assert.deepEqual(authenticatedBy(broken), { spf: 'shop.example', dkim: [], dmarc: 'none' })
})

test('what nobody could say weighs nothing, and is never "no"', () => {
  const silent = authentication({
    spf: spf('temperror'),
    dkim: [{ result: 'temperror', domain: 'shop.example' }],
    dmarc: { result: 'temperror', domain: 'shop.example', alignedBy: [] },
  })
  assert.deepEqual(signsOf(silent), [{ symbol: 'AUTH_UNKNOWN', weight: 0 }])
  assert.deepEqual(authenticatedBy(silent), { dkim: [], dmarc: 'unknown' })
})

test('every symbol is in the table of the filter', () => {
  for (const symbol of Object.keys(AUTHENTICATION_SYMBOLS)) assert.ok(symbol in SYMBOLS, symbol)
})
