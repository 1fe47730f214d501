/**
 * Mailboxes and the paths of MAIL and RCPT: RFC 5321 §4.1.2 and, for UTF-8, RFC 6531 §3.3.
 *
 * This is the only address parser of the project: the SMTP server, the configuration, the spool and the tools all use
 * it, so that no two of them can read one address in two ways. It is strict: no comments, no folding, no bare words.
 * Source routes are read and thrown away (RFC 5321 §4.1.1.3, appendix F.2).
 *
 * Limits, in octets: local part 64, domain 255, path 256 with its brackets (RFC 5321 §4.5.3.1). A mailbox that no path
 * can carry is refused everywhere; what counts is the longer of what was written and what we would write (A-labels).
 */
import { type Domain, domainText, parseAddressLiteral, parseDomainName } from './domain.ts'

export const LOCAL_PART_OCTETS_MAX = 64
export const PATH_OCTETS_MAX = 256

export interface Mailbox {
  /** What the local part means: quotes and backslashes removed. */
  readonly localPart: string
  readonly domain: Domain
  /** The local part needs SMTPUTF8 (RFC 6531); a U-label in the domain does not, it has an A-label. */
  readonly internationalized: boolean
}

export type ReversePath = { readonly kind: 'null' } | { readonly kind: 'mailbox'; readonly mailbox: Mailbox }

/** `<Postmaster>` without a domain is a forward-path of its own (RFC 5321 §4.1.1.3). */
export type ForwardPath = { readonly kind: 'postmaster' } | { readonly kind: 'mailbox'; readonly mailbox: Mailbox }

export type AddressFault =
  | 'no-opening-bracket'
  | 'no-closing-bracket'
  | 'source-route'
  | 'empty-path'
  | 'local-part'
  | 'local-part-too-long'
  | 'quoted-string'
  | 'no-at-sign'
  | 'domain'
  | 'address-literal'
  | 'path-too-long'
  | 'trailing-characters'

export type Parsed<T> =
  | { readonly ok: true; readonly value: T /** Index behind what was read. */; readonly end: number }
  | { readonly ok: false; readonly fault: AddressFault; readonly at: number }

export const NULL_PATH: ReversePath = { kind: 'null' }

const fault = (kind: AddressFault, at: number): Parsed<never> => ({ ok: false, fault: kind, at })

/** Reads `<reverse-path>` at `start`; `<>` is the null path. */
export function parseReversePath(text: string, start = 0): Parsed<ReversePath> {
  if (text.startsWith('<>', start)) return { ok: true, value: NULL_PATH, end: start + 2 }
  const path = parseBracketed(text, start)
  return path.ok ? { ok: true, value: { kind: 'mailbox', mailbox: path.value }, end: path.end } : path
}

/** Reads `<forward-path>` at `start`; `<Postmaster>` in any case is its own kind. */
export function parseForwardPath(text: string, start = 0): Parsed<ForwardPath> {
  if (/^<postmaster>/i.test(text.slice(start, start + 12))) {
    return { ok: true, value: { kind: 'postmaster' }, end: start + 12 }
  }
  const path = parseBracketed(text, start)
  return path.ok ? { ok: true, value: { kind: 'mailbox', mailbox: path.value }, end: path.end } : path
}

/** Reads a whole string as one mailbox without brackets, as configuration files and lists have it. */
export function parseMailbox(text: string): Parsed<Mailbox> {
  const mailbox = parseMailboxAt(text, 0)
  if (mailbox.ok && mailbox.end !== text.length) return fault('trailing-characters', mailbox.end)
  return mailbox
}

function parseBracketed(text: string, start: number): Parsed<Mailbox> {
  if (text.charCodeAt(start) !== 0x3c) return fault('no-opening-bracket', start)
  let at = start + 1
  if (text.charCodeAt(at) === 0x40) {
    const afterRoute = skipSourceRoute(text, at)
    if (afterRoute < 0) return fault('source-route', at)
    at = afterRoute
  }
  if (text.charCodeAt(at) === 0x3e) return fault('empty-path', at)
  const mailbox = parseMailboxAt(text, at)
  if (!mailbox.ok) return mailbox
  if (text.charCodeAt(mailbox.end) !== 0x3e) return fault('no-closing-bracket', mailbox.end)
  return { ok: true, value: mailbox.value, end: mailbox.end + 1 }
}

// "@" Domain *( "," "@" Domain ) ":"; the answer is the index behind the colon, or -1.
function skipSourceRoute(text: string, start: number): number {
  const colon = text.indexOf(':', start)
  if (colon < 0 || colon - start > PATH_OCTETS_MAX) return -1
  for (const hop of text.slice(start, colon).split(',')) {
    if (hop.charCodeAt(0) !== 0x40 || parseDomainName(hop.slice(1)) === undefined) return -1
  }
  return colon + 1
}

