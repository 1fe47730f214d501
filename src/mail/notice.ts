/**
 * What a tenant's postmaster is told by mail, as facts: who makes the notice knows what happened, who sends it knows how
 * to say it and in which language.
 */

/** Facts that every notice about a tenant's server has. */
export interface RouteFacts {
  readonly tenant: string
  /** `tenant/name` */
  readonly route: string
  /** A-labels; `*.bakery.example` stands for the subdomains. */
  readonly domains: readonly string[]
  /** Wall clock, ms: when the state began that the notice is about. */
  readonly sinceMs: number
  /** Wall clock, ms: now. */
  readonly atMs: number
  /** Messages that wait for this route, in all workers. */
  readonly waiting: number
  /** Wall clock, ms: when the oldest of them was received. Absent: none waits. */
  readonly oldestMs?: number
}

/** The fallback MX tells of an outage at its start, daily, and at its end. `text`: what the server said, or why not. */
export interface PrimaryNotice extends RouteFacts {
  readonly kind: 'primary-down' | 'still-down' | 'primary-up'
  readonly text: string
  /** Wall clock, ms: when the oldest message will be held instead of tried further. */
  readonly expiresMs?: number
}

export interface MaintenanceNotice extends RouteFacts {
  readonly kind: 'maintenance-began' | 'maintenance-ended'
  /** Wall clock, ms: its end, as planned. */
  readonly untilMs: number
  readonly reason?: string
}

export type Notice = PrimaryNotice | MaintenanceNotice

/** Takes a notice; sending it is the taker's affair. Never rejects. */
export type Notify = (notice: Notice) => void
