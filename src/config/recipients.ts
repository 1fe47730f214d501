/**
 * Recipients as they are written, in the configuration and in lists: plain local parts belong to the domain, full
 * addresses must be of it.
 */
import { type AddressFault, mailboxKey, parseMailbox } from '#mail/address.ts'
import { type Position, shown } from './problem.ts'
import { addressFaultText } from './schema-tenant.ts'

export type KeyRead = { readonly ok: true; readonly key: string } | { readonly ok: false; readonly message: string }

const ADDRESS_FAULT = (text: string, kind: AddressFault): KeyRead => ({
  ok: false,
  message: `${shown(text)} is not a local part or an address: ${addressFaultText(kind)}`,
})

/** The key of one entry. `domain` is in A-labels; with `*.bakery.example` the entry must name the subdomain. */
export function recipientKey(text: string, domain: string): KeyRead {
  const wildcard = domain.startsWith('*.')
  // A quoted local part may hold an @; then the entry ends with a quote.
  const plain = !text.includes('@') || (text.startsWith('"') && text.endsWith('"'))
  if (plain && wildcard) return { ok: false, message: `${shown(text)} needs its domain, since ${domain} is many` }
  const parsed = parseMailbox(plain ? `${text}@${domain}` : text)
  if (!parsed.ok) return ADDRESS_FAULT(text, parsed.fault)
  const { domain: own } = parsed.value
  const belongs = own.kind === 'name' && (wildcard ? own.ascii.endsWith(domain.slice(1)) : own.ascii === domain)
  if (!belongs) return { ok: false, message: `${shown(text)} is not an address of ${domain}` }
  return { ok: true, key: mailboxKey(parsed.value) }
}

/** postmaster exists in every domain (RFC 5321 §4.5.1). */
export function newKeys(domain: string): Set<string> {
  return new Set(domain.startsWith('*.') ? [] : [`postmaster@${domain}`])
}

/** A list that stands in a file of its own; it is read by whoever keeps lists (`recipients/`). */
export interface RecipientFile {
  readonly path: string
  /** A-labels; may begin with `*.`. */
  readonly domain: string
  /** Where the configuration names the file. */
  readonly position: Position
  readonly setting: string
}
