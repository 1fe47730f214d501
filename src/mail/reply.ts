/**
 * SMTP replies (RFC 5321 §4.2). What we say is typed so that a code and its enhanced status (RFC 2034) agree; what a
 * remote server says is only read, bounded and cleaned.
 */
import { parseStatus, type Status, statusClass } from './status.ts'

export type PositiveCode = 211 | 214 | 220 | 221 | 235 | 250 | 251 | 252 | 253
export type IntermediateCode = 334 | 354
export type TransientCode = 421 | 432 | 450 | 451 | 452 | 453 | 454 | 455 | 458 | 459
export type PermanentCode =
  | 500
  | 501
  | 502
  | 503
  | 504
  | 521
  | 523
  | 530
  | 534
  | 535
  | 538
  | 550
  | 551
  | 552
  | 553
  | 554
  | 555
  | 556

interface ReplyText {
  /** One line, or several. Printable; no line ends; no enhanced status (that has its own field). */
  readonly text: string | readonly string[]
}
export interface PositiveReply extends ReplyText {
  readonly code: PositiveCode
  readonly status?: Status<2>
}
export interface IntermediateReply extends ReplyText {
  readonly code: IntermediateCode
}
export interface TransientReply extends ReplyText {
  readonly code: TransientCode
  readonly status: Status<4>
}
export interface PermanentReply extends ReplyText {
  readonly code: PermanentCode
  readonly status: Status<5>
}
export type NegativeReply = TransientReply | PermanentReply
export type Reply = PositiveReply | IntermediateReply | NegativeReply

export const transient = (code: TransientCode, status: Status<4>, text: string): TransientReply => ({
  code,
  status,
  text,
})
export const permanent = (code: PermanentCode, status: Status<5>, text: string): PermanentReply => ({
  code,
  status,
  text,
})
export const isPermanent = (reply: Reply): reply is PermanentReply => reply.code >= 500
export const isTransient = (reply: Reply): reply is TransientReply => reply.code >= 400 && reply.code < 500

/** The reply as octets, CRLF included; the enhanced status stands on every line (RFC 2034 §4). */
export function replyBytes(reply: Reply): string {
  const status = 'status' in reply && reply.status ? `${reply.status} ` : ''
  if (typeof reply.text === 'string') return `${reply.code} ${status}${reply.text}\r\n`
  const last = reply.text.length - 1
  return reply.text.map((line, i) => `${reply.code}${i < last ? '-' : ' '}${status}${line}\r\n`).join('')
}

/** The reply on one line, for logs. */
export function replyLine(reply: Reply): string {
  const status = 'status' in reply && reply.status ? `${reply.status} ` : ''
  return `${reply.code} ${status}${typeof reply.text === 'string' ? reply.text : reply.text.join(' ')}`
}

/** What a remote server answered. */
export interface RemoteReply {
  /** 200 to 599. */
  readonly code: number
  readonly status?: Status
  /** Text without code and status, cleaned: printable characters only, bounded by the client session. */
  readonly lines: readonly string[]
}

export const remoteReplyLine = (reply: RemoteReply): string =>
  `${reply.code} ${reply.status ? `${reply.status} ` : ''}${reply.lines.join(' ')}`

/** Builds a RemoteReply from its lines' texts, taking the enhanced status off when its class agrees with the code. */
export function remoteReply(code: number, texts: readonly string[]): RemoteReply {
  const status = parseStatus(texts[0] ?? '')
  if (status === undefined || statusClass(status) !== Math.floor(code / 100)) return { code, lines: texts }
  const strip = (line: string) => (parseStatus(line) === status ? line.slice(status.length).trimStart() : line)
  return { code, status, lines: texts.map(strip) }
}

export type ReplyClass = 'positive' | 'transient' | 'permanent' | 'other'
export function replyClass(code: number): ReplyClass {
  if (code >= 200 && code < 300) return 'positive'
  if (code >= 400 && code < 500) return 'transient'
  return code >= 500 && code < 600 ? 'permanent' : 'other'
}

const PERMANENT_CODES: ReadonlySet<number> = new Set<PermanentCode>([
  500, 501, 502, 503, 504, 521, 523, 530, 534, 535, 538, 550, 551, 552, 553, 554, 555, 556,
])
/** At most this much of a customer's refusal is passed on: one reply line has 512 octets (RFC 5321 §4.5.3.1.5). */
export const PASSED_ON_TEXT_CHARS_MAX = 400

/** A customer's 5yz as our own reply to the sender: code and status kept where valid, text bounded. */
export function passedOn(reply: RemoteReply): PermanentReply {
  const code = PERMANENT_CODES.has(reply.code) ? (reply.code as PermanentCode) : 554
  const status = reply.status && statusClass(reply.status) === 5 ? (reply.status as Status<5>) : '5.0.0'
  const text = reply.lines.join(' ').slice(0, PASSED_ON_TEXT_CHARS_MAX)
  return { code, status, text: text || 'refused by the recipient server' }
}
