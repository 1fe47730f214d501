/**
 * Fuzzes what is learned of bounces and complaints, with messages made of the pieces of both and of tokens that are genuine,
 * damaged or of somebody else:
 *
 * - it never throws;
 * - nothing is learned of a recipient whom no message with a genuine token in it went to, nor of another tenant's;
 * - what is learned is bounded, in one printable line.
 */
import { NULL_PATH } from '#mail/address.ts'
import { content } from '#mail/content.ts'
import type { Lesson } from '#mail/feedback.ts'
import type { TraceId } from '#mail/trace-id.ts'
import { classify } from '#mime/automatic/classify.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import { type Token, Tokens } from '#policy/feedback-token.ts'
import { bounceLessons, complaintLessons, LESSONS_MAX } from '../src/relay/feedback-lessons.ts'

const WALL_MS = 1_800_000_000_000
const ours = new Tokens(Buffer.alloc(32, 1))
const theirs = new Tokens(Buffer.alloc(32, 2))
const SENT = ['bob@far.example', 'ben@far.example']
const fieldOf = (tokens: Tokens, tenant: string, recipients: readonly string[], nonce: number): string =>
  tokens.field({ tenant, recipients }, Buffer.alloc(12, nonce), WALL_MS).trimEnd()

const GENUINE = [fieldOf(ours, 'bakery', SENT, 1), fieldOf(ours, 'bakery', SENT.slice(0, 1), 2)]
const LINES = [
  '',
  '',
  '--b',
  '--b--',
  'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
  'Content-Type: multipart/report; report-type=feedback-report; boundary=b',
  'Content-Type: message/delivery-status',
  'Content-Type: message/feedback-report',
  'Content-Type: message/rfc822',
  'Content-Type: text/rfc822-headers',
  'Content-Transfer-Encoding: base64',
  'Subject: Undelivered Mail Returned to Sender',
  'From: MAILER-DAEMON@far.example',
  'Reporting-MTA: dns; mx.far.example',
  'Final-Recipient: rfc822; bob@far.example',
  'Original-Recipient: rfc822; eve@far.example',
  'Final-Recipient: rfc822; "b\x1bob"@far.example',
  'Action: failed',
  'Action: delayed',
  'Status: 5.1.1',
  'Status: 5.0.0',
  'Diagnostic-Code: smtp; 550 5.1.1 no such\x07 user \xff',
  'Feedback-Type: abuse',
  'Original-Rcpt-To: <ben@far.example>',
  'Original-Rcpt-To: <eve@far.example>',
  'Source-IP: 192.0.2.1\x1b[2J',
  'To: bob@far.example, eve@far.example',
  'Message-ID: <1@bakery.example>',
  ...GENUINE,
  fieldOf(ours, 'smith', ['eve@far.example'], 3),
  fieldOf(theirs, 'bakery', ['eve@far.example'], 4),
  GENUINE[0]!.slice(0, 90),
]
const LINES_MAX = 40

type Learn = (text: Buffer) => Promise<readonly Lesson[]>

export async function fuzz(seed: number, iterations: number): Promise<void> {
  await run(seed, iterations, learned)
}

/** Believes what it is told. */
export async function canary(): Promise<void> {
  await run(1, 2000, (text) => learned(text, { tenant: 'bakery', nonce: 'x', wentTo: () => true }))
}

const CAME = { id: '1M8693VGN006S6T' as TraceId, from: 'mx.far.example' }

async function learned(text: Buffer, believed?: Token): Promise<readonly Lesson[]> {
  const whole = content([text])
  const found = classify({ reversePath: NULL_PATH, header: readHeaderSection(whole), content: whole })
  const tokenIn = (values: readonly string[] = []): Token | undefined =>
    believed ?? values.flatMap((value) => ours.read(value, WALL_MS) ?? []).find(({ tenant }) => tenant === 'bakery')
  if (found.kind === 'dsn')
    return (await bounceLessons('bakery', found.dsn, CAME, tokenIn(found.dsn.originalTokens))).lessons
  if (found.kind !== 'feedback-report') return []
  const token = tokenIn(found.feedback.originalTokens)
  return token === undefined ? [] : complaintLessons(found.feedback, CAME, token)
}

async function run(seed: number, iterations: number, learn: Learn): Promise<void> {
  let state = seed >>> 0
  const chance = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
  for (let i = 0; i < iterations; i++) {
    const lines = Array.from({ length: chance(LINES_MAX) }, () => LINES[chance(LINES.length)]!)
    const text = Buffer.from(lines.join('\r\n'), 'latin1')
    try {
      check(await learn(text), lines)
    } catch (cause) {
      throw new Error(`${JSON.stringify(lines)}: ${cause instanceof Error ? cause.message : cause}`, { cause })
    }
  }
}

function check(lessons: readonly Lesson[], lines: readonly string[]): void {
  if (lessons.length > LESSONS_MAX) throw new Error(`${lessons.length} lessons`)
  if (lessons.length > 0 && !GENUINE.some((field) => lines.includes(field))) throw new Error('no genuine token')
  for (const { address, tenant, text, evidence, once } of lessons) {
    if (address !== undefined && !SENT.includes(address)) throw new Error(`learned of ${address}`)
    if (tenant !== 'bakery') throw new Error(`of ${tenant}`)
    for (const one of [text, evidence, once])
      if (one.length > 500 || /[\x00-\x1f\x7f-\x9f]/.test(one)) throw new Error(`not clean: ${JSON.stringify(one)}`)
  }
}
