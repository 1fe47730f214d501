/**
 * The server session's face to the world: octets and ticks in, effects out; no sockets, no timers, no promises.
 * `accept/` drives it: feed `receive`, carry out what `take` returns, answer the question with `answer`.
 */
import type { Content } from '#mail/content.ts'
import type { AuthAnswer, AuthStep, ContentAnswer, EtrnAnswer } from '#mail/decisions.ts'
import type { Recipient } from '#mail/envelope.ts'
import type { NegativeReply } from '#mail/reply.ts'
import type { Session, TlsFacts, Transaction } from '#mail/session.ts'
import type { Gate } from '#mail/verdict.ts'

/** Every limit has a name, a unit and a reason (law 8). Defaults in `limits.ts`. */
export interface ServerLimits {
  /** One command line with CRLF. RFC 5321 §4.5.3.1.4 says 512; the parameters of SMTPUTF8 and DSN add to it. */
  readonly commandOctetsMax: number
  /** SIZE (RFC 1870); a domain may have less, never more. */
  readonly contentOctetsMax: number
  /** RFC 5321 §4.5.3.1.6 of text lines with CRLF: beyond this the content is refused. 1000 is the standard's figure. */
  readonly textLineOctetsMax: number
  /** Per transaction; at least 100 (RFC 5321 §4.5.3.1.8). */
  readonly recipientsMax: number
  /** Commands in error before 421. */
  readonly errorsMax: number
  /** Transactions per session; announced with LIMITS (RFC 9422). */
  readonly transactionsMax: number
  /** Pipelined input that waits while a question is open; beyond it the session wants no input. */
  readonly pendingOctetsMax: number
  /** Silence in a command state: RFC 5321 §4.5.3.2.7 says 5 min at least. */
  readonly commandMsMax: number
  /** Silence while content arrives. */
  readonly dataBlockMsMax: number
  /** A whole session. */
  readonly sessionMsMax: number
}

export interface ServerSettings {
  readonly hostname: string
  readonly limits: ServerLimits
  /** STARTTLS is offered until it was used. */
  readonly startTls: boolean
  /** Nothing but NOOP, EHLO, STARTTLS, QUIT before TLS. Never for a public MX (RFC 3207 §4). */
  readonly requireTls: boolean
  /** Content with bare CR or LF: refused, or made CRLF before anything else looks at it (law 6). */
  readonly lineEnds: 'refuse' | 'normalise'
  /** AUTH mechanisms (RFC 4954), best first; announced under TLS only. Empty: AUTH is unknown (502). */
  readonly authMechanisms: readonly string[]
  readonly etrn: boolean
}

export type Question =
  | { readonly kind: 'mail'; readonly transaction: Transaction }
  | { readonly kind: 'rcpt'; readonly transaction: Transaction; readonly recipient: Recipient }
  | { readonly kind: 'data'; readonly transaction: Transaction }
  | { readonly kind: 'content'; readonly transaction: Transaction; readonly content: Content }
  | { readonly kind: 'etrn'; readonly argument: string }
  | { readonly kind: 'auth'; readonly step: AuthStep }

export type Answer = Gate | ContentAnswer | EtrnAnswer | AuthAnswer

export type Effect =
  | { readonly kind: 'write'; readonly bytes: string }
  /** Ask the path; at most one question is open at a time. */
  | { readonly kind: 'ask'; readonly question: Question }
  /** Send what is written so far, then start TLS; the machine takes no octets until `secured`. */
  | { readonly kind: 'start-tls' }
  | { readonly kind: 'abandoned'; readonly transaction: Transaction }
  /** Send what is written, then close. */
  | { readonly kind: 'close'; readonly why: 'quit' | 'timeout' | 'refused' | 'shutdown' | 'error' }

/** What the machine itself refused, without asking the path: a command in error, content with bare line ends, a size. */
export interface OwnRefusal {
  readonly reply: NegativeReply
  /** In what it happened, if there was one. */
  readonly transaction: Transaction | undefined
  readonly at: 'command' | 'content'
}

export interface ServerMachine {
  readonly session: Session
  /** The answer to `Decisions.connect`: the greeting, or a refusal (RFC 5321 §3.1: 554, or 421). */
  greet(gate: Gate): void
  receive(bytes: Buffer): void
  answer(answer: Answer): void
  /** TLS is up: everything known before is forgotten (RFC 3207 §4.2). */
  secured(tls: TlsFacts): void
  /** The peer closed or vanished. */
  lost(): void
  /** Call about once a second with the monotonic clock. */
  tick(nowMs: number): void
  /** Say 421 at the next moment at which that is allowed; a transaction in its content is finished first. */
  shutDown(): void
  /** False: the driver should stop reading until it is true again. */
  readonly wantsInput: boolean
  /** Nothing is open: not in content, no question. */
  readonly idle: boolean
  /** What is to be done now, in order; the list is emptied. */
  take(): Effect[]
}
