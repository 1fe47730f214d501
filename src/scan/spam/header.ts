/**
 * The header section as the rules of the spam filter need it: fields by name, mailboxes with their domains, the hosts that
 * Message-ID, signatures and Received name, what a list and a thread say. Read once for a message; total and linear.
 *
 * Lenient where people would be shown something: a line that is no field, before or between known fields, is passed over and
 * told (`strayLines`), since some programs show what stands behind it. Limits are named below; what is beyond is not read.
 */
import { registrant } from '#mail/registrable-domain.ts'
import { addressList } from '#mime/address-list.ts'
import { fieldText } from '#mime/decoded-text.ts'
import { PART_FIELDS_MAX, readFields, type TextField } from '#mime/structure.ts'
import type { SpamAbout } from './contract.ts'

/** Lines that are no fields and are passed over. A log line of a tool is one; more is a text without a header section. */
const STRAY_LINES_MAX = 3
/** Fields behind such a line, of which one must be known. */
const KNOWN_WITHIN = 3
/** Of an address field, in octets; the mailboxes behind are not looked at. */
const ADDRESSES_OCTETS_MAX = 4_000
/** Received fields that are read, from the top. */
export const HOPS_MAX = 12
/** Signatures that are read. */
const SIGNATURES_MAX = 10
/** Addresses of one field. */
const MAILBOXES_MAX = 50

export interface SenderMailbox {
  /** As a person sees it; empty: there is none. */
  readonly display: string
  /** Lower case, as are the others; empty where there is no address. */
  readonly address: string
  readonly local: string
  readonly domain: string
  /** What somebody has registered of the domain: `example.co.uk`; the domain itself where that is not known. */
  readonly site: string
}

export interface Hop {
  /** How the client called itself, and the name and address that the server saw. */
  readonly greeting: string
  readonly name: string
  readonly address: string
  readonly by: string
  /** Milliseconds since 1970. */
  readonly at: number | undefined
}

export interface Signature {
  readonly domain: string
  readonly algorithm: string
}

export interface HeaderView {
  readonly from: SenderMailbox
  /** The From field can be read in more than one way: several fields or mailboxes, or it is no address field. */
  readonly fromFault: string | undefined
  readonly replyTo: readonly SenderMailbox[]
  readonly sender: SenderMailbox | undefined
  /** Who gets errors, as the field of the last server says; empty: nobody (`<>`). */
  readonly returnPath: SenderMailbox | undefined
  readonly recipients: readonly SenderMailbox[]
  readonly messageId: { readonly text: string; readonly host: string; readonly site: string } | undefined
  /** Of the Date field; NaN: it cannot be read. */
  readonly date: number | undefined
  readonly hops: readonly Hop[]
  readonly signatures: readonly Signature[]
  /** A reply says to what. */
  readonly isReply: boolean
  readonly strayLines: number
  /** All values of a field, the topmost first. */
  all(name: string): readonly string[]
  /** The topmost value; undefined: there is no such field. */
  value(name: string): string | undefined
}

const KNOWN =
  /^(?:from|to|cc|subject|date|sender|reply-to|message-id|received|return-path|mime-version|content-type|content-transfer-encoding|dkim-signature|delivered-to|list-id)$/

export interface HeaderFields {
  readonly fields: TextField[]
  readonly bodyStart: number
  readonly strayLines: number
}

/** The fields of a header section, passing over lines that are none where a known field follows. */
export function readHeaderFields(text: string, end: number): HeaderFields {
  let { fields, bodyStart } = readFields(text, 0, end)
  let strayLines = 0
  while (strayLines < STRAY_LINES_MAX && bodyStart < end && !isBehindBlank(text, bodyStart)) {
    const next = lineAfter(text, bodyStart)
    if (next === 0 || next >= end) break
    const behind = readFields(text, next, end)
    if (!behind.fields.slice(0, KNOWN_WITHIN).some(({ name }) => KNOWN.test(name))) break
    strayLines++
    fields = [...fields, ...behind.fields].slice(0, PART_FIELDS_MAX)
    bodyStart = behind.bodyStart
  }
  return { fields, bodyStart, strayLines }
}

