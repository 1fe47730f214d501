/**
 * A message in our keeping, as the spool gives it back: what spool, queue, delivery and the tools say to each other.
 */
import type { ForwardPath } from './address.ts'
import type { Content } from './content.ts'
import type { Envelope } from './envelope.ts'
import type { Obstacle } from './outcome.ts'
import type { TraceId } from './trace-id.ts'

/** Where one recipient of a stored message stands. Terminal: delivered, returned, dropped. */
export type RecipientState =
  | { readonly kind: 'pending' }
  | { readonly kind: 'delivered'; readonly atMs: number; readonly relay: string; readonly text: string }
  | { readonly kind: 'held'; readonly atMs: number; readonly reason: HoldReason; readonly text: string }
  /** The sender was told, in our message `report`, that it was not delivered. */
  | { readonly kind: 'returned'; readonly atMs: number; readonly report: TraceId; readonly text: string }
  | { readonly kind: 'dropped'; readonly atMs: number; readonly text: string }

/**
 * `refused`: the next hop's 5yz after we had custody; `expired`: the lifetime ended; `operator`: by command; `policy`: the
 * tenant's own rules, before any attempt; `locked`: the login that sent it is locked.
 */
export type HoldReason = 'refused' | 'expired' | 'operator' | 'loop' | 'policy' | 'locked'

/** Facts of reception that outlive the session. */
export interface Reception {
  readonly clientAddress: string
  readonly greetingName: string
  readonly protocol: string
  readonly receivedMs: number
}

/** A tenant's own user or server gave it to us: the reverse-path is the sender's, and reports may go there (law 2). */
export interface Submission {
  /** Who: the name of a credential, or `network` for a server whose address is the tenant's. */
  readonly credential: string
  /** Nobody answers automatic mail (RFC 3834 §2). */
  readonly automatic?: true
  /** To many, or of a list: other mail may go before it (`priority.ts`). */
  readonly bulk?: true
}

/** What the path hands to the spool. The content already has its trace fields. */
export interface NewMessage {
  readonly id: TraceId
  readonly tenant: string
  /** Route id, `tenant/route`. */
  readonly route: string
  readonly envelope: Envelope
  readonly reception: Reception
  /**
   * We wrote it ourselves, to a tenant's postmaster or to a sender: when it cannot be delivered it is dropped, never held.
   * Absent: mail of others.
   */
  readonly notice?: true
  /** Absent: nobody vouches for its reverse-path. */
  readonly submission?: Submission
  /** The login that gave it to us, where no submission names it: mail from `<>`, or that we warned its recipients of. */
  readonly login?: string
}

/** A held recipient that an operator released to another address. */
export interface Redirect {
  /** Index of the recipient in the envelope. */
  readonly recipient: number
  /** Where it goes now. */
  readonly forwardPath: ForwardPath
  readonly atMs: number
}

/** The small part that stays in memory for every message. Fields are mutable for the spool only. */
export interface QueueEntry {
  readonly id: TraceId
  readonly tenant: string
  readonly route: string
  readonly receivedMs: number
  readonly octets: number
  /** It may go before other mail (`priority.ts`). */
  readonly prompt?: boolean
  /** Attempts made so far. */
  readonly attempts: number
  /** Wall clock, ms; when the next attempt is due. */
  readonly nextAttemptMs: number
  /** `active`: some recipient is pending. `held`: none is pending, at least one is held. */
  readonly state: 'active' | 'held'
  /** Wall clock, ms: while `held`, since when the last of its recipients is. */
  readonly heldSinceMs?: number | undefined
  /** Absent while all are pending. Replaced as a whole when one of them changes. */
  readonly recipients?: readonly RecipientState[] | undefined
}

/** Its envelope is the one to be sent: redirected recipients have their new forward-path. */
export interface StoredMessage extends NewMessage {
  readonly recipients: readonly RecipientState[]
  readonly attempts: number
  readonly nextAttemptMs: number
  /** The last obstacle, for people. */
  readonly lastText?: string
  /** The sender was told that it takes longer. */
  readonly delayTold?: true
  /** What the envelope said at reception, of each recipient that was redirected. */
  readonly redirected?: readonly Redirected[]
  readonly content: Content
}

export interface Redirected {
  readonly recipient: number
  readonly original: ForwardPath
  readonly atMs: number
}

/** A change of state, appended to the log. */
export type Change =
  | {
      readonly kind: 'attempted'
      readonly atMs: number
      /** By recipient index; those not named keep their state. */
      readonly recipients: ReadonlyMap<number, RecipientState>
      readonly nextAttemptMs: number
      readonly obstacle?: Obstacle
      readonly text?: string
      readonly delayTold?: true
    }
  /** Pending recipients become held, or held ones pending again (release: due at `nextAttemptMs`), or all are dropped. */
  | { readonly kind: 'hold'; readonly atMs: number; readonly reason: HoldReason; readonly text: string }
  | { readonly kind: 'release'; readonly atMs: number; readonly nextAttemptMs: number }
  | { readonly kind: 'reschedule'; readonly atMs: number; readonly nextAttemptMs: number }
  | { readonly kind: 'reroute'; readonly atMs: number; readonly route: string; readonly nextAttemptMs: number }
  | { readonly kind: 'drop'; readonly atMs: number; readonly text: string }
  /**
   * The first of these recipients goes to another address by another route, due at `nextAttemptMs`; the others are dropped
   * with `text`, since one mailbox needs one copy.
   */
  | {
      readonly kind: 'redirect'
      readonly atMs: number
      /** Indices. At least one. */
      readonly recipients: readonly number[]
      readonly forwardPath: ForwardPath
      readonly route: string
      readonly nextAttemptMs: number
      readonly text: string
    }
