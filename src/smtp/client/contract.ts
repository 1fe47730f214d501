/**
 * The client session's face to the world: octets and ticks in, effects out; no sockets, no timers, no promises.
 * `deliver/` drives it: feed `receive`, carry out what `take` returns, give it one job at a time once it is ready.
 */
import type { ForwardPath, ReversePath } from '#mail/address.ts'
import type { Content } from '#mail/content.ts'
import type { Envelope } from '#mail/envelope.ts'
import type { Obstacle, Outcome } from '#mail/outcome.ts'
import type { ProbeAnswer } from '#mail/probe.ts'
import type { RemoteReply } from '#mail/reply.ts'
import type { Status } from '#mail/status.ts'
import type { ClientLimits } from './limits.ts'

export interface ClientSettings {
  readonly protocol: 'smtp' | 'lmtp'
  /** The name for EHLO, HELO or LHLO: a domain name or an address literal. */
  readonly greetingName: string
  /** `required` and `verified` differ only in how the driver does the handshake. */
  readonly tls: 'never' | 'opportunistic' | 'required' | 'verified'
  /** TLS from the first octet (RFC 8314 §3), whatever `tls` says: nothing is ever said in clear. */
  readonly implicitTls?: true
  /** Use BDAT where CHUNKING is offered: saves the round trip of DATA. */
  readonly preferChunking: boolean
  /** Absent: nobody says who he is. With it no job is given to a server that did not take the login. */
  readonly login?: ClientLogin
  readonly limits: ClientLimits
}

/** Who we are to a server (RFC 4954), and how we prove it. Made above `smtp/`, which knows no mechanism and no password. */
export interface ClientLogin {
  /** `offered`: the server's mechanisms. Undefined: none of them will do. */
  begin(offered: readonly string[], channelBinding?: () => Buffer): LoginExchange | undefined
  /** The text would give the password away: it is shown to nobody. */
  betrays(text: string): boolean
}

export interface LoginExchange {
  readonly mechanism: string
  /** What is said before the server asks (RFC 4954 §4); absent: the server speaks first. */
  readonly initial?: Buffer
  /** A text says why there is no answer; the session ends then. */
  answer(challenge: Buffer): Promise<Buffer | string>
  /** The server has proved all that this mechanism makes it prove. */
  readonly proved: boolean
}

/** The other end of TLS. */
export interface SecuredPeer {
  /** Its certificate names the host, and a trusted authority issued it. */
  readonly verified: boolean
  /** RFC 9266; absent: this connection has none. */
  readonly channelBinding?: () => Buffer
}

export interface DeliverJob {
  readonly envelope: Envelope
  /** Indices into `envelope.recipients`; results align with this list. Not empty. */
  readonly recipients: readonly number[]
  readonly content: Content
  /** When some recipients are accepted and some not: send to the accepted ones, or to none. */
  readonly onMixed: 'send' | 'abort'
}

export interface ProbeJob {
  readonly reversePath: ReversePath
  readonly forwardPath: ForwardPath
}

/** As an `Outcome`, but without a receipt: only `deliver/` makes those. */
export type RecipientResult =
  | { readonly kind: 'delivered'; readonly reply: RemoteReply }
  | Exclude<Outcome, { kind: 'delivered' }>

/** Why a session is of no further use. */
export interface SessionFault {
  readonly obstacle: Obstacle
  readonly reply?: RemoteReply
  /** One line for log and queue display. */
  readonly text: string
  /** This host will not do for this message, now or later. Only where REQUIRETLS is asked for (RFC 8689 §4.2.1). */
  readonly status?: Status<5>
}

export type ClientEffect =
  /** Write all parts at once. With `more`, call `flowing` as soon as the wire takes more. */
  | { readonly kind: 'write'; readonly parts: readonly (Buffer | string)[]; readonly more: boolean }
  /** Start TLS, then call `secured`; a handshake that fails ends the session. */
  | { readonly kind: 'start-tls' }
  /** Ask `exchange` for its answer to this challenge, then call `respond`. */
  | { readonly kind: 'prove'; readonly exchange: LoginExchange; readonly challenge: Buffer }
  /** A job may be given now. Comes after opening, and after each job. */
  | { readonly kind: 'ready' }
  /** What became of the recipients of the job, in its order. */
  | {
      readonly kind: 'delivered'
      readonly results: readonly RecipientResult[]
      /** The session ended before the server took up this transaction: safe to try at once on another connection. */
      readonly untouched: boolean
    }
  | { readonly kind: 'probed'; readonly answer: ProbeAnswer; readonly untouched: boolean }
  /** No further job can be given. Comes at most once, after the result of a job that was under way. */
  | { readonly kind: 'over'; readonly fault: SessionFault }
  /** `now`: destroy; otherwise send what is pending, then close. The last effect. */
  | { readonly kind: 'close'; readonly now: boolean }

export interface ClientMachine {
  /** Nothing is open: a job or `quit` may be given. */
  readonly ready: boolean
  /** TLS is up. */
  readonly tls: boolean
  /** The server offers DSN, and the parameters of RFC 3461 are passed on to it. */
  readonly dsn: boolean
  /** The server offers REQUIRETLS. */
  readonly requireTls: boolean
  deliver(job: DeliverJob): void
  probe(job: ProbeJob): void
  /** QUIT, then close; in the middle of anything, close at once. */
  quit(): void
  receive(bytes: Buffer): void
  /** TLS is up: everything known before is forgotten (RFC 3207 §4.2). */
  secured(peer?: SecuredPeer): void
  /** What `prove` asked for. */
  respond(answer: Buffer | string): void
  /** The wire takes more octets. */
  flowing(): void
  /** The driver ends the session: the peer closed, the handshake failed, or the job took too long. */
  fail(fault: SessionFault): void
  /** Call about once a second with the monotonic clock. */
  tick(nowMs: number): void
  /** What is to be done now, in order; the list is emptied. */
  take(): ClientEffect[]
}
