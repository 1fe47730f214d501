/**
 * What a tenant's postmaster is told by mail, as facts: who makes the notice knows what happened, who sends it knows how
 * to say it and in which language.
 */
import type { ForwardPath, ReversePath } from './address.ts'
import type { HoldReason } from './stored.ts'
import type { TraceId } from './trace-id.ts'

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

/**
 * The fallback MX tells of an outage at its start, daily, at its end, and when the backlog is gone, if that takes long.
 * `text`: what the server said, or why not.
 */
export interface PrimaryNotice extends RouteFacts {
  readonly kind: 'primary-down' | 'still-down' | 'primary-up' | 'primary-drained'
  readonly text: string
  /** Wall clock, ms: when the oldest message will be held instead of tried further. */
  readonly expiresMs?: number
  /** Wall clock, ms: when the server was up again, if that is not now. */
  readonly upMs?: number
  /** When it is told after the backlog is gone: how many went out, and how long that took. `waiting` is what is left of it. */
  readonly drained?: { readonly messages: number; readonly tookMs: number }
  /** Of the backlog: the server refused them, or they expired, and they are held. */
  readonly held?: number
}

export interface MaintenanceNotice extends RouteFacts {
  readonly kind: 'maintenance-began' | 'maintenance-ending' | 'maintenance-ended'
  /** Wall clock, ms: its end, as planned. */
  readonly untilMs: number
  readonly reason?: string
}

/** One message that is held. All octets are as senders and servers wrote them: who renders them makes them harmless. */
export interface HeldMessage {
  readonly id: TraceId
  /** `tenant/name` */
  readonly route: string
  readonly reversePath: ReversePath
  /** Those that are held; others of the same message may have been delivered. */
  readonly recipients: readonly HeldRecipient[]
  /** What stands behind the colon of its Subject field, one character per octet. Absent: it has none. */
  readonly subject?: string
  readonly octets: number
  /** Wall clock, ms. */
  readonly receivedMs: number
  /** Wall clock, ms: when it will be deleted. Absent: it stays until somebody decides. */
  readonly keptUntilMs?: number
}

export interface HeldRecipient {
  readonly forwardPath: ForwardPath
  readonly reason: HoldReason
  /** As in `RecipientState`: the reply of the next hop (`550 5.1.1 no such user`), or what we say. */
  readonly text: string
}

/** Mail that we took and could not deliver, and did not answer with a bounce: the postmaster decides. */
export interface HeldDigest {
  readonly kind: 'held-digest'
  readonly tenant: string
  /** Wall clock, ms: now. */
  readonly atMs: number
  /** New since the last digest, oldest first. At least one; who has many may pass the first hundred. */
  readonly messages: readonly HeldMessage[]
  /** How many are new, those of `messages` included. */
  readonly newHeld: number
  /** How many of the tenant's messages are held in all. */
  readonly allHeld: number
}

/** Why a login looks stolen (R7). */
export type SignSymbol =
  | 'unknown-recipients'
  | 'malware'
  | 'sudden-volume'
  | 'keeps-sending'
  | 'many-domains'
  | 'new-network'
  | 'bounces'
  | 'complaints'

/** `count` recipients (of `malware`: messages), `of` so many that were answered, or where so many were usual. */
export interface LoginSign {
  readonly symbol: SignSymbol
  readonly count: number
  readonly of?: number
}

/** A login was locked, because it looks stolen. */
export interface LoginNotice {
  readonly kind: 'login-locked'
  readonly tenant: string
  readonly login: string
  /** Wall clock, ms: now. */
  readonly atMs: number
  /** At least one. */
  readonly signs: readonly LoginSign[]
}

/** The token of a sender domain is gone from DNS: since then, or so long that the tenant may send as it no more. */
export interface SenderDomainNotice {
  readonly kind: 'sender-domain-going' | 'sender-domain-revoked'
  readonly tenant: string
  /** A-labels. */
  readonly domain: string
  /** The TXT record that must be there. */
  readonly recordName: string
  readonly record: string
  /** Wall clock, ms: when it was first missed. */
  readonly sinceMs: number
  /** Wall clock, ms: the end of the time of grace. */
  readonly untilMs: number
  /** Wall clock, ms: now. */
  readonly atMs: number
}

/** About a server of a tenant. */
export type ServerNotice = PrimaryNotice | MaintenanceNotice
export type Notice = ServerNotice | HeldDigest | LoginNotice | SenderDomainNotice

/** Takes a notice; sending it is the taker's affair. Never rejects. */
export type Notify = (notice: Notice) => void
