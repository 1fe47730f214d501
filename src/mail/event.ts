/**
 * What the path tells the report: one event for each thing that happened to a message, or to a session that never had
 * one. Logs, metrics, trace and, later, conformance all live on these. Texts may name hosts and addresses; they are for
 * the operator and, where they belong to one tenant, for that tenant.
 */
import type { Mailbox } from './address.ts'
import type { DsnClass, DsnKind } from './dsn.ts'
import type { Envelope, Recipient } from './envelope.ts'
import type { FeedbackAbout, FeedbackDecision, FeedbackProof } from './feedback.ts'
import type { Attempt, RefusalStage } from './outcome.ts'
import type { ProbeAnswer } from './probe.ts'
import type { QuarantineAction, QuarantineClass } from './quarantine.ts'
import type { NegativeReply, RemoteReply } from './reply.ts'
import type { ScanFact } from './scan.ts'
import type { Session } from './session.ts'
import type { SpamDecision, SpamResult } from './spam.ts'
import type { HoldReason, QueueEntry, Submission } from './stored.ts'
import type { TraceId } from './trace-id.ts'
import type { Reason } from './verdict.ts'

/** `command`: by the protocol machine itself. */
export type RefusedAt = 'connect' | 'command' | 'mail' | 'rcpt' | 'data' | 'content'

/** A DKIM signature of ours: d= and s=. */
export interface Signature {
  readonly domain: string
  readonly selector: string
}

