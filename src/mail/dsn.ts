/**
 * The vocabulary of a delivery status notification (RFC 3464): what it says of a message and of each recipient, and the
 * classes under which those sent are counted (`vorposten_dsn_emitted_total{class}`).
 */
import type { Recipient } from './envelope.ts'
import { type Proof, VerifiedReturnPath } from './return-path.ts'
import type { Status } from './status.ts'

/** RFC 3464 §2.3.3. We expand no lists; the word is here because others say it. */
export type DsnAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded'

/** What a sender may be told once for each recipient. */
export type DsnKind = 'failure' | 'delay' | 'success'

export const kindOfAction = (action: DsnAction): DsnKind =>
  action === 'failed' ? 'failure' : action === 'delayed' ? 'delay' : 'success'

/** What a report with several actions is called: by its gravest. */
export const gravest = (actions: readonly DsnAction[]): DsnKind => {
  const kinds = actions.map(kindOfAction)
  return kinds.includes('failure') ? 'failure' : kinds.includes('delay') ? 'delay' : 'success'
}

/** By what the return path was verified. `unverified` is counted to prove that it stays 0 (law 2). */
export type DsnClass = Proof['kind'] | 'unverified'
export const DSN_CLASSES: readonly DsnClass[] = ['unverified', 'submission', 'spf-pass', 'aligned-dkim']

/** Asks the value itself, not its type: a cast that got past the compiler is counted as what it is. */
export const dsnClass = (path: object): DsnClass => (VerifiedReturnPath.is(path) ? path.proof.kind : 'unverified')

/** RFC 3464 §2.3: one group of per-recipient fields. Times are wall clock, ms. */
export interface RecipientReport {
  /** Index in the envelope. */
  readonly index: number
  readonly recipient: Recipient
  readonly action: DsnAction
  readonly status: Status
  /** The remote server's words, or ours where there was no remote. One line. */
  readonly text: string
  /** A host name. */
  readonly remoteMta?: string
  readonly lastAttemptMs?: number
  /** Only with `delayed` (RFC 3464 §2.3.9). */
  readonly willRetryUntilMs?: number
}
