import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NULL_PATH } from '#mail/address.ts'
import { type MailDraft, type RcptDraft, readMailParameters, readRcptParameters } from './parameters.ts'
import { decodeUtf8Address, decodeXtext } from './xtext.ts'

const newDraft = (): MailDraft => ({ reversePath: NULL_PATH, recipients: [], body: '7bit', smtputf8: false })

test('MAIL: what is read', () => {
  const draft = newDraft()
  const text = ' size=12  BODY=BinaryMime SMTPUTF8 ret=Full ENVID=QQ+2B314159'
  assert.equal(readMailParameters(text, draft), undefined)
  assert.deepEqual(draft, {
    ...newDraft(),
    declaredOctets: 12,
    body: 'binarymime',
    smtputf8: true,
    ret: 'full',
    envid: 'QQ+2B314159',
  })
})

test('MAIL: what was announced in this session only', () => {
  const read = (text: string, announced: Parameters<typeof readMailParameters>[2]) => {
    const draft = newDraft()
    return readMailParameters(text, draft, announced)?.kind ?? draft.requireTls
  }
  for (const announced of [{ requireTls: true }, { requireTls: true, auth: true }]) {
    assert.equal(read(' requiretls', announced), true)
    assert.equal(read(' REQUIRETLS=', announced), true)
    assert.equal(read(' REQUIRETLS=NO', announced), 'syntax')
    assert.equal(read(' REQUIRETLS REQUIRETLS', announced), 'syntax')
  }
  assert.equal(read(' AUTH=<> REQUIRETLS', { requireTls: true }), 'unknown')
  for (const announced of [{}, { auth: true }]) assert.equal(read(' REQUIRETLS', announced), 'unknown')
})

test('MAIL: what is refused', () => {
  const refused: readonly [text: string, kind: string][] = [
    ['SIZE=1', 'syntax'],
    [' SIZE', 'syntax'],
    [' SIZE=', 'syntax'],
    [' SIZE=1=2', 'syntax'],
    [' SIZE=1 SIZE=1', 'syntax'],
    [' BODY', 'syntax'],
    [' BODY=constructor', 'syntax'],
    [' SMTPUTF8=yes', 'syntax'],
    [' RET=BODY', 'syntax'],
    [' ENVID=', 'syntax'],
    [` ENVID=${'a'.repeat(101)}`, 'syntax'],
    [' ENVID=a+0A', 'syntax'],
    [' NOTIFY=NEVER', 'unknown'],
    [' AUTH=<>', 'unknown'],
    [' =', 'unknown'],
  ]
  for (const [text, kind] of refused) assert.equal(readMailParameters(text, newDraft())?.kind, kind, text)
})

function readRcpt(text: string, unicode = false): RcptDraft | string {
  const draft: RcptDraft = { forwardPath: { kind: 'postmaster' } }
  return readRcptParameters(text, draft, unicode)?.kind ?? draft
}

test('RCPT', () => {
  const forwardPath = { kind: 'postmaster' }
  assert.deepEqual(readRcpt(' NOTIFY=never'), { forwardPath, notify: 'never' })
  assert.deepEqual(readRcpt(' NOTIFY=SUCCESS,FAILURE,SUCCESS'), { forwardPath, notify: ['success', 'failure'] })
  assert.deepEqual(readRcpt(' ORCPT=rfc822;a+2Bb@c'), { forwardPath, orcpt: 'rfc822;a+2Bb@c' })
  assert.deepEqual(readRcpt(' ORCPT=utf-8;gr\\x{FC}n@c'), { forwardPath, orcpt: 'utf-8;gr\\x{FC}n@c' })
  assert.deepEqual(readRcpt(' ORCPT=utf-8;grün@c', true), { forwardPath, orcpt: 'utf-8;grün@c' })
  const refused = [' NOTIFY=', ' NOTIFY=NEVER,DELAY', ' NOTIFY=DELAY,', ' ORCPT=a@b', ' ORCPT=;a', ' ORCPT=rfc822;']
  refused.push(' ORCPT=rfc822;a b', ' ORCPT=utf-8;grün@c', ' ORCPT=utf-8;\\x{0D}', ` ORCPT=x;${'a'.repeat(499)}`)
  for (const text of refused) assert.ok(readRcpt(text) === 'syntax' || readRcpt(text) === 'unknown', text)
})

test('xtext (RFC 3461 §4): no control character comes out', () => {
  assert.equal(decodeXtext('a+2B+3D+20b'), 'a+= b')
  for (const text of ['+', '+2', '+2b', '+ZZ', 'a=b', 'a b', '+00', '+0D', '+0A', '+1B', '+7F', '+9B', '\x7f', 'ü']) {
    assert.equal(decodeXtext(text), undefined, text)
  }
})

test('utf-8 addresses (RFC 6533 §3)', () => {
  assert.equal(decodeUtf8Address('a\\x{2B}\\x{5C}\\x{1F600}', false), 'a+\\😀')
  const refused = ['\\x{0A}', '\\x{85}', '\\x{D800}', '\\x{110000}', '\\x{41', '\\n', 'a+2B', 'a=b']
  for (const text of refused) assert.equal(decodeUtf8Address(text, true), undefined, text)
})