export type PathEvent =
  | {
      readonly kind: 'refused'
      readonly id: TraceId
      readonly at: RefusedAt
      readonly session: Session
      readonly envelope?: Pick<Envelope, 'reversePath' | 'recipients'>
      readonly recipient?: Recipient
      readonly tenant?: string
      readonly reply: NegativeReply
      readonly reasons: readonly Reason[]
    }
  | {
      readonly kind: 'accepted'
      readonly id: TraceId
      readonly session: Session
      readonly envelope: Envelope
      readonly tenant: string
      readonly route: string
      readonly octets: number
      readonly messageId?: string
      readonly custody: 'spool' | 'next-hop' | 'quarantine'
      /** From MAIL to our 250. */
      readonly receptionMs: number
      /** Why the spool and not the next hop, where cut-through was tried. */
      readonly note?: string
      /** Signed on its way out. */
      readonly signatures?: readonly Signature[]
      /** Of mail that leaves: who vouches for its reverse-path. */
      readonly submission?: Submission
    }
  /** The recipients of an accepted transaction are at several destinations: these of them are a message of its own, `part`. */
  | {
      readonly kind: 'split'
      readonly id: TraceId
      readonly part: TraceId
      readonly tenant: string
      readonly route: string
      readonly recipients: readonly Recipient[]
    }
  /** An attempt at AUTH ended. `text` is for the operator. */
  | {
      readonly kind: 'authenticated'
      readonly session: Session
      readonly mechanism: string
      readonly result: 'right' | 'wrong' | 'locked' | 'network' | 'throttled' | 'malformed' | 'unknown'
      /** As the client wrote it. */
      readonly login?: string
      readonly tenant?: string
      readonly text: string
    }
  /** Answered 250, and by the tenant's own rule, or ours for our own mail, nobody gets it: these recipients, of perhaps more. */
  | {
      readonly kind: 'discarded'
      readonly id: TraceId
      readonly session: Session
      readonly envelope: Pick<Envelope, 'reversePath'>
      readonly recipients: readonly Recipient[]
      readonly tenant: string
      readonly octets: number
      readonly messageId?: string
      readonly reasons: readonly Reason[]
    }
  /** The virus wall has looked, or tried to; a refusal has its own event. */
  | {
      readonly kind: 'scanned'
      readonly id: TraceId
      readonly tenant: string
      readonly session: Session
      readonly decision: 'clean' | 'tag' | 'strip' | 'quarantine' | 'defer' | 'reject'
      /** The first of all that was found; those that decided come first. */
      readonly facts: readonly ScanFact[]
      /** The settings that decided, and where they stand: `macros: reject, by tenants.bakery.virus`. */
      readonly policy: readonly string[]
      readonly cleanBy: readonly string[]
      readonly durationMs: number
      /** Whether the same content was looked at a short time ago. */
      readonly memory?: 'hit' | 'miss'
    }
  /** The spam filter has judged; a refusal has its own event. */
  | ({
      readonly kind: 'filtered'
      readonly id: TraceId
      readonly tenant: string
      readonly decision: SpamDecision
      /** The setting that decided, and where it stands: `reject-at: 12, by default`; absent: none did, it passes. */
      readonly policy?: string
    } & Omit<SpamResult, 'probability'>)
  /** What a policy found and decided; counted only, since what follows from it has its own event. */
  | {
      readonly kind: 'governed'
      readonly tenant: string
      readonly subject: 'outbound' | 'auto-reply' | 'ndr' | 'bounce' | 'dkim' | 'return-path' | 'spf' | 'dmarc'
      readonly decision: string
    }
  | {
      readonly kind: 'attempted'
      readonly id: TraceId
      readonly tenant: string
      readonly route: string
      /** The recipients tried, aligned with `attempt.outcomes`. */
      readonly recipients: readonly Recipient[]
      readonly attempt: Attempt
      /** Since reception. */
      readonly ageMs: number
      readonly inSession: boolean
      /** The message is a notice of ours. */
      readonly notice?: true
      /** Positions in `recipients`: their sender was told of the failure. */
      readonly returned?: readonly number[]
    }
  | {
      readonly kind: 'held'
      readonly entry: QueueEntry
      readonly reason: HoldReason
      readonly recipients: readonly Recipient[]
      readonly text: string
      /** Where the next hop refused, if it did: an address (R1), or the content (R3)? */
      readonly stage?: RefusalStage
      /** The server's words, if there were any: its 5yz, or the last 4yz before the lifetime ended. */
      readonly reply?: RemoteReply
    }
  /** Nobody gets it and nobody is told. `kept`: held until its time was over; others: a notice of ours. */
  | {
      readonly kind: 'dropped'
      readonly entry: QueueEntry
      readonly reason: 'kept' | 'refused' | 'expired'
      readonly recipients: readonly Recipient[]
      readonly text: string
    }
  /** We wrote to a tenant's postmaster, or to the sender of the message `about`, and it is in our own spool. */
  | {
      readonly kind: 'notice-queued'
      readonly entry: QueueEntry
      readonly recipient: Recipient
      readonly about?: TraceId
    }
  | {
      readonly kind: 'operator'
      readonly entry: QueueEntry
      readonly action: 'held' | 'released' | 'redirected' | 'requeued' | 'rerouted' | 'deleted'
      readonly text: string
    }
  /** A person, or time, did something with a message in quarantine. */
  | {
      readonly kind: 'quarantine'
      readonly id: TraceId
      readonly tenant: string
      readonly class: QuarantineClass
      readonly action: QuarantineAction
      readonly who: string
      readonly text: string
      /** Of a release: the message that it became, and whom for. */
      readonly part?: TraceId
      readonly recipients?: readonly Recipient[]
    }
  /** A report to a sender went into the spool; `report` is its own id, `id` that of the message that it is about. */
  | {
      readonly kind: 'dsn-sent'
      readonly id: TraceId
      readonly report: TraceId
      readonly tenant: string
      readonly class: DsnClass
      /** The gravest of what it says. */
      readonly dsnKind: DsnKind
      readonly to: Mailbox
    }
  /** A bounce or a report, `id`, says something of mail that left: what was learned of it, or why nothing. */
  | {
      readonly kind: 'feedback'
      readonly id: TraceId
      /** Whose mail it is about; where that is not proved, whose address it came to. */
      readonly tenant: string
      readonly about: FeedbackAbout | 'report'
      readonly decision: FeedbackDecision
      readonly login?: string
      /** `mailboxKey` */
      readonly address?: string
      readonly proof?: FeedbackProof
      readonly text: string
    }
  /** Every recipient has its end; the spool forgets the message. */
  | { readonly kind: 'settled'; readonly id: TraceId; readonly tenant: string }
  | { readonly kind: 'probed'; readonly tenant: string; readonly route: string; readonly answer: ProbeAnswer }
  /** A made-up address was asked for: does the server take every address? (R1) */
  | {
      readonly kind: 'takes-all-tested'
      readonly tenant: string
      readonly route: string
      readonly domain: string
      readonly takesAll: boolean
    }
  | { readonly kind: 'session-closed'; readonly session: Session; readonly why: string }
  /** Something that a person should look at. */
  | { readonly kind: 'alarm'; readonly symbol: string; readonly text: string }

export type Report = (event: PathEvent) => void
