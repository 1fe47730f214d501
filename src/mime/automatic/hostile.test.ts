/**
 * Whatever comes in, an answer comes out, and soon: any octets, every truncation of the fixtures, fixtures with lines swapped,
 * and messages made to keep a parser busy.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { NULL_PATH } from '#mail/address.ts'
import { content } from '#mail/content.ts'
import { readHeaderSection } from '../header-section.ts'
import type { AutomaticMail } from './automatic-mail.ts'
import { classify, EXAMINED_OCTETS_MAX } from './classify.ts'

const FIXTURES = new URL('../../../fixtures/automatic/', import.meta.url)
const fixtures = readdirSync(FIXTURES)
  .filter((name) => name.endsWith('.eml'))
  .map((name) => readFileSync(new URL(name, FIXTURES)).toString('latin1').replace(/\r?\n/g, '\r\n'))

function classifyText(text: string): AutomaticMail {
  const body = content([Buffer.from(text, 'latin1')])
  const mail = classify({ reversePath: NULL_PATH, header: readHeaderSection(body), content: body })
  check(mail)
  return mail
}

function check(mail: AutomaticMail): void {
  assert.ok(mail.reasons.length > 0)
  for (const { detail } of mail.reasons) assert.doesNotMatch(detail, /[\x00-\x1f\x7f]/)
  if (mail.kind !== 'dsn') return
  const { recipients, returned, note } = mail.dsn
  if (recipients.length === 0) assert.ok(note)
  assert.ok((returned?.offset ?? 0) >= 0)
  for (const { recipient, status, diagnostic } of recipients) {
    assert.ok(recipient.length > 0 && recipient.length <= 510, recipient)
    assert.match(status, /^[245]\.\d{1,3}\.\d{1,3}$/)
    assert.doesNotMatch(`${recipient}${diagnostic ?? ''}`, /[\x00-\x1f\x7f]/)
  }
}

describe('any input', () => {
  it('octets', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 500 }),
        (bytes) => void classifyText(Buffer.from(bytes).toString('latin1')),
      ),
    )
  })

  it('truncations of real messages', () => {
    for (const text of fixtures) {
      const step = Math.max(1, Math.floor(text.length / 40))
      for (let end = 0; end < text.length; end += step) classifyText(text.slice(0, end))
    }
  })

  it('real messages with octets changed, lines removed and lines repeated', () => {
    const change = fc.record({ at: fc.nat(), kind: fc.constantFrom('octet', 'remove', 'repeat'), octet: fc.nat(255) })
    fc.assert(
      fc.property(fc.constantFrom(...fixtures), fc.array(change, { minLength: 1, maxLength: 8 }), (text, changes) => {
        const lines = text.split('\r\n')
        for (const { at, kind, octet } of changes) {
          const i = at % lines.length
          const line = lines[i]!
          if (kind === 'remove') lines.splice(i, 1)
          else if (kind === 'repeat') lines.splice(i, 0, line)
          else lines[i] = line.slice(0, octet) + String.fromCharCode(octet) + line.slice(octet + 1)
          if (lines.length === 0) lines.push('')
        }
        classifyText(lines.join('\r\n'))
      }),
      { numRuns: 500 },
    )
  })
})

/** On a loaded machine too; a pattern that backtracks would need minutes. */
const HOSTILE_MS_MAX = 3_000

describe('input that is made to be slow', () => {
  const HEADER = 'From: MAILER-DAEMON@a.example\r\nSubject: Undelivered mail\r\n'
  const fill = (piece: string): string => piece.repeat(Math.ceil(EXAMINED_OCTETS_MAX / piece.length))
  const pieces = [
    '<a@b.example>: ',
    '<a@b.example>:\r\n',
    'a@',
    '@',
    ' ',
    '-',
    '550 ',
    '550 5.1.1 <',
    '5.1.1.',
    'following recipients failed to contact ',
    'user mailbox account address ',
    'Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\n\r\n',
    'Received: x\r\n',
    'generated from ',
    '=?utf-8?Q?',
    '<',
    '<style>',
    '&lt;',
    '--b\r\n',
    '--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n',
    'Content-Type: text/plain; a="',
    'not deliver',
    'host host name domain not not ',
    'click link address ',
    '"notificationType":{[',
    '\x1b$B',
    '> ',
    '\r\n',
    'RCPT TO:<',
    'size quota exceeds message content mail ',
    'A: b\r\n c\r\n',
  ]
  const types = [
    '',
    'Content-Type: text/html\r\n',
    'Content-Type: multipart/report; boundary=b; report-type=delivery-status\r\n',
  ]
  for (const piece of pieces) {
    it(JSON.stringify(piece), () => {
      for (const type of types) {
        const started = performance.now()
        classifyText(`${HEADER}${type}\r\n${fill(piece)}`)
        classifyText(`${HEADER}${type}\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n${fill(piece)}`)
        classifyText(`Subject: ${fill(piece)}\r\n\r\n`)
        assert.ok(performance.now() - started < HOSTILE_MS_MAX, `${Math.round(performance.now() - started)} ms`)
      }
    })
  }
})
