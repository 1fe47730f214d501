/**
 * The configuration as the program uses it: resolved values (ms, octets, A-labels), no text left to read. Plain data
 * without functions, so that the supervisor may read the file once and hand it to its workers (structured clone).
 */
import type { Mailbox } from '#mail/address.ts'
import type { Endpoint, Service } from '#mail/session.ts'
import type { SpamListSettings } from '#mail/spam-list.ts'
import type { ServerLimits } from '#smtp/server/contract.ts'
import type { Route, ServedDomain, Tenant } from '#tenant/directory.ts'

/** Per client address or network, per worker. A network is an IPv4 /24 or an IPv6 /64. */
export interface ClientLimits {
  readonly sessionsPerClientMax: number
  readonly sessionsPerNetworkMax: number
  readonly newPerMinutePerClientMax: number
  readonly newPerMinutePerNetworkMax: number
}

/** Per worker. */
export interface RelayLimits {
  readonly sessionsMax: number
  readonly contentMemoryOctetsMax: number
  /** Received fields in a message before it is taken for a loop (RFC 5321 §6.3). */
  readonly hopsMax: number
}

export interface CertificateConfig {
  /** Names that it must be valid for, A-labels; `*.relay.example` for one label more. May be empty. */
  readonly names: readonly string[]
  readonly certificateFile: string
  readonly keyFile: string
}

export interface ListenerConfig {
  readonly name: string
  readonly addresses: readonly Endpoint[]
  readonly service: Service
  readonly tls: 'none' | 'starttls' | 'implicit'
  /** Empty: a self-signed one is made. The first is shown to clients that name no server. */
  readonly certificates: readonly CertificateConfig[]
  /** `10.0.0.0/8`, `2001:db8::/32` or one address. */
  readonly proxyFrom: readonly string[]
  readonly lineEnds: 'refuse' | 'normalise'
  readonly earlyTalkerDelayMs: number
  /** Networks without limits per client, greeted without delay. */
  readonly exemptFromLimits: readonly string[]
  /** Complete: what the listener does not say is taken from the common limits. */
  readonly limits: ServerLimits
  readonly clientLimits: ClientLimits
}

/** A directory that is asked for the recipients of a domain, again and again. */
export interface LdapSource {
  /** `ldap://host:389` or `ldaps://host:636`; tried in this order. */
  readonly urls: readonly string[]
  /** Of `ldap://`; `ldaps://` is encrypted anyway. */
  readonly tls: 'starttls' | 'never'
  readonly caFile?: string
  /** Absent: nobody in particular asks. */
  readonly bindDn?: string
  /** Where the password is; read at each fetch, so that it may change. */
  readonly password?: { readonly 'password-env': string } | { readonly 'password-file': string }
  readonly base: string
  /** Absent: every entry that has one of the attributes. */
  readonly filter?: string
  readonly attributes: readonly string[]
  readonly pageSize: number
  readonly intervalMs: number
  /** For the connection with its bind, and for each page. */
  readonly timeMsMax: number
}

export interface NoticeConfig {
  readonly digest: 'daily' | 'hourly' | 'off'
  /** After the first new hold, so that one digest tells of all that came with it. */
  readonly collectMs: number
  /** IANA name, of tenants that have no other. */
  readonly timeZone: string
  /** For postmasters at domains that are not served here. */
  readonly route?: string
}

/** Reports to senders whose reverse-path is verified. */
export interface DsnConfig {
  /** Absent: delays are not told. */
  readonly delayAfterMs?: number
  /** Reports to one domain in 24 hours. */
  readonly perDomainAndDayMax: number
}

/** What holds for all routes that find their hosts by MX. */
export interface DestinationsConfig {
  /** Networks that are taken although they are not public. */
  readonly allowNetworks: readonly string[]
  /** Names of this relay beside `hostname`. */
  readonly ownNames: readonly string[]
  /** Where MTA-STS policies are fetched. */
  readonly mtaStsPort: number
}

/** Keys that sign outgoing mail. */
export interface DkimConfig {
  /** Under number 0 the secret that seals them; empty: one in the data folder. */
  readonly masterKeys: ReadonlyMap<number, Uint8Array>
  /** Absent: `nameServers`. */
  readonly dnsServer?: Endpoint
  /** How long the record of a retired key must stay. */
  readonly keepPublishedMs: number
}

