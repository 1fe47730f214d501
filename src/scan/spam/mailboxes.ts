/**
 * Who a message says it is from, and whom it says it is for: names and addresses out of the header section, read as leniently
 * as mail programs do, since spam keeps no grammar.
 *
 * Limits: octets of a field, addresses of it.
 */
import { fieldText } from '#mime/decoded-text.ts'
import { fieldValue } from '#mime/structure.ts'
import { type Site, siteOf } from './links.ts'
import type { SpamMessage } from './message.ts'

/** Of a field, in octets. */
const FIELD_LENGTH_MAX = 2_000
/** Of a field; lists of 20 recipients are rare. */
const ADDRESSES_MAX = 20

export interface Mailbox {
  /** As shown; empty if there is none. */
  readonly name: string
  /** Lower case; empty if there is none. */
  readonly address: string
  /** Lower case, A-labels or as written. */
  readonly domain: string
  /** Undefined for a domain that nobody can have registered. */
  readonly site: Site | undefined
}

export interface Parties {
  readonly from: Mailbox
  readonly replyTo: Mailbox | undefined
  /** Addresses that it says it is for; without those of the envelope. */
  readonly to: readonly string[]
}

const read = new WeakMap<SpamMessage, Parties>()

export function partiesOf(message: SpamMessage): Parties {
  const before = read.get(message)
  if (before !== undefined) return before
  const field = (name: string): string | undefined => fieldValue(message.fields, name)?.slice(0, FIELD_LENGTH_MAX)
  const replyTo = field('reply-to')
  const parties: Parties = {
    from: mailboxOf(field('from') ?? ''),
    replyTo: replyTo === undefined ? undefined : mailboxOf(replyTo),
    to: addressesIn(`${field('to') ?? ''} ${field('cc') ?? ''}`),
  }
  read.set(message, parties)
  return parties
}

/** The first mailbox of a field; what stands in the last angle brackets is its address. */
export function mailboxOf(raw: string): Mailbox {
  const open = raw.lastIndexOf('<')
  const inside = open < 0 ? undefined : raw.slice(open + 1).split('>')[0]!
  const address = addressesIn(inside ?? raw)[0] ?? ''
  const domain = address.slice(address.lastIndexOf('@') + 1)
  const shown = open < 0 ? (/\(([^()]{1,200})\)/.exec(raw)?.[1] ?? '') : raw.slice(0, open)
  const name = fieldText(shown.trim().replace(/^"|"$/g, '')).replace(/\\(.)/g, '$1').trim()
  return { name, address, domain, site: domain === '' ? undefined : siteOf(domain) }
}

const BEFORE = /[^\s<>,;:"()[\]\\@]{1,64}$/
const BEHIND = /^(?:[a-z0-9\u0080-\uffff_-]{1,63}\.){1,9}[a-z0-9\u0080-\uffff-]{2,63}/i

/** Lower case, the first of them. */
export function addressesIn(text: string): string[] {
  const found: string[] = []
  for (let at = text.indexOf('@'); at >= 0 && found.length < ADDRESSES_MAX; at = text.indexOf('@', at + 1)) {
    const local = BEFORE.exec(text.slice(Math.max(0, at - 64), at))?.[0]
    const domain = local === undefined ? undefined : BEHIND.exec(text.slice(at + 1, at + 256))?.[0]
    if (domain !== undefined) found.push(`${local}@${domain}`.toLowerCase())
  }
  return found
}
