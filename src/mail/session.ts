/**
 * A session is a connection, a transaction is MAIL to the final dot (RFC 5321 §3.3). These are the facts that stages
 * and the report need; the protocol machine keeps its own state.
 */
import type { Envelope, Recipient } from './envelope.ts'
import type { TraceId } from './trace-id.ts'

/** The mutable face of an envelope while RCPT commands arrive. */
export type EnvelopeDraft = Omit<Envelope, 'recipients'> & { readonly recipients: Recipient[] }

export interface Endpoint {
  readonly address: string
  readonly port: number
}

export interface TlsFacts {
  /** `TLSv1.3` */
  readonly protocol: string
  readonly cipher: string
  /** Server name that the client asked for (SNI), or that we asked for. */
  readonly serverName?: string
  /** Subject of a peer certificate that was verified. */
  readonly verifiedPeer?: string
  /** Of a client that showed a certificate and proved that it has the key: SHA-256 of that key (SPKI), hex. Whoever issued it. */
  readonly clientKey?: string
  /** Octets that only the two ends of this connection can know (RFC 9266), for SCRAM-…-PLUS. TLS 1.3. */
  readonly channelBinding?: () => Buffer
}

/**
 * `inbound`: from anyone, for the tenants' domains. `outbound`: from the tenants' own servers, to anyone. `submission`: from
 * users who say who they are (RFC 6409), to anyone.
 */
export type Service = 'inbound' | 'outbound' | 'submission'

/** Who has proved who he is (RFC 4954). */
export interface Authenticated {
  readonly tenant: string
  readonly login: string
  readonly mechanism: string
  /** Reverse-paths and authors: `anna@bakery.example`, or `@bakery.example`. Empty: every domain of the tenant's. */
  readonly senders: readonly string[]
}

export interface Session {
  readonly id: TraceId
  readonly client: Endpoint
  readonly local: Endpoint
  /** The listener's name in the configuration. */
  readonly listener: string
  readonly service: Service
  /** Wall clock, ms. */
  readonly startedMs: number
  /** The name given with HELO or EHLO; it proves nothing (RFC 5321 §4.1.4). */
  greetingName?: string
  extended: boolean
  tls?: TlsFacts
  authenticated?: Authenticated
  /** The address came from a PROXY header of a trusted network. */
  readonly proxied: boolean
  /** Counted for limits: recipients refused, commands in error, transactions begun. */
  readonly tally: { recipientsRefused: number; errors: number; transactions: number }
}

export interface Transaction {
  readonly id: TraceId
  readonly session: Session
  /** Wall clock, ms, at MAIL. */
  readonly startedMs: number
  readonly envelope: EnvelopeDraft
  /** Set by the path at the first accepted RCPT: next hop and policy class that all recipients share. */
  group?: string
}

/** RFC 3848 names for the `with` clause of Received. UTF8SMTP forms: RFC 6531 §4.3. */
export function withProtocol({ extended, tls, authenticated }: Session, smtputf8: boolean): string {
  if (!extended) return 'SMTP'
  return `${smtputf8 ? 'UTF8SMTP' : 'ESMTP'}${tls ? 'S' : ''}${authenticated ? 'A' : ''}`
}
