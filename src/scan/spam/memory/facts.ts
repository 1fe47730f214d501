/**
 * What the memory needs to know of a message, and whom it takes for its sender.
 *
 * | who | if | what his mail does to him |
 * |---|---|---|
 * | `network` | always: IPv4 /24, IPv6 /48 of the client | counts |
 * | `domain` | SPF or DKIM have authenticated it, the author's if they align; not where anybody has an address | counts |
 * | `address` | the author's, if its domain is authenticated | counts |
 * | `claim` | the author's domain is not authenticated | counts for this domain from this network, and for nobody else |
 *
 * Domains are counted as they are registered (`shop.example` for `news.shop.example`): names below it cost nothing.
 * So whoever claims a domain that is not his neither harms it nor profits by it.
 */
import { clientNetworks } from '#auth/client-networks.ts'
import { mailboxKey } from '#mail/address.ts'
import { registrant } from '#mail/registrable-domain.ts'
import { addressList } from '#mime/address-list.ts'
import { fieldValue } from '#mime/structure.ts'
import type { SpamAbout } from '../contract.ts'
import { FREE_MAIL } from '../data/free-mail.ts'
import type { SpamMessage } from '../message.ts'
import { type Fingerprint, fingerprintOf } from './simhash.ts'

/** Of References, the last ones: the first stand for messages of long ago. */
export const ANSWERS_MAX = 8
const MESSAGE_ID_CHARACTERS_MAX = 250
/** Of a field that is looked at, in characters. */
const FIELD_CHARACTERS_MAX = 4_000

/** What the octets of a message say, found by the reading thread. */
export interface Trail {
  /** `mailboxKey` of the one author; absent: there are several, or none that can be read. */
  readonly author?: string
  /** Message-IDs that it says it answers, without brackets. */
  readonly answers: readonly string[]
  /** Absent: too few words to tell one text from another. */
  readonly fingerprint?: Fingerprint
}

export interface MemoryFacts {
  readonly tenant: string
  readonly about: Pick<SpamAbout, 'session' | 'authenticated' | 'recipients'>
  readonly trail: Trail
}

export type SenderKind = 'network' | 'domain' | 'address' | 'claim'

export interface Sender {
  readonly kind: SenderKind
  /** `192.0.2.0/24`, `shop.example`, `anna@shop.example`, `192.0.2.0/24 shop.example`. */
  readonly name: string
}

export function trailOf(message: SpamMessage): Trail {
  const author = authorOf(message)
  const fingerprint = fingerprintOf(message)
  return {
    ...(author !== undefined && { author }),
    answers: answersOf(message),
    ...(fingerprint !== undefined && { fingerprint }),
  }
}

/** Those of whom something may be known, the most general first. */
export function sendersOf({
  about: { session, authenticated },
  trail: { author },
}: Pick<MemoryFacts, 'about' | 'trail'>): Sender[] {
  const senders: Sender[] = []
  const network = session && networkOf(session.client)
  if (network !== undefined) senders.push({ kind: 'network', name: network })
  const claimed = author && domainOf(author)
  const isProven = author !== undefined && isAuthenticated(author, authenticated)
  const domain = isProven ? claimed : (authenticated?.dkim[0] ?? authenticated?.spf)
  if (domain !== undefined && !FREE_MAIL.has(domain)) senders.push({ kind: 'domain', name: registrant(domain) })
  if (author !== undefined && isProven) senders.push({ kind: 'address', name: author })
  else if (claimed !== undefined && network !== undefined)
    senders.push({ kind: 'claim', name: `${network} ${registrant(claimed)}` })
  return senders
}

export const networkOf = (client: string): string => clientNetworks(client).site
export const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1)

/**
 * Does somebody vouch for the author's domain? DMARC's word counts. Where the domain has no policy, every name of the same
 * registered domain does, as DMARC has it if nobody says otherwise.
 */
export function isAuthenticated(author: string, authenticated: SpamAbout['authenticated']): boolean {
  if (authenticated === undefined || authenticated.dmarc === 'fail') return false
  if (authenticated.dmarc === 'pass') return true
  const site = registrant(domainOf(author))
  const { spf, dkim } = authenticated
  return [...dkim, ...(spf === undefined ? [] : [spf])].some((one) => registrant(one) === site)
}

function authorOf({ fields }: SpamMessage): string | undefined {
  const all = fields.filter(({ name }) => name === 'from')
  if (all.length !== 1) return undefined
  const value = all[0]!.value.slice(0, FIELD_CHARACTERS_MAX)
  const authors = addressList(Buffer.from(value, 'latin1').toString())
  return authors?.length === 1 ? mailboxKey(authors[0]!) : undefined
}

function answersOf({ fields }: SpamMessage): string[] {
  const found = new Set<string>()
  for (const name of ['in-reply-to', 'references']) {
    const value = (fieldValue(fields, name) ?? '').slice(-FIELD_CHARACTERS_MAX)
    for (const id of value.match(/<[^<>\s]{1,250}>/g) ?? []) found.add(bareId(id))
  }
  return [...found].slice(-ANSWERS_MAX)
}

/** A Message-ID without its brackets. */
export const bareId = (id: string): string => id.trim().replace(/^<|>$/g, '').slice(0, MESSAGE_ID_CHARACTERS_MAX)
