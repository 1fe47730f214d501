/**
 * Who is who: tenants, the domains they have with us, and the routes to their servers. Today the configuration file
 * declares them; a database can stand behind the same interface (the control plane). Everything here is immutable: a
 * reload makes a new directory, and whoever asks at each decision sees it at once.
 */
import type { Mailbox } from '#mail/address.ts'

export interface Tenant {
  /** Unique, `[a-z0-9-]{1,63}`. */
  readonly name: string
  readonly language: 'de' | 'en'
  /** Who hears of held mail. */
  readonly postmaster?: Mailbox
}

export interface NextHopHost {
  /** A name or an address. */
  readonly name: string
  readonly port: number
  /** Lower first, as with MX; equal ones share the load. */
  readonly preference: number
}

/** `verified`: a certificate that names the host and that a trusted authority issued. */
export type TlsUse = 'never' | 'opportunistic' | 'required' | 'verified'

export interface Route {
  /** `tenant/name` */
  readonly id: string
  readonly tenant: string
  readonly protocol: 'smtp' | 'lmtp'
  readonly hosts: readonly NextHopHost[]
  readonly tls: TlsUse
  /** Connections at a time, per worker process. */
  readonly connectionsMax: number
  /** Deliveries over one connection before it is closed. */
  readonly deliveriesPerConnectionMax: number
  readonly retryFirstMs: number
  readonly retryMaxMs: number
  /** After this the message is held, never bounced. */
  readonly lifetimeMs: number
  /** EHLO name; the relay's host name if absent. */
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

export interface ServedDomain {
  /** A-labels, lower case. */
  readonly name: string
  readonly tenant: Tenant
  readonly route: Route
  readonly recipients: RecipientSource
  readonly commit: 'cut-through' | 'spool'
  /** Recipients with equal route and equal policy class may share a transaction. */
  readonly policyClass: string
  readonly contentOctetsMax: number
}

export interface Directory {
  domain(ascii: string): ServedDomain | undefined
  route(id: string): Route | undefined
  tenant(name: string): Tenant | undefined
  domains(): Iterable<ServedDomain>
  routes(): Iterable<Route>
}
