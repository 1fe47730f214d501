/**
 * Fuzzes the classifier of automatic mail with messages made of the pieces of bounces:
 *
 * - it never throws, and gives a kind with a reason;
 * - recipients, texts and reasons are printable and within their limits, statuses well-formed;
 * - what was returned lies within the content;
 * - the same octets in other chunks are the same mail.
 */
import { NULL_PATH } from '#mail/address.ts'
import { type Content, content } from '#mail/content.ts'
import type { AutomaticMail } from '#mime/automatic/automatic-mail.ts'
import { classify } from '#mime/automatic/classify.ts'
import { readHeaderSection } from '#mime/header-section.ts'

const LINES = [
  '',
  '',
  '--b',
  '--b--',
  '--c',
  'From: MAILER-DAEMON@mx.example (Mail Delivery System)',
  'From: Bea <bea@bakery.example>',
  'To: anna@sender.example',
  'Subject: Undelivered Mail Returned to Sender',
  'Subject: =?utf-8?Q?Automatische_Antwort:_Br=C3=B6tchen?=',
  'Auto-Submitted: auto-replied',
  'X-Failed-Recipients: ben@bakery.example, b@\xc3\xa4.example',
  'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
  'Content-Type: multipart/mixed; boundary="c"',
  'Content-Type: message/delivery-status',
  'Content-Type: message/feedback-report',
  'Content-Type: message/rfc822',
  'Content-Type: text/html; charset=iso-2022-jp',
  'Content-Transfer-Encoding: base64',
  'Content-Transfer-Encoding: quoted-printable',
  'Reporting-MTA: dns; mx.example',
  'Final-Recipient: rfc822; ben@bakery.example',
  'Original-Recipient: utf-8; b\\x{E4}n@bakery.example',
  'Action: failed',
  'Status: 5.1.1 (no such user)',
  'Diagnostic-Code: smtp; 550 5.1.1 <ben@bakery.example>... User unknown',
  ' folded 4.2.2',
  'Hi. This is the qmail-send program at mx.example.',
  '<ben@bakery.example>:',
  'Remote host said: 552 Mailbox full',
  '  ben@bakery.example',
  '    (generated from <x@y.example>)',
  '>>> RCPT TO:<ben@bakery.example>',
  '--- Below this line is a copy of the message.',
  'Received: from a by b for <ben@bakery.example>; now',
  'Message-ID: <1@sender.example>',
  '{"notificationType":"Bounce","bounce":{"bouncedRecipients":[{"emailAddress":"a@b.example"}]}}',
  '\x1b$B\xff\0',
  'PGI+PC9iPg==',
]
const LINES_MAX = 30

export function fuzz(seed: number, iterations: number): void {
  run(seed, iterations, classify)
}

/** A classifier that lets control characters of strangers through. */
export function canary(): void {
  run(1, 2000, (input) => ({ ...classify(input), reasons: [{ evidence: 'subject', detail: '\x1b[2J' }] }))
}

function run(seed: number, iterations: number, judge: typeof classify): void {
  let state = seed >>> 0
  const chance = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
  for (let i = 0; i < iterations; i++) {
    const lines = Array.from({ length: chance(LINES_MAX) }, () => LINES[chance(LINES.length)]!)
    const octets = Buffer.from(lines.join('\r\n'), 'latin1')
    try {
      check(octets, chance(octets.length + 1), judge)
    } catch (cause) {
      throw new Error(`${JSON.stringify(lines)}: ${cause instanceof Error ? cause.message : cause}`, { cause })
    }
  }
}

function check(octets: Buffer, place: number, judge: typeof classify): void {
  const of = (body: Content): AutomaticMail => {
    return judge({ reversePath: NULL_PATH, header: readHeaderSection(body), content: body })
  }
  const mail = of(content([octets]))
  const cut = of(content([octets.subarray(0, place), octets.subarray(place)]))
  if (JSON.stringify(mail) !== JSON.stringify(cut)) throw new Error('other chunks, another mail')
  if (mail.reasons.length === 0) throw new Error('no reason')
  const texts = mail.reasons.map(({ detail }) => detail)
  if (mail.kind === 'dsn') {
    const { recipients, returned } = mail.dsn
    if ((returned?.offset ?? 0) > octets.length) throw new Error('returned from beyond the end')
    for (const { recipient, originalRecipient, diagnostic, status } of recipients) {
      texts.push(recipient, originalRecipient ?? '', diagnostic ?? '')
      if (!/^[245]\.\d{1,3}\.\d{1,3}$/.test(status)) throw new Error(`status ${status}`)
    }
  }
  for (const text of texts) {
    if (text.length > 500 || /[\x00-\x1f\x7f-\x9f]/.test(text)) throw new Error(`not clean: ${JSON.stringify(text)}`)
  }
}
