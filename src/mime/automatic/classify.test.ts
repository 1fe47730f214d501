import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { type AutomaticMail, printable } from './automatic-mail.ts'
import { classify } from './classify.ts'
import { mayBeAutomatic } from './pre-check.ts'
import { received } from './testing.ts'

const FIXTURES = new URL('../../../fixtures/automatic/', import.meta.url)
const NOBODY = 'nobody@unknown.invalid'

interface Expected {
  readonly reversePath?: string
  readonly kind: string
  readonly format?: string
  readonly recipients?: readonly string[]
  readonly messageId?: string
  readonly author?: string
}

const EXPECTED = JSON.parse(readFileSync(new URL('expected.json', FIXTURES), 'utf8')) as Record<string, Expected>

/** Without the mbox line, which no content has. */
const fixture = (name: string): string =>
  readFileSync(new URL(name, FIXTURES))
    .toString('latin1')
    .replace(/^>?From [^\n]*\n/, '')

const read = (name: string, from: string): AutomaticMail =>
  classify(received(Buffer.from(fixture(name), 'latin1'), from))

describe('real messages', () => {
  it('each has an expectation', () => {
    const names = readdirSync(FIXTURES).filter((name) => name.endsWith('.eml'))
    assert.deepEqual(names.sort(), Object.keys(EXPECTED).sort())
  })

  for (const [name, expected] of Object.entries(EXPECTED)) {
    it(name, () => {
      const mail = read(name, expected.reversePath === '<>' ? '' : NOBODY)
      assert.equal(mail.kind, expected.kind, JSON.stringify(mail.reasons))
      assert.ok(mail.reasons.length > 0)
      if ('author' in mail || expected.author) assert.equal('author' in mail && mail.author, expected.author)
      if (mail.kind !== 'dsn') return
      assert.equal(mail.dsn.format, expected.format)
      const recipients = mail.dsn.recipients.map((one) => {
        return `${one.recipient} ${one.action} ${one.status} ${one.statusSource}`
      })
      assert.deepEqual(recipients, expected.recipients)
      assert.equal(mail.dsn.originalMessageId, expected.messageId)
    })
  }
})

const REPORT = `From: MAILER-DAEMON@mx.example
To: anna@sender.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I could not deliver your message.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Original-Envelope-Id: QQ+2B314159

Original-Recipient: rfc822;ben@bakery.example
Final-Recipient: rfc822;ben@oven.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; oven.example
Diagnostic-Code: smtp; 550 5.1.1 <ben@oven.example>
  no such baker

--b
Content-Type: text/rfc822-headers

Message-ID: <1@sender.example>
To: ben@bakery.example

--b--
`

describe('a report of RFC 3464', () => {
  it('is read whole, with the place of what was returned', () => {
    const mail = classify(received(REPORT))
    assert.ok(mail.kind === 'dsn')
    const { returned, ...dsn } = mail.dsn
    assert.deepEqual(dsn, {
      format: 'rfc3464',
      reportingMta: 'mx.example',
      originalEnvelopeId: 'QQ+314159',
      originalMessageId: '<1@sender.example>',
      recipients: [
        {
          recipient: 'ben@oven.example',
          originalRecipient: 'ben@bakery.example',
          action: 'failed',
          status: '5.1.1',
          statusSource: 'report',
          diagnostic: '550 5.1.1 <ben@oven.example> no such baker',
          replyCode: 550,
          remoteMta: 'oven.example',
        },
      ],
    })
    assert.equal(returned?.form, 'header')
    assert.match(REPORT.replaceAll('\n', '\r\n').slice(returned?.offset), /^Message-ID: <1@/)
  })

  it('is one from any reverse path, and in UTF-8 (RFC 6533)', () => {
    assert.equal(classify(received(REPORT, NOBODY)).kind, 'dsn')
    const global = REPORT.replace('message/delivery-status', 'message/global-delivery-status')
      .replace('rfc822;ben@oven.example', 'utf-8; b\\x{E4}cker@oven.example')
      .replace('Original-Recipient: rfc822;ben@bakery.example\n', '')
    const mail = classify(received(global))
    assert.ok(mail.kind === 'dsn')
    assert.equal(mail.dsn.recipients[0]?.recipient, 'bäcker@oven.example')
  })

  it('without recipients is a bounce with a note', () => {
    const mail = classify(
      received(REPORT.replace(/Original-Recipient[\s\S]*no such baker\n/, '').replaceAll('ben@', 'ben')),
    )
    assert.ok(mail.kind === 'dsn')
    assert.deepEqual(mail.dsn.recipients, [])
    assert.match(mail.dsn.note ?? '', /no recipient/)
  })

  it('forwarded by a person is that person’s mail', () => {
    const forwarded = `From: Anna <anna@sender.example>\nSubject: Fwd: Undelivered Mail\nUser-Agent: x\nContent-Type: multipart/mixed; boundary=o\n\n--o\n\nSee below.\n--o\nContent-Type: message/rfc822\n\n${REPORT}\n--o--\n`
    assert.equal(classify(received(forwarded, 'anna@sender.example')).kind, 'ordinary')
  })
})

