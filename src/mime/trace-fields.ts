/**
 * The trace field that we prepend: Received (RFC 5321 §4.4); Authentication-Results are in authentication-results.ts. And what we
 * read in those of others: hops, and our own token, which tells a loop (RFC 5321 §6.3).
 */
import { mailboxText } from '#mail/address.ts'
import { type Session, type Transaction, withProtocol } from '#mail/session.ts'
import { type Field, type HeaderSection, unfolded } from './header-section.ts'

/** A text line has 1000 octets at most (RFC 5321 §4.5.3.1.6), a good one 78 (RFC 5322 §2.1.1): fold before each clause. */
export function receivedField(transaction: Transaction, hostname: string, wallMs: number): string {
  const { session, envelope, id } = transaction
  const tls = session.tls ? `\r\n\t(${session.tls.protocol} ${session.tls.cipher})` : ''
  return (
    `Received: from ${greetingForTrace(session)} (${addressLiteral(session.client.address)})\r\n` +
    `\tby ${hostname} (Vorposten) with ${withProtocol(session, envelope.smtputf8)} id ${id}${tls}` +
    `${forClause(transaction)};\r\n\t${dateTime(wallMs)}\r\n`
  )
}

// RFC 5321 §4.4: FOR has one path at most; with several recipients it would tell one of another (§7.2).
function forClause({ envelope }: Transaction): string {
  const only = envelope.recipients.length === 1 ? envelope.recipients[0]!.forwardPath : undefined
  if (only?.kind !== 'mailbox') return ''
  return `\r\n\tfor <${mailboxText(only.mailbox)}>`
}

// What stands here came from the client: only what a domain or a literal may hold.
function greetingForTrace(session: Session): string {
  return (session.greetingName ?? 'unknown').replace(/[^\w.:[\]-]/g, '?').slice(0, 255) || 'unknown'
}

const addressLiteral = (address: string): string => (address.includes(':') ? `[IPv6:${address}]` : `[${address}]`)

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
let lastSecond = -1
let lastText = ''

/** RFC 5322 §3.3 date-time, always in UTC with a numeric zone (RFC 5321 §4.4). */
export function dateTime(wallMs: number): string {
  const second = Math.floor(wallMs / 1000)
  if (second === lastSecond) return lastText
  const d = new Date(second * 1000)
  const two = (n: number) => String(n).padStart(2, '0')
  lastText =
    `${DAYS[d.getUTCDay()]}, ${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()} ` +
    `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())} +0000`
  lastSecond = second
  return lastText
}

export interface Hops {
  /** Received fields. */
  readonly all: number
  /** Those that this relay wrote. */
  readonly own: number
  /** Those that this relay wrote for the very recipient at hand. */
  readonly ownForRecipient: number
}

/** Counts hops. `recipient` is the only recipient's mailbox text, if there is only one. */
export function hops(section: HeaderSection, hostname: string, recipient?: string): Hops {
  let all = 0
  let own = 0
  let ownForRecipient = 0
  const by = `by ${hostname} (Vorposten)`
  // Fields are read one character per octet; a recipient in UTF-8 must be looked for in the same way.
  const path = recipient === undefined ? undefined : `for <${Buffer.from(recipient).toString('latin1')}>`
  for (const field of section.fields) {
    if (field.name !== 'received') continue
    all++
    if (!field.value.includes(hostname)) continue
    // Others may have folded the field in their own way.
    const value = field.value.replace(/\s+/g, ' ')
    if (!value.includes(by)) continue
    own++
    if (path !== undefined && value.includes(path)) ownForRecipient++
  }
  return { all, own, ownForRecipient }
}

/** What the virus wall has found in a message that is delivered all the same. */
export const SCAN_FIELD = 'X-Vorposten-Scan'

/** A person had a message let out of quarantine. */
export const RELEASED_FIELD = 'X-Vorposten-Released'

const OURS: ReadonlySet<string> = new Set([SCAN_FIELD, RELEASED_FIELD].map((name) => name.toLowerCase()))

/** Results that claim to be ours and are not: to be removed at the border (RFC 8601 §5). */
export function forgedResults(section: HeaderSection, hostname: string): Field[] {
  const name = hostname.toLowerCase()
  return section.fields.filter((field) => {
    if (OURS.has(field.name)) return true
    return field.name === 'authentication-results' && authservId(unfolded(field)) === name
  })
}

// authserv-id is a value: a token or a quoted string, with comments before it (RFC 8601 §2.2, RFC 5322 §3.2.2).
function authservId(value: string): string {
  const rest = value.slice(commentsEnd(value)).toLowerCase()
  const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(rest)?.[1]
  return quoted?.replace(/\\(.)/g, '$1') ?? /^[^\s;(]*/.exec(rest)?.[0] ?? ''
}

// Comments nest; a backslash takes the next character as it is.
function commentsEnd(value: string): number {
  let depth = 0
  let i = 0
  for (; i < value.length; i++) {
    const c = value[i]!
    if (c === '(') depth++
    else if (c === ')' && depth > 0) depth--
    else if (c === '\\' && depth > 0) i++
    else if (depth === 0 && !/\s/.test(c)) break
  }
  return i
}

/** The Message-ID as it stands, for log and trace; bounded and printable. */
export function messageId(section: HeaderSection): string | undefined {
  const field = section.fields.find((f) => f.name === 'message-id')
  return (
    field &&
    unfolded(field)
      .replace(/[^\x21-\x7e]/g, '?')
      .slice(0, 250)
  )
}
