/**
 * Destinations: where a route finds its hosts by MX, each recipient domain has a route of its own, made when it is asked
 * for. Its id is that of the declared route with the domain behind it: `bakery/internet/example.org`. So the queue, the
 * connections and the operator's commands see it as they see any other route.
 */
import type { Route } from './directory.ts'

export const destinationId = (routeId: string, destination: string): string => `${routeId}/${destination}`

/** The declared route that an id stands for or begins with, and the destination behind it. */
export function splitRouteId(id: string): { readonly declared: string; readonly destination?: string } {
  const end = id.indexOf('/', id.indexOf('/') + 1)
  return end < 0 ? { declared: id } : { declared: id.slice(0, end), destination: id.slice(end + 1) }
}

export const declaredRouteId = (id: string): string => splitRouteId(id).declared

/** Only for a declared route with `byMx`. */
export const destinationRoute = (declared: Route, destination: string): Route => ({
  ...declared,
  id: destinationId(declared.id, destination),
  destination,
})
