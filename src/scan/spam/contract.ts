/**
 * What the rooms of the spam filter share. A rule looks at one message and says signs; each sign's symbol stands in the table
 * of its family, with its weight and its meaning in the languages of the people who will read it. Families do not know each
 * other: what they say is added up in combine.ts.
 *
 * Rules run in a reading thread, one message at a time: they may compute, they may not wait, ask or remember. What needs the
 * network or a memory (lists, reputation, authentication) says its signs on the path, with the same tables.
 */
import type { SpamSign } from '#mail/spam.ts'
import type { SpamMessage } from './message.ts'

/** Evidence of one family is often one fact seen twice: what a family adds is bounded (`FAMILY_WEIGHT_MAX`). */
export type SpamFamily =
  | 'connection'
  | 'authentication'
  | 'header'
  | 'sender'
  | 'mime'
  | 'html'
  | 'links'
  | 'text'
  | 'attachments'
  | 'bulk'
  | 'impersonation'
  | 'lists'
  | 'reputation'
  | 'duplicates'
  | 'classifier'
  | 'engines'

export interface SymbolMeaning {
  readonly family: SpamFamily
  /** Log odds when it speaks with full strength; 0: informs only. See ADR 0027 for how weights are found. */
  readonly weight: number
  /** What was seen, in a few words, without a full stop: for headers, traces, `vorposten scan` and the portal. */
  readonly en: string
  readonly de: string
}

/** By symbol: `UPPER_SNAKE_CASE`. */
export type SymbolTable = Readonly<Record<string, SymbolMeaning>>

/** What is known of a message beside its octets. All of it may be missing: a file on disk has no session. */
export interface SpamAbout {
  readonly session?: {
    readonly client: string
    readonly greetingName?: string
    readonly tls: boolean
    /** The client spoke before it was its turn. */
    readonly earlyTalk?: boolean
    /** Host name of the client that leads back to it; `none`: there is none; `unknown`: could not be asked. */
    readonly clientName?:
      | { readonly kind: 'confirmed' | 'unconfirmed'; readonly name: string }
      | { readonly kind: 'none' | 'unknown' }
  }
  /** Addresses, plain: `anna@bakery.example`; empty reverse-path: `<>`. */
  readonly reversePath?: string
  readonly recipients?: readonly string[]
  readonly tenant?: {
    readonly domains: readonly string[]
    /** Names of people who must not be played: `Anna Beck`. */
    readonly people: readonly string[]
  }
  /** Domains that have authenticated it, and what DMARC says of the author's; absent: nobody looked. */
  readonly authenticated?: {
    readonly spf?: string
    readonly dkim: readonly string[]
    readonly dmarc: 'pass' | 'fail' | 'none' | 'unknown'
    readonly dmarcPolicy?: 'none' | 'quarantine' | 'reject'
  }
}

/** Said by a rule: its symbol, how strongly between 0 and 1 (1 if it does not say), and what it saw. */
export interface Said {
  readonly symbol: string
  readonly strength?: number
  readonly detail?: string
}

export interface SpamRules {
  readonly symbols: SymbolTable
  look(message: SpamMessage, about: SpamAbout): Iterable<Said>
}

/** A sign of a table; detail as it may be shown. */
export function signOf(table: SymbolTable, { symbol, strength = 1, detail }: Said): SpamSign {
  const { weight } = table[symbol]!
  return { symbol, weight: weight * strength, ...(detail !== undefined && { detail }) }
}