function parseMailboxAt(text: string, start: number): Parsed<Mailbox> {
  const local = text.charCodeAt(start) === 0x22 ? parseQuotedString(text, start) : parseDotString(text, start)
  if (!local.ok) return local
  if (Buffer.byteLength(text.slice(start, local.end)) > LOCAL_PART_OCTETS_MAX)
    return fault('local-part-too-long', start)
  if (text.charCodeAt(local.end) !== 0x40) return fault('no-at-sign', local.end)
  const domain = parseDomainAt(text, local.end + 1)
  if (!domain.ok) return domain
  const localPart = local.value
  const internationalized = hasNonAscii(localPart)
  // Half a surrogate pair is no character: it cannot be written as UTF-8 (RFC 6531 §3.3).
  if (internationalized && !localPart.isWellFormed()) return fault('local-part', start)
  const value = { localPart, domain: domain.value, internationalized }
  if (isTooLongForPath(text, start, domain.end, value)) return fault('path-too-long', start)
  return { ok: true, value, end: domain.end }
}

// RFC 5321 §4.5.3.1.3; without the source route, which nobody keeps. A code unit has 3 octets of UTF-8 at most.
function isTooLongForPath(text: string, start: number, end: number, mailbox: Mailbox): boolean {
  const octetsMax = PATH_OCTETS_MAX - 2
  const isNear = (end - start) * 3 > octetsMax || mailbox.localPart.length * 3 + domainText(mailbox.domain).length > 200
  if (!isNear) return false
  return Buffer.byteLength(text.slice(start, end)) > octetsMax || Buffer.byteLength(mailboxText(mailbox)) > octetsMax
}

function parseDomainAt(text: string, start: number): Parsed<Domain> {
  if (text.charCodeAt(start) === 0x5b) {
    const close = text.indexOf(']', start)
    const literal = close < 0 ? undefined : parseAddressLiteral(text.slice(start + 1, close))
    return literal ? { ok: true, value: literal, end: close + 1 } : fault('address-literal', start)
  }
  let end = start
  while (end < text.length && isDomainChar(text.charCodeAt(end))) end++
  const ascii = parseDomainName(text.slice(start, end))
  return ascii === undefined ? fault('domain', start) : { ok: true, value: { kind: 'name', ascii }, end }
}

// Dot-string = Atom *("." Atom): no dot at either end, no two in a row.
function parseDotString(text: string, start: number): Parsed<string> {
  let end = start
  let afterDot = true
  for (; end < text.length; end++) {
    const c = text.charCodeAt(end)
    if (c === 0x2e) {
      if (afterDot) return fault('local-part', end)
      afterDot = true
    } else if (isAtext(c)) afterDot = false
    else break
  }
  if (afterDot) return fault('local-part', end)
  return { ok: true, value: text.slice(start, end), end }
}

function parseQuotedString(text: string, start: number): Parsed<string> {
  let value = ''
  for (let i = start + 1; i < text.length; i++) {
    let c = text.charCodeAt(i)
    if (c === 0x22) return { ok: true, value, end: i + 1 }
    if (c === 0x5c) {
      c = text.charCodeAt(++i)
      // quoted-pairSMTP = "\" %d32-126
      if (!(c >= 0x20 && c <= 0x7e)) return fault('quoted-string', i)
    } else if (!isQtext(c)) return fault('quoted-string', i)
    value += text[i]
  }
  return fault('quoted-string', text.length)
}

const ATEXT = new Uint8Array(128)
for (const c of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~") {
  ATEXT[c.charCodeAt(0)] = 1
}
// RFC 6531 §3.3 adds UTF8-non-ascii. C1 controls and the replacement character are refused: nobody means them.
const isUtf8NonAscii = (c: number): boolean => c > 0x9f && c !== 0xfffd
const isAtext = (c: number): boolean => (c < 128 ? ATEXT[c] === 1 : isUtf8NonAscii(c))
const isQtext = (c: number): boolean => (c < 128 ? c >= 0x20 && c < 0x7f : isUtf8NonAscii(c))
const isDomainChar = (c: number): boolean =>
  (c >= 0x61 && c <= 0x7a) ||
  (c >= 0x41 && c <= 0x5a) ||
  (c >= 0x30 && c <= 0x39) ||
  c === 0x2e ||
  c === 0x2d ||
  c === 0x5f ||
  isUtf8NonAscii(c)

const hasNonAscii = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return true
  return false
}

const isDotString = (text: string): boolean => {
  const parsed = parseDotString(text, 0)
  return parsed.ok && parsed.end === text.length
}

/** The mailbox as it goes on the wire; the local part is quoted only where it must be (RFC 5321 §4.1.2). */
export function mailboxText(mailbox: Mailbox): string {
  const local = isDotString(mailbox.localPart)
    ? mailbox.localPart
    : `"${mailbox.localPart.replace(/["\\]/g, (c) => `\\${c}`)}"`
  return `${local}@${domainText(mailbox.domain)}`
}

/** A key under which two spellings of one mailbox are the same: case, quoting, Unicode form. */
export function mailboxKey(mailbox: Mailbox): string {
  return `${localPartKey(mailbox)}@${domainText(mailbox.domain)}`
}

/** The same of the local part alone. */
export function localPartKey({ localPart, internationalized }: Mailbox): string {
  return (internationalized ? localPart.normalize('NFC') : localPart).toLowerCase()
}

/** The path with its brackets, as in MAIL FROM and RCPT TO. */
export function pathText(path: ReversePath | ForwardPath): string {
  if (path.kind === 'null') return '<>'
  return path.kind === 'postmaster' ? '<Postmaster>' : `<${mailboxText(path.mailbox)}>`
}
