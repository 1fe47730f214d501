import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mailboxText, parseMailbox } from '#mail/address.ts'
import { mailbox, WALL_MS } from '#mail/testing.ts'
import { checkTag, isTaggable, readTag, TAG_DAYS, withTag } from './prvs.ts'

const DAY_MS = 86_400_000
const KEY = Buffer.from('a key of at least sixteen octets')
const KEYS = new Map([[3, KEY]])
const signed = (text: string, wallMs = WALL_MS) => withTag(mailbox(text), 3, KEY, wallMs)!
const fault = (text: string, wallMs = WALL_MS, keys: ReadonlyMap<number, Uint8Array> = KEYS) => {
  const check = checkTag(mailbox(text), keys, wallMs)
  return check.ok ? mailboxText(check.mailbox) : check.fault
}

test('a tag is what openssl makes of key number, end and mailbox', () => {
  // 2027-01-15 is day 20833; the tag ends on day 20840. printf 3840anna@bakery.example | openssl dgst -sha1 -hmac KEY
  assert.equal(mailboxText(signed('anna@bakery.example')), 'prvs=384082ef9a=anna@bakery.example')
})

test('it holds for seven days, and over the turn of the thousand', () => {
  for (const startMs of [WALL_MS, 20_996 * DAY_MS]) {
    const text = mailboxText(signed('anna@bakery.example', startMs))
    for (let day = 0; day <= TAG_DAYS; day++) assert.equal(fault(text, startMs + day * DAY_MS), 'anna@bakery.example')
    assert.equal(fault(text, startMs + (TAG_DAYS + 1) * DAY_MS), 'expired')
    assert.equal(fault(text, startMs + 300 * DAY_MS), 'expired')
    // The clock was set back over midnight.
    assert.equal(fault(text, startMs - DAY_MS), 'anna@bakery.example')
    assert.equal(fault(text, startMs - 2 * DAY_MS), 'expired')
  }
})

test('case may change on the way; anything else may not', () => {
  const text = mailboxText(signed('Anna@bakery.example'))
  assert.equal(fault(text.toUpperCase()), 'ANNA@bakery.example')
  assert.equal(fault(text.toLowerCase()), 'anna@bakery.example')
  assert.equal(fault(text.replace('=Anna', '=joe')), 'forged')
  assert.equal(fault(text.replace('bakery', 'smith')), 'forged')
  assert.equal(fault(text.replace('prvs=3', 'prvs=4')), 'no-such-key')
  assert.equal(fault(text, WALL_MS, new Map([[3, Buffer.from('another key of some length')]])), 'forged')
  assert.equal(fault('anna@bakery.example'), 'untagged')
  assert.equal(fault('prvs=3840abcdeg=anna@bakery.example'), 'untagged')
  assert.equal(fault('prvs=3840abcdef=@bakery.example'), 'untagged')
})

test('a new key signs while the old one still holds', () => {
  const old = mailboxText(signed('anna@bakery.example'))
  const keys = new Map([...KEYS, [4, Buffer.from('the key of the next year')]])
  assert.equal(fault(old, WALL_MS, keys), 'anna@bakery.example')
  const fresh = withTag(mailbox('anna@bakery.example'), 4, keys.get(4)!, WALL_MS)!
  assert.equal(fault(mailboxText(fresh), WALL_MS, keys), 'anna@bakery.example')
  assert.equal(fault(mailboxText(fresh)), 'no-such-key')
})

test('a mailbox that has a tag, or no room for one, is left alone', () => {
  assert.equal(withTag(signed('anna@bakery.example'), 3, KEY, WALL_MS), undefined)
  assert.ok(isTaggable(mailbox(`${'a'.repeat(46)}@bakery.example`)))
  assert.equal(withTag(mailbox(`${'a'.repeat(47)}@bakery.example`), 3, KEY, WALL_MS), undefined)
})

test('any mailbox comes back from its tag; any change of a digit is noticed', () => {
  const local = fc.string({ unit: fc.constantFrom(...'abcXYZ0129.+-_="\\ @é'), minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(local, fc.integer({ min: 0, max: 4_000 }), fc.nat({ max: 15 }), (text, day, at) => {
      const plain = {
        localPart: text,
        domain: { kind: 'name', ascii: 'bakery.example' },
        internationalized: false,
      } as const
      const tagged = withTag(plain, 3, KEY, day * DAY_MS)
      fc.pre(tagged !== undefined)
      const wire = parseMailbox(mailboxText({ ...tagged, internationalized: /[^\x00-\x7f]/.test(text) }))
      assert.ok(wire.ok, mailboxText(tagged))
      const check = checkTag(wire.value, KEYS, day * DAY_MS)
      assert.ok(check.ok)
      assert.equal(check.mailbox.localPart, text)
      const old = tagged.localPart[5 + (at % 10)]!
      const changed = old === '0' ? '1' : '0'
      const forged = `${tagged.localPart.slice(0, 5 + (at % 10))}${changed}${tagged.localPart.slice(6 + (at % 10))}`
      assert.equal(checkTag({ ...tagged, localPart: forged }, KEYS, day * DAY_MS).ok, false)
    }),
  )
})

test('reading a tag takes any local part', () => {
  fc.assert(
    fc.property(fc.string(), (localPart) => {
      const tag = readTag({ ...mailbox('a@bakery.example'), localPart })
      assert.equal(tag !== undefined, /^prvs=\d{4}[0-9a-f]{6}=./is.test(localPart))
    }),
  )
})
