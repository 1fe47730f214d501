/** What the queue needs of the others. */
import type { Soon } from '#mail/decisions.ts'
import type { Report } from '#mail/event.ts'
import type { Attempt } from '#mail/outcome.ts'
import type { Change, QueueEntry, StoredMessage } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { Clock } from '#sys/clock.ts'
import type { Route } from '#tenant/directory.ts'

/** The face of the spool that the queue needs. */
export interface Keep {
  get(id: TraceId): QueueEntry | undefined
  load(id: TraceId): Soon<StoredMessage | undefined>
  change(id: TraceId, change: Change): void
}

export interface QueueParts {
  readonly clock: Clock
  readonly random: () => number
  readonly keep: Keep
  readonly route: (id: string) => Route | undefined
  /** Tries the given recipients (indices). Never rejects for what a peer does. */
  readonly attempt: (route: Route, message: StoredMessage, recipients: readonly number[]) => Promise<Attempt>
  readonly report: Report
  /** True: it may not be sent now, and was held instead. */
  readonly withheld?: (message: StoredMessage) => boolean
  /** Who has the mail of this destination, by its MX: `providers.ts`. Never rejects. */
  readonly provider?: (route: Route) => Promise<string | undefined>
  /** How long this message is tried; without it as long as its route says. */
  readonly lifetimeMs?: (route: Route, message: StoredMessage) => number
  /** No message of this route has less. */
  readonly lifetimeMsMin?: (route: Route) => number
  /** Stored messages of a tenant that may start in a second; absent or undefined: any number. */
  readonly tenantRate?: (tenant: string) => number | undefined
  /**
   * Tells the sender of a submitted message, if he may and wants to be told; the message has the states after the attempt.
   * Resolves when the report is synced. Never rejects. Absent: nobody is told, failures are held.
   */
  readonly tell?: (message: StoredMessage, tried: Tried) => Promise<Telling>
  /** Defers the start of what `add` makes ready; without it the start is at once. In a worker: `setImmediate`. */
  readonly soon?: (call: () => void) => void
}

/** What the sender of a message was told of an attempt. */
export interface Telling {
  /** By recipient whose failure our message `TraceId` tells of. */
  readonly returned: ReadonlyMap<number, TraceId>
  /** That it takes longer. */
  readonly delay: boolean
  /** Of failures that he was not told of: why not. One line. */
  readonly why?: string
}

/** What an attempt did to a message: who was tried, and the age at which the message is given up. */
export interface Tried {
  /** Indices into the envelope. */
  readonly tried: readonly number[]
  readonly attempt: Attempt
  readonly lifetimeMs: number
}

/** A destination that is away, or gets what waited while it was. */
export interface Drain {
  readonly route: string
  /** In its line: all while it is away, then those that came before it was back. */
  readonly waiting: number
  /** Since the start: messages from before it was back of which something was delivered. */
  readonly drained: number
}

/** For the metrics. */
export interface Counts {
  readonly waiting: number
  readonly underWay: number
  readonly later: number
  readonly sites: number
  readonly sitesDown: number
  /** Whose rate is limited by an outage that is over, or by what the server said. */
  readonly sitesPaced: number
  /** That hold something back after a complaint. */
  readonly providersLimited: number
}
