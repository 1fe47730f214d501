/**
 * Who is who: tenants, the domains they have with us, and the routes to their servers. Today the configuration file
 * declares them; a database can stand behind the same interface (the control plane). Everything here is immutable: a
 * reload makes a new directory, and whoever asks at each decision sees it at once.
 */
import type { Mailbox } from '#mail/address.ts'
import type { RecipientPolicies } from './recipient-policies.ts'
import type { SpamPolicy } from './spam-policy.ts'
import type { VirusPolicy } from './virus-policy.ts'

export interface Tenant {
  /** Unique, `[a-z0-9-]{1,63}`. */
  readonly name: string
  readonly language: 'de' | 'en'
  /** Who hears of held mail. */
  readonly postmaster?: Mailbox
  /** Names that must not come from outside, as they stand in From. */
  readonly people?: readonly string[]
  /** How often; the relay's own setting if absent. */
  readonly digest?: 'daily' | 'hourly' | 'off'
  /** IANA name; absent: that of the relay's notices. */
  readonly timeZone?: string
  /** How long its held mail is kept. Absent: as for all. */
  readonly holdKeepMs?: number
  /** How long its mail is kept in quarantine, and how much of it. Absent: as for all. */
  readonly quarantine?: { readonly keepMs?: number; readonly octetsMax?: number }
  /** Absent: its servers may not send through us. */
  readonly outbound?: OutboundSettings
  /** Absent: every bounce is let through. */
  readonly bounceProtection?: BounceProtection
  /** Stored messages that start on their way in a second, all routes together, per worker. */
  readonly messagesPerSecondMax?: number
}

/** What leaves the tenant's servers through us, and on which terms. */
export interface OutboundSettings {
  /** Whose clients are the tenant's servers: `10.0.0.0/8`, `2001:db8::/32` or one address. */
  readonly networks: readonly string[]
  /** Also its servers, wherever they are: SHA-256 of the keys (SPKI) in their client certificates, hex, lower case. */
  readonly clientKeys?: readonly string[]
  /** Route id. */
  readonly route: string
  /** Route ids by recipient domain (A-labels), instead of that one; `*.example.org`: its subdomains, at any depth. */
  readonly domainRoutes?: ReadonlyMap<string, string>
  /** Route id for mail from `<>`. */
  readonly nullPathRoute?: string
  /** Domains that a reversePath may have. */
  readonly senders: 'own-domains' | 'any'
  /** Not served here, A-labels; they count as the tenant's own as long as their owners say so in DNS. Absent: none. */
  readonly senderDomains?: ReadonlySet<string>
  readonly contentOctetsMax: number
  /** R6. `verified`: only for mail that came through us with a reversePath that was verified; others are held. */
  readonly ndrs: 'pass' | 'verified' | 'hold' | 'discard'
  /** Mail goes also to addresses that their servers refused as unknown before. */
  readonly sendsToBounced?: true
  /** Mail goes also to addresses whose owners complained. */
  readonly sendsToComplained?: true
  readonly autoReplies: AutoReplyLimit
  readonly dkim: SigningSettings
  /** R7. Absent: nothing is counted. */
  readonly limits?: SendingLimits
  /** Absent: the default policy. */
  readonly virus?: VirusPolicy
}

/** Recipients of each login, of the tenant's servers by network, and of all together. Absent: as many as they like. */
export interface SendingLimits {
  readonly login: RecipientLimit
  /** The most that a login's own limits may be. Absent: ten times `login`. */
  readonly loginMax?: RecipientLimit
  readonly servers?: RecipientLimit
  readonly tenant?: RecipientLimit
  /** To recipients of any one domain. */
  readonly loginToOneDomain?: RecipientLimit
  readonly tenantToOneDomain?: RecipientLimit
}

/** What one login has of its own, as an operator said. Absent: as the tenant's others. */
export interface OwnLimits {
  readonly per10Minutes?: number
  readonly perDay?: number
  readonly toOneDomainPer10Minutes?: number
  readonly toOneDomainPerDay?: number
}

export interface RecipientLimit {
  readonly per10Minutes: number
  readonly perDay: number
}

/** DKIM. */
export interface SigningSettings {
  /** If a domain has keys and they cannot be used now. */
  readonly ifUnavailable: 'defer' | 'send-unsigned'
  /** How long a signature is good; absent: for ever. */
  readonly expiryMs?: number
}

/** R2. */
export interface AutoReplyLimit {
  readonly limit: number
  readonly windowMs: number
  /** Counted for each mailbox and correspondent, or for the mailbox alone. */
  readonly per: 'correspondent' | 'mailbox'
}

/** From `sinceMs` on the tenant's mail is signed or recorded; `warmUpMs` later the rest is refused. Wall clock. */
export type BounceProtection =
  | {
      readonly kind: 'batv'
      readonly sinceMs: number
      readonly warmUpMs: number
      readonly signingKey: number
      /** By key number, 0 to 9. */
      readonly keys: ReadonlyMap<number, Uint8Array>
    }
  | { readonly kind: 'sent-record'; readonly sinceMs: number; readonly warmUpMs: number }

export interface NextHopHost {
  /** A name or an address. */
  readonly name: string
  readonly port: number
  /** Lower first, as with MX; equal ones share the load. */
  readonly preference: number
  /** The domain whose MX records name it, if DNSSEC verified these: then it may have a TLS policy (RFC 7672 §2.2.1). */
  readonly secureFor?: string
}

/** `verified`: a certificate that names the host and that a trusted authority issued. */
export type TlsUse = 'never' | 'opportunistic' | 'required' | 'verified'

