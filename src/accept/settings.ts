/**
 * What the listeners need to know, as plain data; the configuration is mapped onto it. A reload brings a new object.
 */
import type { Service } from '#mail/session.ts'
import type { ServerSettings } from '#smtp/server/contract.ts'
import type { CertificateFiles } from './certificates.ts'
import type { ClientLimitSettings } from './client-limits.ts'

export type TlsMode =
  /** STARTTLS is not offered. */
  | 'none'
  /** RFC 3207. */
  | 'starttls'
  /** TLS from the first octet (RFC 8314 §3). */
  | 'implicit'

export interface ListenerSettings {
  /** Unique; sessions and logs carry it. */
  readonly name: string
  /** An address; `::` is every address of both families. */
  readonly host: string
  /** 0 takes any free port, for tests. */
  readonly port: number
  readonly service: Service
  readonly tls: TlsMode
  /** The first is the default; others are chosen by server name (SNI). Empty: a self-signed one is made. */
  readonly certificates: readonly CertificateFiles[]
  /** Networks of proxies that put a PROXY header first. A connection from there without one is closed. */
  readonly proxyFrom: readonly string[]
  /** Counted per worker process. */
  readonly clients: ClientLimitSettings
  /** Who speaks before the greeting within this time is refused (RFC 5321 §4.3.1); 0: greet at once, no check. */
  readonly earlyTalkerDelayMs: number
  /** Addresses and networks greeted at once. */
  readonly earlyTalkerExempt: readonly string[]
  /** STARTTLS is offered by `tls` above. */
  readonly smtp: Omit<ServerSettings, 'startTls'>
}

export interface AcceptSettings {
  readonly listeners: readonly ListenerSettings[]
  /** Sessions per worker; more hear 421. An idle one takes about 6 KB, with TLS about 50 KB, and one file handle. */
  readonly sessionsMax: number
  /** When the event loop is later than this, new sessions hear 421 so that those we have are served in time. */
  readonly lagMsMax: number
  /** Between SIGTERM and the end of the last session. */
  readonly drainMsMax: number
}

export const ACCEPT_DEFAULTS = {
  sessionsMax: 10_000,
  lagMsMax: 500,
  /** A content of some MB takes seconds. With the time to close the spool, the whole program ends within 30 s. */
  drainMsMax: 25_000,
} as const
