/**
 * One worker's share of what a route or a tenant has for the whole program. Shares add up to the whole, except that each
 * worker has at least one connection: with fewer connections than workers the whole is one for each.
 */
import type { Directory, Route, ServedDomain, Tenant } from './directory.ts'

/** This worker, and how many there are. */
export interface Share {
  readonly index: number
  readonly workers: number
}

export const ALONE: Share = { index: 0, workers: 1 }

export function routeShare(route: Route, { index, workers }: Share): Route {
  const extra = index < route.connectionsMax % workers ? 1 : 0
  return {
    ...route,
    connectionsMax: Math.max(1, Math.floor(route.connectionsMax / workers) + extra),
    ...rateShare(route.messagesPerSecondMax, workers),
  }
}

export const tenantShare = (tenant: Tenant, { workers }: Share): Tenant => ({
  ...tenant,
  ...rateShare(tenant.messagesPerSecondMax, workers),
})

const rateShare = (whole: number | undefined, workers: number) =>
  whole === undefined ? {} : { messagesPerSecondMax: whole / workers }

type Declarations = {
  readonly tenants: readonly Tenant[]
  readonly routes: readonly Route[]
  readonly domains: readonly ServedDomain[]
}

/** What a configuration declares, as one worker may use it. */
export function shareOf({ tenants, routes, domains }: Declarations, share: Share): Declarations {
  if (share.workers === 1) return { tenants, routes, domains }
  const routesById = new Map(routes.map((route) => [route.id, routeShare(route, share)]))
  const tenantsByName = new Map(tenants.map((tenant) => [tenant.name, tenantShare(tenant, share)]))
  return {
    tenants: [...tenantsByName.values()],
    routes: [...routesById.values()],
    domains: domains.map((domain) => ({
      ...domain,
      route: routesById.get(domain.route.id)!,
      tenant: tenantsByName.get(domain.tenant.name)!,
    })),
  }
}

/** The domains that each route serves. */
export function domainsByRoute(directory: Pick<Directory, 'domains'>): Map<string, ServedDomain[]> {
  const found = new Map<string, ServedDomain[]>()
  for (const domain of directory.domains()) {
    const others = found.get(domain.route.id)
    if (others) others.push(domain)
    else found.set(domain.route.id, [domain])
  }
  return found
}
