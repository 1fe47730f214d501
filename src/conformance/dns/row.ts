/**
 * What the deliverability desk knows before it asks DNS, and what it says of each record. A row is `unknown` only where DNS
 * did not answer: that is never taken for a missing record (law 4).
 */
import type { Algorithm } from '#auth/dkim/signature.ts'

export type RecordKind =
  | 'address'
  | 'MX'
  | 'SPF'
  | 'DKIM'
  | 'DMARC'
  | 'MTA-STS'
  | 'TLS-RPT'
  | 'TLSA'
  | 'PTR'
  | 'sender token'

/**
 * `advised`: not there, and mail arrives without it. `not-needed`: this relay has no part in it. `wrong`: it is there, and does
 * harm or nothing.
 */
export type RowState = 'there' | 'missing' | 'wrong' | 'unknown' | 'advised' | 'not-needed'

export interface Row {
  readonly kind: RecordKind
  /** Owner name of the record, A-labels. */
  readonly name: string
  readonly state: RowState
  readonly text: string
  /** Lines for a zone file that put it right; each replaces what has the same name and kind. */
  readonly paste?: readonly string[]
}

export interface SendingAddress {
  readonly address: string
  /** What we say in EHLO from there. */
  readonly greetingName: string
}

export interface DeskKey {
  readonly selector: string
  readonly algorithm: Algorithm
  readonly publicKey: string
  readonly state: 'pending' | 'active' | 'retired'
}

export interface DeskFacts {
  /** A-labels. */
  readonly domain: string
  readonly hostname: string
  /** Names of this relay, its host name first. */
  readonly ownNames: readonly string[]
  /** Its mail comes in here; false: a sender domain, whose mail goes elsewhere. */
  readonly receives: boolean
  /** Of a sender domain: the token of its tenant; `not-readable`: the key that makes it cannot be read. */
  readonly senderToken?: string | 'not-readable'
  /** We stand behind the domain's own servers. */
  readonly fallback: boolean
  /** The tenant sends through us. */
  readonly sends: boolean
  /** Empty where others bring its mail out (`carriers`), or where nobody knows. */
  readonly sources: readonly SendingAddress[]
  /** Hosts of a route that is no `use-mx`: the world sees their addresses, not ours. */
  readonly carriers: readonly string[]
  /** Undefined: the store could not be read. */
  readonly keys: readonly DeskKey[] | undefined
  /** SHA-256 of the public keys that the inbound listeners show, in hex; without self-signed ones. */
  readonly publicKeyDigests: readonly string[]
  /** Why an address cannot be reached from the Internet. */
  readonly notPublic: (address: string) => string | undefined
}

/** Of the records that say where mail of the domain goes in. */
export const NOT_RECEIVED = 'its mail does not come in here'
