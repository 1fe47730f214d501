/**
 * A message in quarantine: taken from its sender, kept from everybody, until a person decides or its time is over. This is
 * what the path hands over, and what the store, the tools and, later, digests and the portal speak of. Every filter that
 * wants something kept says so with these words.
 *
 * Its content is in two pieces: `trace`, what we put before it (it names this one message), and the rest as it came in, which
 * is kept once however many messages have it.
 */
import type { Envelope } from './envelope.ts'
import type { ScanFact } from './scan.ts'
import type { Service } from './session.ts'
import type { Reception } from './stored.ts'
import type { TraceId } from './trace-id.ts'

/** `unchecked`: nothing bad is known of it, but it could not be looked into. The last four are the spam filter's. */
export const QUARANTINE_CLASSES = [
  ...(['malware', 'forbidden-file', 'suspicious', 'unchecked'] as const),
  ...(['spam', 'phishing', 'bulk', 'backscatter'] as const),
] as const
export type QuarantineClass = (typeof QUARANTINE_CLASSES)[number]

/** Which filter decided: a release overrules this decision, on these facts, and no other. */
export type QuarantinedBy = 'virus' | 'spam'

/** Of `text`, in characters. */
export const QUARANTINE_TEXT_MAX = 300
/** Of the facts of one message as JSON, in characters; a person reads some of them, and a release looks again anyway. */
export const QUARANTINE_FACTS_TEXT_MAX = 64 * 1024

export interface Quarantined {
  readonly id: TraceId
  readonly tenant: string
  readonly service: Service
  readonly class: QuarantineClass
  readonly by: QuarantinedBy
  /** Why, in one line. Printable. */
  readonly text: string
  /** All that was known when it was decided, what decided first. */
  readonly facts: readonly ScanFact[]
  readonly envelope: Envelope
  readonly reception: Reception
  /** Our trace fields, ending in CRLF. */
  readonly trace: Uint8Array
  /** SHA-256 of the rest, hex, lower case. */
  readonly hash: string
  /** Of both pieces. */
  readonly octets: number
}

/** What becomes of a message that was to be kept. */
export type KeepAnswer =
  | { readonly kind: 'kept' }
  /** Nothing was kept, and nothing of it will come back. `tenant`: his share is used up; `disk`: there is no room for anybody. */
  | { readonly kind: 'full'; readonly of: 'tenant' | 'disk' }
  | { readonly kind: 'failed'; readonly text: string }

/** What people do to a message in quarantine, and what time does. */
export type QuarantineAction = 'shown' | 'exported' | 'released' | 'release-refused' | 'deleted' | 'expired'
