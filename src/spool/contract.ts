/**
 * The spool as the rest of the relay sees it: what it promises, how it refuses, what it tells the operator.
 *
 * Promise: a `SpoolReceipt` exists only for a message that is synced. A message whose append was rejected with any kind
 * but `uncertain` never comes back, not even after a crash. Nothing that the spool cannot read is ever deleted.
 */
import type { Content } from '#mail/content.ts'
import type { SpoolReceipt } from '#mail/custody.ts'
import type { Soon } from '#mail/decisions.ts'
import type { Change, NewMessage, QueueEntry, StoredMessage } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { Clock } from '#sys/clock.ts'
import type { Disk } from '#sys/disk.ts'
import type { LockOwner } from './lock.ts'

/**
 * `full`: no space; it comes back by itself. `broken`: a write or a sync failed. `closing`: we are shutting down.
 * `uncertain`: a sync failed and so did the attempt to declare the batch void, so the message may come back after a
 * restart. The sender must then hear no reply at all: close the connection, or a 4yz could be followed by a delivery.
 */
export type SpoolErrorKind = 'full' | 'broken' | 'closing' | 'uncertain'

export class SpoolError extends Error {
  readonly kind: SpoolErrorKind

  constructor(kind: SpoolErrorKind, text: string, cause?: unknown) {
    super(text, { cause })
    this.kind = kind
  }
}

export type SpoolHealth =
  | { readonly kind: 'ok' }
  | { readonly kind: 'full' }
  | { readonly kind: 'broken'; readonly error: unknown }

/** For the operator. Paths are those of the spool folder. */
export type SpoolAlarm =
  /** A range of a segment that is not what was written. `copy` is its copy; without one, the segment is kept. */
  | {
      readonly kind: 'corrupt'
      readonly segment: string
      readonly from: number
      readonly to: number
      readonly reason: Damage
      readonly id?: TraceId
      readonly copy?: string
    }
  /** The last write before a crash is not complete. It was never acknowledged. */
  | {
      readonly kind: 'torn'
      readonly segment: string
      readonly from: number
      readonly to: number
      readonly copy?: string
    }
  /** The file ends too early: records that were there are gone. `expected` is unknown for want of a seal. */
  | { readonly kind: 'cut'; readonly segment: string; readonly at: number; readonly expected?: number }
  /** Could not be opened or read, several times. The segment is kept; a restart tries again. */
  | { readonly kind: 'unreadable'; readonly segment: string; readonly error: unknown }
  /** Found at the start, but its sync failed: it and all older ones are kept until the next start. */
  | { readonly kind: 'unsynced'; readonly segment: string; readonly error: unknown }
  /** Written by a newer release. The segment is kept for it. */
  | { readonly kind: 'newer-version'; readonly segment: string; readonly version: number }
  | { readonly kind: 'full' }
  | { readonly kind: 'broken'; readonly error: unknown }
  | { readonly kind: 'recovered' }
  | { readonly kind: 'housekeeping-failed'; readonly segment: string; readonly error: unknown }

/** What is wrong with a range: no header, a checksum, a length past the end, a payload that says nothing sensible. */
export type Damage = 'header' | 'meta' | 'content' | 'incomplete' | 'payload'

export type ReadResult =
  | { readonly kind: 'stored'; readonly message: StoredMessage }
  /** No such message, or settled. */
  | { readonly kind: 'gone' }
  /** The checksum is wrong. Set aside, alarmed, and forgotten by the queue from now on. */
  | { readonly kind: 'corrupt' }
  /** The disk did not answer; the message is still ours. Try later. */
  | { readonly kind: 'unreadable'; readonly error: unknown }

export interface SpoolCounts {
  /** Live messages. */
  readonly messages: number
  /** Content of live messages. */
  readonly octets: number
  readonly segments: number
  /** Since the start. */
  readonly batches: number
  readonly syncs: number
}

export interface Replayed {
  /** Live messages found. */
  readonly messages: number
  /** Ranges set aside. */
  readonly corrupt: number
  /** Segments with a torn tail. */
  readonly torn: number
}

export interface SpoolOptions {
  /** Belongs to one process alone. Created if absent. */
  readonly folder: string
  readonly disk: Disk
  readonly clock: Clock
  /** A segment is closed when it has this many octets. Default 64 MiB; tests use less. */
  readonly segmentOctets?: number
  /** With less free space than this, appends are refused. What is left is for changes and for compaction. */
  readonly freeOctetsMin: number
  readonly alarm: (event: SpoolAlarm) => void
  /** Who holds the lock; by default this process. */
  readonly lockOwner?: LockOwner
  /** 8 random octets, for a new segment. Default from `node:crypto`. */
  readonly newKey?: () => Buffer
  /** Content of recent messages kept in memory for their first delivery. Default 16 MiB. */
  readonly recentOctetsMax?: number
}

export interface Spool {
  /** Resolves after the sync of the batch; rejects with `SpoolError`. `message.id` must be new. */
  append(message: NewMessage, content: Content, firstAttemptMs: number): Promise<SpoolReceipt>
  /**
   * Memory changes at once. The record is written with the next batch, after 2 ms at the latest, and synced within 100 ms. Never throws; with a
   * broken disk the record waits, and if we die before it is written, the attempt may be made again.
   */
  change(id: TraceId, change: Change): void
  /** All live messages known so far. May be paused between two entries for as long as you like. */
  entries(): Iterable<QueueEntry>
  get(id: TraceId): QueueEntry | undefined
  /** At once for recent messages. */
  read(id: TraceId): Soon<ReadResult>
  /** Called for each live message that replay finds from now on. One callback. */
  onEntry(callback: (entry: QueueEntry) => void): void
  /** Never rejects. */
  readonly replayed: Promise<Replayed>
  readonly health: SpoolHealth
  /** What new messages may take before the disk counts as full, by the last look at it; it may be below 0. */
  readonly roomOctets: number
  readonly counts: SpoolCounts
  /** Writes and syncs what is waiting, gives the lock back. Appends after this are rejected as `closing`. */
  close(): Promise<void>
}
