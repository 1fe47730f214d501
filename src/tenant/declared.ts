/**
 * The directory of what a configuration file declares. Every question is a look-up in a hash table, whatever the number
 * of tenants; a name below a wildcard takes one look-up for each of its labels.
 */
import { DestinationRoutes } from './destination.ts'
import type { Directory, OutboundWay, Route, ServedDomain, Tenant } from './directory.ts'
import { NetworkMap } from './network-map.ts'

export interface Declared {
  readonly tenants: Iterable<Tenant>
  readonly routes: Iterable<Route>
  /** Names are unique; `*.bakery.example` stands for every subdomain, at any depth, that has no closer entry. */
  readonly domains: Iterable<ServedDomain>
}

export function declaredDirectory({ tenants, routes, domains }: Declared): Directory {
  const tenantsByName = new Map<string, Tenant>()
  const routesById = new Map<string, Route>()
  const exact = new Map<string, ServedDomain>()
  const below = new Map<string, ServedDomain>()
  for (const tenant of tenants) tenantsByName.set(tenant.name, tenant)
  for (const route of routes) routesById.set(route.id, route)
  for (const domain of domains) {
    if (domain.name.startsWith('*.')) below.set(domain.name.slice(2), domain)
    else exact.set(domain.name, domain)
  }
  const destinations = new DestinationRoutes(routesById)
  const waysOut = outboundWays(tenantsByName.values(), routesById)
  return {
    domain: (ascii) => exact.get(ascii) ?? (below.size > 0 ? nearestAbove(below, ascii) : undefined),
    route: (id) => routesById.get(id) ?? destinations.of(id),
    tenant: (name) => tenantsByName.get(name),
    outbound: (address, key) => (key && waysOut.byKey.get(key)) || waysOut.byNetwork.find(address),
    outboundOf: (name) => waysOut.byTenant.get(name),
    *domains() {
      yield* exact.values()
      yield* below.values()
    },
    routes: () => routesById.values(),
  }
}

// Its spool is the only custody: a server of the tenant that is told 4yz for a slow host far away only tries again.
function outboundWays(tenants: Iterable<Tenant>, routes: ReadonlyMap<string, Route>) {
  const byNetwork = new NetworkMap<OutboundWay>()
  const byTenant = new Map<string, OutboundWay>()
  const byKey = new Map<string, OutboundWay>()
  for (const tenant of tenants) {
    const { outbound } = tenant
    const route = outbound && routes.get(outbound.route)
    if (outbound === undefined || route === undefined) continue
    const { contentOctetsMax, virus } = outbound
    const common = { tenant, route, contentOctetsMax, ...(virus && { virus }) }
    // A name that no policy class of a domain can have.
    const way = { ...common, commit: 'spool', policyClass: '<outbound>', outbound } as const
    byTenant.set(tenant.name, way)
    for (const network of outbound.networks) byNetwork.set(network, way)
    for (const key of outbound.clientKeys ?? []) byKey.set(key, way)
  }
  return { byNetwork, byTenant, byKey }
}

// The longest wildcard wins. The answer carries the name that was asked for, as every other answer does.
function nearestAbove(below: ReadonlyMap<string, ServedDomain>, ascii: string): ServedDomain | undefined {
  for (let dot = ascii.indexOf('.'); dot >= 0; dot = ascii.indexOf('.', dot + 1)) {
    const wildcard = below.get(ascii.slice(dot + 1))
    if (wildcard !== undefined) return { ...wildcard, name: ascii }
  }
  return undefined
}