// With what is folded to it; 0: there is none.
function lineAfter(text: string, at: number): number {
  let next = text.indexOf('\n', at) + 1
  while (next > 0 && /[ \t]/.test(text[next] ?? '')) next = text.indexOf('\n', next) + 1
  return next
}

// The empty line before the body, which readFields passes.
const isBehindBlank = (text: string, at: number): boolean =>
  at > 0 && (at === 1 || text[at - 2] === '\n' || (text[at - 2] === '\r' && (at === 2 || text[at - 3] === '\n')))

export function readHeader({ fields, strayLines }: HeaderFields): HeaderView {
  const byName = new Map<string, string[]>()
  for (const { name, value } of fields) {
    const values = byName.get(name)
    if (values === undefined) byName.set(name, [value])
    else values.push(value)
  }
  const all = (name: string): readonly string[] => byName.get(name) ?? []
  const value = (name: string): string | undefined => byName.get(name)?.[0]
  const mailboxes = (name: string): SenderMailbox[] => all(name).flatMap((text) => mailboxesOf(text))
  const date = value('date')
  return {
    from: mailboxesOf(value('from') ?? '')[0] ?? NOBODY,
    fromFault: fromFault(all('from')),
    replyTo: mailboxes('reply-to'),
    sender: mailboxes('sender')[0],
    returnPath: returnPathOf(value('return-path')),
    recipients: [...mailboxes('to'), ...mailboxes('cc')].slice(0, MAILBOXES_MAX),
    messageId: messageIdOf(value('message-id')),
    date: date === undefined ? undefined : dateOf(date),
    hops: all('received').slice(0, HOPS_MAX).map(hopOf),
    signatures: all('dkim-signature').slice(0, SIGNATURES_MAX).map(signatureOf),
    isReply: byName.has('in-reply-to') || byName.has('references'),
    strayLines,
    all,
    value,
  }
}

const NOBODY: SenderMailbox = { display: '', address: '', local: '', domain: '', site: '' }

/** Whoever forges makes two readers see two authors; an honest From has one mailbox and is an address field. */
function fromFault(values: readonly string[]): string | undefined {
  if (values.length > 1) return `${values.length} From fields`
  const value = values[0]
  if (value === undefined) return undefined
  const text = value.slice(0, ADDRESSES_OCTETS_MAX)
  if (text.includes('\0')) return 'NUL in it'
  const read = addressList(text)
  if (read === undefined) {
    // Names with a stray comma or a missing quote are common, and all readers see the same address in them.
    const addresses = countOfAddresses(text)
    if (countOfAddresses(fieldText(text)) > addresses) return 'an encoded address'
    return addresses > 1 && !isNameLikeAddress(text) ? 'several addresses' : undefined
  }
  const domains = new Set(read.map(({ domain }) => JSON.stringify(domain)))
  if (domains.size > 1) return 'several mailboxes'
  return /<\s{0,9}@/.test(text) ? 'a route' : undefined
}

const countOfAddresses = (text: string): number =>
  text.match(/[^\s<>"(),:;@]{1,100}@[^\s<>"(),:;@]{1,100}/g)?.length ?? 0
// `"anna@example.org" <anna@example.org>`, also without quotes: what it shows is a matter of its own (rules/sender.ts).
const isNameLikeAddress = (text: string): boolean =>
  /^[^<>]{1,300}<[^<>\s@]{1,100}@[^<>\s@]{1,200}>\s{0,9}$/.test(text) && !/^[^<]{1,300},/.test(text)

/** Leniently, as mail programs show them. */
export function mailboxesOf(value: string): SenderMailbox[] {
  const text = value.slice(0, ADDRESSES_OCTETS_MAX)
  const found: SenderMailbox[] = []
  for (const one of split(text)) {
    const open = one.lastIndexOf('<')
    const close = one.indexOf('>', open)
    const bare = open < 0 ? one : one.slice(open + 1, close < 0 ? undefined : close)
    const display =
      open < 0
        ? fieldText(/\(([^()]{1,200})\)/.exec(one)?.[1] ?? '').trim()
        : fieldText(one.slice(0, open))
            .trim()
            .replace(/^"(.*)"$/s, '$1')
            .replace(/\\(.)/g, '$1')
    const mailbox = mailboxOf(bare, display)
    if (mailbox.address !== '' || mailbox.display !== '') found.push(mailbox)
    if (found.length >= MAILBOXES_MAX) break
  }
  return found
}

