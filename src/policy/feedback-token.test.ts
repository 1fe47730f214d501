import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { TOKEN_FIELD } from '#mail/feedback.ts'
import { TOKEN_DAYS, TOKEN_RECIPIENTS_MAX, Tokens } from './feedback-token.ts'

const DAY_MS = 86_400_000
const NOW_MS = 1_800_000_000_000
const SECRET = Buffer.alloc(32, 7)
const ours = new Tokens(SECRET)
const sent = { tenant: 'bakery', login: 'anna@bakery.example', recipients: ['bob@far.example'] }
const fieldOf = (of: Parameters<Tokens['field']>[0], wallMs = NOW_MS) => ours.field(of, randomBytes(12), wallMs)
const bodyOf = (field: string) => field.slice(field.indexOf(':') + 1)

test('a token says whose message it was and whom it went to', () => {
  const token = ours.read(bodyOf(fieldOf(sent)), NOW_MS)
  assert.ok(token)
  assert.equal(token.tenant, 'bakery')
  assert.equal(token.login, 'anna@bakery.example')
  assert.equal(token.only, 'bob@far.example')
  assert.deepEqual(['bob@far.example', 'eve@far.example'].map(token.wentTo), [true, false])
  const server = ours.read(bodyOf(fieldOf({ tenant: 'bakery', recipients: ['a@b.example'] })), NOW_MS)
  assert.equal(server?.login, undefined)
})

test('of several recipients it knows each, up to its limit, and names none', () => {
  const recipients = Array.from({ length: TOKEN_RECIPIENTS_MAX + 1 }, (_, i) => `guest-${i}@far.example`)
  const token = ours.read(bodyOf(fieldOf({ ...sent, recipients })), NOW_MS)
  assert.ok(token)
  assert.equal(token.only, undefined)
  assert.deepEqual(recipients.map(token.wentTo), [...Array(TOKEN_RECIPIENTS_MAX).fill(true), false])
  assert.equal(token.wentTo('eve@far.example'), false)
})

test('it is a header field of short lines, gives nothing away, and does not tell of a hidden recipient', () => {
  const field = fieldOf(sent)
  assert.match(field, new RegExp(`^${TOKEN_FIELD}: [\\w-]{1,72}(\r\n [\\w-]{1,72})*\r\n$`))
  const plain = Buffer.from(bodyOf(field).replace(/\s/g, ''), 'base64url').toString('latin1')
  for (const secret of ['bakery', 'anna', 'bob']) assert.equal(plain.includes(secret), false)
  const two = fieldOf({ ...sent, recipients: ['bob@far.example', 'hidden@far.example'] })
  assert.equal(two.length, field.length)
  assert.notEqual(fieldOf(sent), field)
})

test('the longest names and addresses fit', () => {
  const long = `${'a'.repeat(64)}@${'b'.repeat(189)}`
  const of = { tenant: 't'.repeat(63), login: long, recipients: [long] }
  assert.equal(ours.read(bodyOf(fieldOf(of)), NOW_MS)?.only, long)
  assert.ok(ours.read(bodyOf(fieldOf({ ...of, recipients: Array(200).fill(long) })), NOW_MS)?.wentTo(long))
})

test('what somebody changed, made himself or kept for too long is none', () => {
  const value = bodyOf(fieldOf(sent))
  const octets = Buffer.from(value.replace(/\s/g, ''), 'base64url')
  for (let at = 0; at < octets.length; at++) {
    const changed = Buffer.from(octets)
    changed[at]! ^= 1
    assert.equal(ours.read(changed.toString('base64url'), NOW_MS), undefined, `octet ${at}`)
  }
  assert.equal(new Tokens(Buffer.alloc(32, 8)).read(value, NOW_MS), undefined)
  for (const odd of ['', 'AQ', value.slice(5), `${value}AAAA`, 'A'.repeat(5000)])
    assert.equal(ours.read(odd, NOW_MS), undefined)
  assert.ok(ours.read(value, NOW_MS + TOKEN_DAYS * DAY_MS))
  assert.equal(ours.read(value, NOW_MS + (TOKEN_DAYS + 1) * DAY_MS), undefined)
  assert.ok(ours.read(value, NOW_MS - DAY_MS))
  assert.equal(ours.read(value, NOW_MS - 2 * DAY_MS), undefined)
})

test('folds and blanks that servers put in between do not matter', () => {
  const value = bodyOf(fieldOf(sent)).replace(/(.{30})/g, '$1\r\n\t')
  assert.ok(ours.read(value, NOW_MS))
})
