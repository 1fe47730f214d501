/**
 * The customer whose mail leaves through us: the bakery of bakery.ts, whose servers are this machine, and a sink that
 * plays the provider's hosts which bring the mail out into the world.
 */
import type { Config } from './vorposten.ts'

export interface LeavingOptions {
  /** Port of the outbound listener. */
  readonly door: number
  /** Port of the sink that stands for the rest of the world. */
  readonly world: number
  /** Port of the bakery's own server, for what comes in. */
  readonly shop?: number
  /** Of the tenant's `outbound` section. */
  readonly outbound?: { readonly [key: string]: unknown }
  /** Of the tenant. */
  readonly tenant?: { readonly [key: string]: unknown }
  readonly tenants?: { readonly [name: string]: unknown }
}

export function leaving({ door, world, shop = world, outbound, tenant, tenants }: LeavingOptions): Config {
  return {
    listeners: [
      { name: 'mx', addresses: [`127.0.0.1:\${ENV:MX_PORT}`] },
      { name: 'out', addresses: [`127.0.0.1:${door}`], service: 'outbound' },
    ],
    tenants: {
      bakery: {
        routes: { world: { hosts: [`127.0.0.1:${world}`] }, shop: { hosts: [`127.0.0.1:${shop}`] } },
        domains: { 'dest.test': { route: 'shop', recipients: 'accept-all' } },
        outbound: { 'from-networks': ['127.0.0.1'], route: 'world', ...outbound },
        ...tenant,
      },
      ...tenants,
    },
  }
}