// At commas outside of quotes, brackets and comments. `Bread, Inc. <a@b.example>` is one: all readers see one address in it.
function split(text: string): string[] {
  const parts: string[] = []
  let from = 0
  let isQuoted = false
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 0x5c) i++
    else if (c === 0x22) isQuoted = !isQuoted
    else if (isQuoted) continue
    else if (c === 0x3c || c === 0x28) depth++
    else if ((c === 0x3e || c === 0x29) && depth > 0) depth--
    else if (c === 0x2c && depth === 0 && text.slice(from, i).includes('@')) {
      parts.push(text.slice(from, i))
      from = i + 1
    }
  }
  parts.push(text.slice(from))
  return parts
}

function mailboxOf(text: string, display: string): SenderMailbox {
  const address = text.trim().toLowerCase()
  const at = address.lastIndexOf('@')
  if (at < 0) return { ...NOBODY, display: display === '' ? fieldText(text).trim() : display }
  const domain = /^[^\s>;,()]{0,255}/.exec(address.slice(at + 1))?.[0].replace(/\.$/, '') ?? ''
  const local = address.slice(0, at)
  return { display, address: `${local}@${domain}`, local, domain, site: registrant(domain) }
}

/** Who gets errors: as the session heard it; without one, as the last server wrote it. Empty address: nobody. */
export const envelopeSender = (header: HeaderView, { reversePath }: SpamAbout): SenderMailbox | undefined =>
  reversePath === undefined ? header.returnPath : mailboxOf(reversePath.replace(/^<(.*)>$/, '$1'), '')

function returnPathOf(value: string | undefined): SenderMailbox | undefined {
  if (value === undefined) return undefined
  return mailboxOf(/<([^<>]{0,500})>/.exec(value)?.[1] ?? value.slice(0, 500), '')
}

function messageIdOf(value: string | undefined): HeaderView['messageId'] {
  if (value === undefined) return undefined
  const text = value.slice(0, 1_000)
  const host =
    /@\[?([^\s@>\]]{0,255})/
      .exec(text.slice(text.lastIndexOf('@') < 0 ? text.length : text.lastIndexOf('@')))?.[1]
      ?.toLowerCase() ?? ''
  return { text, host, site: registrant(host) }
}

function dateOf(value: string): number {
  return Date.parse(
    value
      .slice(0, 100)
      .replace(/\([^()]{0,60}\)/g, '')
      .trim(),
  )
}

const FROM_PART = /^from\s{1,20}([^\s()]{1,255})(?:\s{1,20}\(([^\n]{0,300})|$)/i
const IP_ADDRESS = /\[(?:IPv6:)?([0-9a-f.:]{3,45})\]/i

function hopOf(value: string): Hop {
  const text = value.slice(0, 1_000)
  const semicolon = text.lastIndexOf(';')
  const by = /\bby\s{1,20}([^\s();]{1,255})/i.exec(text)
  const client = FROM_PART.exec(text.slice(0, by?.index ?? text.length).trim())
  const seen = client?.[2] ?? ''
  return {
    greeting: (client?.[1] ?? '').toLowerCase(),
    name: /^(?:[^\s[\]@]{1,200}@)?([a-z0-9_.-]{1,255})\.?\s/i.exec(seen)?.[1]?.toLowerCase() ?? '',
    address: IP_ADDRESS.exec(client?.[0] ?? '')?.[1] ?? '',
    by: (by?.[1] ?? '').toLowerCase(),
    at: semicolon < 0 ? undefined : known(dateOf(text.slice(semicolon + 1))),
  }
}

const known = (ms: number): number | undefined => (Number.isNaN(ms) ? undefined : ms)

function signatureOf(value: string): Signature {
  const text = value.slice(0, 1_500)
  const domain = /(?:^|[;\s])d\s{0,9}=\s{0,9}([^\s;]{1,255})/.exec(text)?.[1]?.toLowerCase() ?? ''
  return { domain, algorithm: /(?:^|[;\s])a\s{0,9}=\s{0,9}([\w-]{1,40})/.exec(text)?.[1]?.toLowerCase() ?? '' }
}
