/**
 * By which way a report to another domain leaves (RFC 8460 §5.3): where that domain is served here, as all its mail goes;
 * otherwise by the route that the operator names, by the way out of the tenant whose domain the report comes from, or by the
 * route of notices.
 */
import type { Mailbox } from '#mail/address.ts'
import { routeToLeaveBy } from './destination.ts'
import type { Directory } from './directory.ts'

export interface ReportWay {
  readonly tenant: string
  /** Route id; also of a destination. */
  readonly route: string
}

export interface NamedRoutes {
  /** `tenant/name`. */
  readonly reports?: string | undefined
  readonly notices?: string | undefined
}

/** Undefined: there is none. */
export function reportWay(from: Mailbox, to: Mailbox, named: NamedRoutes, directory: Directory): ReportWay | undefined {
  const served = to.domain.kind === 'name' ? directory.domain(to.domain.ascii) : undefined
  if (served !== undefined) return { tenant: served.tenant.name, route: served.route.id }
  if (named.reports !== undefined) return declared(named.reports, directory)
  const owner = from.domain.kind === 'name' ? directory.domain(from.domain.ascii)?.tenant.name : undefined
  const out = owner === undefined ? undefined : directory.outboundOf(owner)
  if (out !== undefined) {
    const route = routeToLeaveBy(out, true, to.domain, (id) => directory.route(id))
    return { tenant: out.tenant.name, route }
  }
  return named.notices === undefined ? undefined : declared(named.notices, directory)
}

function declared(id: string, directory: Directory): ReportWay | undefined {
  const route = directory.route(id)
  return route && { tenant: route.tenant, route: route.id }
}