/** Who reports about TLS (RFC 8460). */
export interface TlsReportConfig {
  readonly organization: string
  readonly contact: Mailbox
  /** Route id; absent: see `tenant/report-way.ts`. */
  readonly route?: string
}

/** Complaints about mail that left. */
export interface FeedbackConfig {
  readonly addresses: readonly Mailbox[]
  readonly fromNetworks: readonly string[]
  /** A-labels. */
  readonly fromDomains: readonly string[]
}

/** The virus wall. */
export interface VirusConfig {
  /** The engine that needs nothing installed. */
  readonly embedded: boolean
  /** Those beside us. Without any engine nobody looks. */
  readonly engines: readonly EngineConfig[]
}

/** The spam filter. */
export interface SpamConfig {
  /** False: there is none. */
  readonly filter: boolean
  /** Filters beside us. */
  readonly engines: readonly SpamEngineConfig[]
  /** DNS lists. */
  readonly lists: readonly SpamListSettings[]
}

export type EngineConfig = ClamdConfig | IcapConfig

interface ClamdConfig extends EngineLimits {
  readonly kind: 'clamd'
  readonly servers: readonly (
    | { readonly kind: 'local'; readonly path: string }
    | ({ readonly kind: 'tcp' } & Endpoint)
  )[]
}

interface IcapConfig extends EngineLimits {
  readonly kind: 'icap'
  readonly servers: readonly (Endpoint & { readonly service: string })[]
}

interface EngineLimits {
  readonly name: string
  /** Of each worker to each server. */
  readonly connectionsMax: number
  readonly connectMsMax: number
  readonly timeMsMax: number
}

export type SpamEngineConfig = RspamdConfig | SpamdConfig

interface RspamdConfig extends SpamEngineLimits {
  readonly kind: 'rspamd'
  readonly settingsId?: string
  /** Where its password is; read at each message. */
  readonly password?: { readonly 'password-env': string } | { readonly 'password-file': string }
}

interface SpamdConfig extends SpamEngineLimits {
  readonly kind: 'spamd'
  readonly user?: string
}

interface SpamEngineLimits extends EngineLimits {
  readonly servers: readonly (
    | { readonly kind: 'local'; readonly path: string }
    | ({ readonly kind: 'tcp' } & Endpoint)
  )[]
  /** A larger message is not shown to it. */
  readonly octetsMax: number
  /** How much its word counts; 1: as it is. */
  readonly weight: number
}

export interface Config {
  /** The file that it came from. */
  readonly file: string
  readonly hostname: string
  /** Absolute. */
  readonly dataFolder: string
  readonly workers: number | 'auto'
  readonly log: {
    readonly format: 'text' | 'json' | 'both'
    readonly destination: 'stdout' | { readonly path: string }
  }
  readonly http: { readonly address: Endpoint | 'off' }
  /** Absent: those of the machine. */
  readonly nameServers?: readonly Endpoint[]
  readonly destinations: DestinationsConfig
  readonly listeners: readonly ListenerConfig[]
  readonly limits: RelayLimits
  readonly spool: { readonly segmentOctets: number; readonly freeOctetsMin: number }
  /** How long held mail is kept, if its tenant says nothing else. */
  readonly holds: { readonly keepMs: number }
  /** How long, and how much of each tenant's, if it says nothing else. */
  readonly quarantine: { readonly keepMs: number; readonly octetsMax: number }
  /** For callouts to servers that refuse the null path. */
  readonly calloutSender?: Mailbox
  readonly notices: NoticeConfig
  readonly dsn: DsnConfig
  readonly dkim: DkimConfig
  /** Absent: nothing is counted, nobody is told. */
  readonly tlsReports?: TlsReportConfig
  readonly virus: VirusConfig
  readonly spam: SpamConfig
  /** Absent: no complaints are read. */
  readonly feedback?: FeedbackConfig
  /** Of mail that comes in: SPF, DKIM, DMARC, ARC. */
  readonly authentication: boolean
  readonly tenants: readonly Tenant[]
  /** Declared ones (`bakery/main`), and one for each domain with `deliver-to` (`bakery/bakery.example`). */
  readonly routes: readonly Route[]
  /** A name that begins with `*.` stands for the subdomains. */
  readonly domains: readonly ServedDomain[]
  /** Domains whose recipients come from a file. */
  readonly recipientFiles: readonly { readonly domain: string; readonly path: string }[]
  /** Domains whose recipients come from LDAP. */
  readonly recipientDirectories: readonly { readonly domain: string; readonly ldap: LdapSource }[]
}
