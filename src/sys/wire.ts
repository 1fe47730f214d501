/**
 * One byte stream to a peer, before and after TLS: all that sessions know of the network. `accept/` and `deliver/` drive
 * their protocol machines through it; `sys/socket.ts` has the real one, the simulator and the tests have others.
 */
import type { SecureContext } from 'node:tls'
import type { Endpoint, TlsFacts } from '#mail/session.ts'
import type { DaneReference } from './dane.ts'

export interface WireEvents {
  data(bytes: Buffer): void
  /** What was written has left our buffers; write again. */
  drained(): void
  /** The peer sends no more (FIN); what we write may still arrive. */
  ended(): void
  /** Over, for whatever reason; called exactly once, last. */
  closed(error?: Error): void
}

export interface TlsServerOptions {
  readonly side: 'server'
  readonly context: SecureContext
  /** The client is asked for a certificate; it need not have one, and nobody need have issued it. */
  readonly asksForCertificate?: boolean
  /** Chooses by server name (SNI); undefined: the default context. */
  readonly byName?: (name: string) => SecureContext | undefined
}
export interface TlsClientOptions {
  readonly side: 'client'
  /** SNI, and the name the certificate must have where it is verified. */
  readonly serverName: string
  readonly verify: boolean
  /** PEM: who may issue the certificate; absent: whom the system trusts. */
  readonly authorities?: string
  /** The certificate must match this, whoever issued it (RFC 7672); `verify` does not count then. */
  readonly dane?: DaneReference
  /** A session of an earlier connection to the same host, to resume. */
  readonly resume?: Buffer
  readonly onSession?: (session: Buffer) => void
}

export interface Wire {
  readonly remote: Endpoint
  readonly local: Endpoint
  /** Must be called once, before the first turn of the event loop ends. */
  listen(events: WireEvents): void
  /** False: stop writing until `drained`. The wire keeps what it was given in any case. */
  write(bytes: Buffer | string): boolean
  /** Several buffers in one system call. */
  writeAll(parts: readonly (Buffer | string)[]): boolean
  /** Octets written and not yet given to the kernel. */
  readonly unsentOctets: number
  pause(): void
  resume(): void
  /** Starts TLS on this wire. Plain bytes that arrived before are the caller's to throw away (RFC 3207 §4.2). */
  secure(options: TlsServerOptions | TlsClientOptions): Promise<TlsFacts>
  /** Sends what is pending, then closes. */
  end(): void
  /** Closes now. */
  destroy(): void
}

export interface ConnectOptions {
  readonly address: string
  readonly port: number
  readonly timeoutMs: number
  /** Source address. */
  readonly from?: string
}

/** Rejects with a Node error (`code` such as ECONNREFUSED), or ETIMEDOUT after `timeoutMs`. */
export type Connect = (options: ConnectOptions) => Promise<Wire>
