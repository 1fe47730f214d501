/**
 * Destinations: where a route finds its hosts by MX, each recipient domain has a route of its own, made when it is asked
 * for. Its id is that of the declared route with the domain behind it: `bakery/internet/example.org`. So the queue, the
 * connections and the operator's commands see it as they see any other route.
 */
import { type Domain, domainText, parseAddressLiteral, parseDomainName } from '#mail/domain.ts'
import type { OutboundWay, Route } from './directory.ts'

/** Routes of destinations that are kept ready, so that each message does not make its own. */
const KEPT_MAX = 10_000

export const destinationId = (routeId: string, destination: string): string => `${routeId}/${destination}`

/** `route`: a declared one that finds hosts by MX. */
export function destinationRoute(route: Route, destination: string): Route {
  const tls = route.tlsByDomain?.get(destination)
  const id = destinationId(route.id, destination)
  return { ...route, id, destination, ...(tls !== undefined && { tls, tlsByOperator: true }) }
}

/** The declared route that an id stands for or begins with, and the destination behind it. */
export function splitRouteId(id: string): { readonly declared: string; readonly destination?: string } {
  const end = id.indexOf('/', id.indexOf('/') + 1)
  return end < 0 ? { declared: id } : { declared: id.slice(0, end), destination: id.slice(end + 1) }
}

export const declaredRouteId = (id: string): string => splitRouteId(id).declared

/** The route of a destination, for each declared route that finds hosts by MX. */
export class DestinationRoutes {
  readonly #declared: ReadonlyMap<string, Route>
  readonly #kept = new Map<string, Route>()

  constructor(declared: ReadonlyMap<string, Route>) {
    this.#declared = declared
  }

  /** Undefined for what is no destination. */
  of(id: string): Route | undefined {
    const kept = this.#kept.get(id)
    if (kept !== undefined) return kept
    const { declared, destination } = splitRouteId(id)
    const route = this.#declared.get(declared)
    if (route === undefined || destination === undefined || !isDestination(destination)) return undefined
    // A route that was by MX and has hosts now: what waits for its destinations goes there.
    const made = route.byMx === undefined ? { ...route, id } : destinationRoute(route, destination)
    this.#kept.set(id, made)
    if (this.#kept.size > KEPT_MAX) this.#kept.delete(this.#kept.keys().next().value!)
    return made
  }
}

function isDestination(text: string): boolean {
  if (!text.startsWith('[')) return parseDomainName(text) === text
  const literal = text.endsWith(']') ? parseAddressLiteral(text.slice(1, -1)) : undefined
  return literal !== undefined && domainText(literal) === text
}

/** By which route mail for this domain goes, if mail of its kind goes by that declared one. */
export function towards(route: Pick<Route, 'id' | 'byMx'>, domain: Domain): string {
  return route.byMx === undefined ? route.id : destinationId(declaredRouteId(route.id), domainText(domain))
}

/** By which route a message leaves to this domain. `routeOf`: declared routes. */
export function routeToLeaveBy(
  { outbound, route }: OutboundWay,
  isFromNullPath: boolean,
  domain: Domain,
  routeOf: (id: string) => Route | undefined,
): string {
  const named = outbound.domainRoutes && closest(outbound.domainRoutes, domainText(domain))
  const id = named ?? (isFromNullPath ? outbound.nullPathRoute : undefined)
  return towards((id === undefined ? undefined : routeOf(id)) ?? route, domain)
}

// The name itself, then the longest wildcard above it.
function closest(routes: ReadonlyMap<string, string>, domain: string): string | undefined {
  let found = routes.get(domain)
  for (let dot = domain.indexOf('.'); found === undefined && dot >= 0; dot = domain.indexOf('.', dot + 1)) {
    found = routes.get(`*${domain.slice(dot)}`)
  }
  return found
}
