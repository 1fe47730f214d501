/**
 * The customer of most scenarios: a bakery with the domain dest.test, whose server the test plays.
 */
import type { Config } from './vorposten.ts'

export interface BakeryOptions {
  /** As in the configuration; `accept-all` where the story is not about recipients. */
  readonly recipients?: unknown
  readonly commit?: 'cut-through' | 'spool'
  /** Of the route, laid over its host. */
  readonly route?: { readonly [key: string]: unknown }
  /** Of the domain. */
  readonly domain?: { readonly [key: string]: unknown }
  readonly domains?: { readonly [name: string]: unknown }
  /** Top level of the file. */
  readonly top?: { readonly [key: string]: unknown }
}

/** The test decides when something is tried again. */
const NO_RETRY_BY_ITSELF = { first: '1h', max: '2h' }

export function bakery(port: number, options: BakeryOptions = {}): Config {
  const { recipients = 'accept-all', commit = 'cut-through', route, domain, domains, top } = options
  const shop = { hosts: [`127.0.0.1:${port}`], retry: NO_RETRY_BY_ITSELF, ...route }
  const served = { 'dest.test': { route: 'shop', recipients, commit, ...domain }, ...domains }
  return { ...top, tenants: { bakery: { routes: { shop }, domains: served } } }
}