export interface Route {
  /** `tenant/name`, of a destination `tenant/name/domain` (`destination.ts`). */
  readonly id: string
  readonly tenant: string
  readonly protocol: 'smtp' | 'lmtp'
  /** Empty where `byMx` is set. */
  readonly hosts: readonly NextHopHost[]
  /**
   * Each recipient domain is a destination of its own, whose hosts its MX records name. Connections, rates and back-off
   * are then those of each destination.
   */
  readonly byMx?: { readonly port: number }
  /** Of one destination of such a route: A-labels, or an address literal such as `[192.0.2.1]`. */
  readonly destination?: string
  readonly tls: TlsUse
  /** TLS from the first octet (RFC 8314 §3), as on port 465; only with `required` and `verified`. */
  readonly implicitTls?: true
  /** Who may issue the certificates of its hosts, with `verified`; absent: whom the system trusts. */
  readonly authorities?: Authorities
  /** Who we are to its hosts (RFC 4954); only with `verified`. */
  readonly login?: RouteLogin
  /** Of such a route: by recipient domain (A-labels), instead of `tls`. */
  readonly tlsByDomain?: ReadonlyMap<string, TlsUse>
  /** Of a destination: `tls` is what `tlsByDomain` says, and what the domain wants of TLS is not asked for. */
  readonly tlsByOperator?: true
  /** Connections at a time. In a configuration for the whole program, in a worker's directory its share (`share.ts`). */
  readonly connectionsMax: number
  /** Messages that start on their way in a second; whole or share, as above. Absent: as many as the server takes. */
  readonly messagesPerSecondMax?: number
  /** How often the servers are asked whether they are up, where a fallback MX must know. */
  readonly probeIntervalMs?: number
  /** Deliveries over one connection before it is closed. */
  readonly deliveriesPerConnectionMax: number
  readonly retryFirstMs: number
  readonly retryMaxMs: number
  /** After this the message is held, never bounced. */
  readonly lifetimeMs: number
  /** EHLO name; the relay's host name if absent. */
  readonly greetingName?: string
  /** Addresses of ours from which connections are made, in random order; absent: as the system chooses. */
  readonly sources?: readonly SourceAddress[]
}

/** Read with the configuration, as the password below. */
export interface Authorities {
  readonly pem: string
}

export interface RouteLogin {
  readonly name: string
  readonly password: Uint8Array
  /** Those that may be used; absent: all that we know. */
  readonly mechanisms?: readonly LoginMechanism[]
}

export type LoginMechanism = 'SCRAM-SHA-256-PLUS' | 'SCRAM-SHA-256' | 'PLAIN' | 'LOGIN'

export interface SourceAddress {
  readonly address: string
  /** Instead of the route's. */
  readonly greetingName?: string
}

export type RecipientSource =
  /** Keys as `mailboxKey` makes them; postmaster is always there (RFC 5321 §4.5.1). */
  | { readonly kind: 'listed'; readonly keys: ReadonlySet<string> }
  /** On the list that was imported or fetched; of who is not on it the customer's server is asked, or it is a no. */
  | {
      readonly kind: 'directory'
      readonly otherwise: 'refuse' | 'live'
      /** Name of the list, if it is not that of the domain: `*.bakery.example`. */
      readonly list?: string
      /** `anna+shop` is on the list if `anna` is (RFC 5233). One character. */
      readonly subaddressSeparator?: string
    }
  /** Ask the customer's server. */
  | { readonly kind: 'live' }
  /** By explicit choice: the customer's server takes every address and stays silent (R1). */
  | { readonly kind: 'accept-all' }

/** We are a further MX beside the domain's own. */
export interface FallbackService {
  /** While the primary is up, senders are told to go there. */
  readonly refuseWhilePrimaryUp: boolean
}

/** What the recipients of a transaction share: whose mail it is, where it goes, how custody is taken. */
export interface Way {
  readonly tenant: Tenant
  readonly route: Route
  readonly commit: 'cut-through' | 'spool'
  /** Recipients with equal route and equal policy class may share a transaction. */
  readonly policyClass: string
  readonly contentOctetsMax: number
  /** Absent: the default policy. */
  readonly virus?: VirusPolicy
  /** Absent: the default policy. What leaves is not filtered. */
  readonly spam?: SpamPolicy
  /** Absent: we are the domain's MX, not its fallback. */
  readonly fallback?: FallbackService
  /** Instead of the route's. */
  readonly lifetimeMs?: number
  /** Networks whose hosts may ask for the domain's waiting mail (RFC 1985). */
  readonly etrnFrom?: readonly string[]
}

export interface ServedDomain extends Way {
  /** A-labels, lower case. */
  readonly name: string
  readonly recipients: RecipientSource
  /** Of some of its recipients, instead of `virus`. */
  readonly virusByRecipient?: RecipientPolicies<VirusPolicy>
  /** The same for `spam`. */
  readonly spamByRecipient?: RecipientPolicies<SpamPolicy>
}

/** The way of mail that leaves. */
export interface OutboundWay extends Way {
  readonly outbound: OutboundSettings
}

export interface Directory {
  domain(ascii: string): ServedDomain | undefined
  /** Also of a destination: `tenant/name/example.org`. */
  route(id: string): Route | undefined
  tenant(name: string): Tenant | undefined
  /** The way out for the tenant whose server has this key (`TlsFacts.clientKey`), or else this address. */
  outbound(address: string, clientKey?: string): OutboundWay | undefined
  /** The way out of a tenant, whoever asks; undefined: it may not send. */
  outboundOf(tenant: string): OutboundWay | undefined
  domains(): Iterable<ServedDomain>
  /** The declared ones. */
  routes(): Iterable<Route>
}