describe('evidence', () => {
  const note = (fields: string, text: string): string =>
    `From: Bea <bea@bakery.example>\nTo: anna@sender.example\n${fields}\n${text}\n`

  it('the null reverse path alone proves nothing', () => {
    const mail = classify(received(note('Subject: Your ticket 17\n', 'It was opened.')))
    assert.equal(mail.kind, 'ordinary')
    assert.match(mail.reasons[0]?.detail ?? '', /no proof/)
  })

  it('auto-generated is no reply, auto-replied is one', () => {
    const generated = note('Subject: Backup report\nAuto-Submitted: auto-generated\n', 'All good.')
    assert.equal(classify(received(generated, 'bea@bakery.example')).kind, 'ordinary')
    const replied = note('Subject: Thanks\nAuto-Submitted: auto-replied\n', 'We have got it.')
    assert.equal(classify(received(replied, 'bea@bakery.example')).kind, 'auto-reply')
  })

  it('fields of many programs', () => {
    for (const field of ['X-Autoreply: yes', 'X-Autorespond: hello', 'Precedence: auto_reply']) {
      assert.equal(classify(received(note(`${field}\n`, 'Hello'), 'bea@bakery.example')).kind, 'auto-reply', field)
    }
    for (const field of ['X-Auto-Response-Suppress: All', 'Precedence: bulk', 'Auto-Submitted: no']) {
      const mail = note(`Subject: News\n${field}\n`, 'Hello')
      assert.equal(classify(received(mail, 'bea@bakery.example')).kind, 'ordinary', field)
    }
  })

  it('a discussion about bounces is ordinary', () => {
    const text = 'My log says:\n\n550 5.1.1 <ben@oven.example>... User unknown\n\nWhy is it undeliverable?'
    const mail = note('Subject: Undelivered mail returned to sender?\nUser-Agent: x\n', text)
    assert.equal(classify(received(mail, 'bea@bakery.example')).kind, 'ordinary')
    const list = note('Subject: Mail delivery failed\nList-Id: <postfix-users.example>\n', text)
    assert.equal(classify(received(list, 'bea@bakery.example')).kind, 'ordinary')
  })

  it('a challenge', () => {
    const text =
      'Your message is held. Please click the link below to have your message delivered:\nhttps://guard.example/1'
    assert.equal(classify(received(note('Subject: Re: hello\nAuto-Submitted: auto-replied\n', text))).kind, 'challenge')
  })

  it('a disposition notification', () => {
    const mdn = REPORT.replace('report-type=delivery-status', 'report-type=disposition-notification')
      .replace('message/delivery-status', 'message/disposition-notification')
      .replace('Action: failed', 'Disposition: manual-action/MDN-sent-manually; displayed')
    const mail = classify(received(mdn, 'ben@bakery.example'))
    assert.ok(mail.kind === 'mdn')
    assert.match(mail.mdn.disposition ?? '', /displayed/)
  })
})

describe('the pre-check', () => {
  it('lets ordinary mail pass and stops at every fixture that is automatic', () => {
    for (const [name, { kind, reversePath }] of Object.entries(EXPECTED)) {
      if (kind === 'ordinary') continue
      const { header, reversePath: path } = received(Buffer.from(fixture(name), 'latin1'), reversePath ? '' : NOBODY)
      assert.equal(mayBeAutomatic(header, path), true, name)
    }
    const { header, reversePath } = received(
      'From: a@b.example\nSubject: Lunch?\nReceived: from x by y\n\nHi\n',
      NOBODY,
    )
    assert.equal(mayBeAutomatic(header, reversePath), false)
  })
})

it('what strangers wrote comes out printable and bounded', () => {
  assert.equal(printable(' a\x1b[2J\r\n\tb\x00c '), 'a [2J b c')
  const long = REPORT.replace('no such baker', 'x'.repeat(90_000))
  const mail = classify(received(long))
  assert.ok(mail.kind === 'dsn')
  assert.ok((mail.dsn.recipients[0]?.diagnostic?.length ?? 0) <= 500)
})
