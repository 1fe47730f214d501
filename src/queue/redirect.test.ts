import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { mailboxText, parseMailbox } from '#mail/address.ts'
import type { StoredMessage } from '#mail/stored.ts'
import { forwardPath } from '#mail/testing.ts'
import { decodeUtf8Address, decodeXtext } from '#smtp/server/xtext.ts'
import { envelopeToSend } from './redirect.ts'
import { MemoryKeep, newMessage } from './testing.ts'

function redirected(original: ReturnType<typeof forwardPath>, orcpt?: string): StoredMessage {
  const keep = new MemoryKeep()
  const { id } = keep.put(newMessage(['info@bakery.test', 'joe@bakery.test'], 'bakery/main', 0), 0)
  const message = keep.load(id)!
  const [first, second] = message.envelope.recipients
  const recipients = [{ ...first!, notify: ['failure'] as const, ...(orcpt && { orcpt }) }, second!]
  return {
    ...message,
    envelope: { ...message.envelope, recipients },
    redirected: [{ recipient: 0, original, atMs: 1 }],
  }
}

const orcpts = (message: StoredMessage) => envelopeToSend(message).recipients.map(({ orcpt }) => orcpt)

describe('the envelope of a redirected message', () => {
  it('has the first address of the recipient as its ORCPT, and is the same otherwise', () => {
    const message = redirected(forwardPath('ana@bakery.test'))
    assert.deepEqual(orcpts(message), ['rfc822;ana@bakery.test', undefined])
    const { recipients, ...rest } = envelopeToSend(message)
    const { recipients: before, ...same } = message.envelope
    assert.deepEqual(
      [rest, recipients[0]?.notify, recipients[0]?.forwardPath],
      [same, ['failure'], before[0]?.forwardPath],
    )
    const { redirected: _, ...plain } = message
    assert.equal(envelopeToSend(plain), plain.envelope)
  })

  it('keeps the ORCPT that the sender gave', () => {
    assert.deepEqual(orcpts(redirected(forwardPath('ana@bakery.test'), 'rfc822;b@x.test')), [
      'rfc822;b@x.test',
      undefined,
    ])
  })

  it('escapes what a parameter must not have', () => {
    const orcpt = (text: string) => orcpts(redirected(forwardPath(text)))[0]
    assert.equal(orcpt('ana+shop=1@bakery.test'), 'rfc822;ana+2Bshop+3D1@bakery.test')
    assert.equal(orcpt('"a b"@bakery.test'), 'rfc822;"a+20b"@bakery.test')
    assert.equal(orcpt('jürgen@bakery.test'), 'utf-8;j\\x{FC}rgen@bakery.test')
    assert.equal(orcpt('\u{1f9c1}+1@bakery.test'), 'utf-8;\\x{1F9C1}\\x{2B}1@bakery.test')
  })

  it('names nobody where that would say nothing', () => {
    assert.deepEqual(orcpts(redirected({ kind: 'postmaster' })), [undefined, undefined])
  })

  it('has room for the longest addresses', () => {
    const domain = `${'d'.repeat(60)}.${'d'.repeat(60)}.${'d'.repeat(60)}.test`
    for (const local of [`"${' '.repeat(62)}"`, 'ü'.repeat(32), '\u{1f9c1}'.repeat(16)]) {
      const length = orcpts(redirected(forwardPath(`${local}@${domain}`)))[0]?.length ?? 0
      assert.ok(length > 200 && length <= 500, `${length}`)
    }
  })

  it('can be read again by whoever gets it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), fc.boolean(), (local, quoted) => {
        const text = `${quoted ? JSON.stringify(local) : local}@bakery.test`
        const parsed = parseMailbox(text)
        fc.pre(parsed.ok && parsed.end === text.length)
        const mailbox = parsed.ok ? parsed.value : undefined
        const [orcpt = ''] = orcpts(redirected({ kind: 'mailbox', mailbox: mailbox! }))
        assert.match(orcpt, /^[!-~]+$/)
        const [type, address = ''] = [orcpt.slice(0, orcpt.indexOf(';')), orcpt.slice(orcpt.indexOf(';') + 1)]
        const read = type === 'utf-8' ? decodeUtf8Address(address, false) : decodeXtext(address)
        assert.equal(read, mailboxText(mailbox!))
      }),
    )
  })
})
