/**
 * Where a notice to a tenant goes: to the tenant's postmaster, by the route of the postmaster's domain if we serve it
 * (whoever's it is: a provider may look after its customers' mail), otherwise by the route that the operator names for
 * notices.
 */
import type { Mailbox } from '#mail/address.ts'
import type { Directory, Route, Tenant } from './directory.ts'

export type NoticeWay =
  | { readonly kind: 'way'; readonly to: Mailbox; readonly route: Route }
  | { readonly kind: 'none'; readonly why: string }

export function noticeWay(tenant: Tenant, directory: Directory, noticesRoute: string | undefined): NoticeWay {
  const { postmaster: to, name } = tenant
  if (to === undefined) return { kind: 'none', why: `tenant ${name} has no postmaster` }
  const served = to.domain.kind === 'name' ? directory.domain(to.domain.ascii) : undefined
  const route = served?.route ?? (noticesRoute === undefined ? undefined : directory.route(noticesRoute))
  if (route !== undefined) return { kind: 'way', to, route }
  return {
    kind: 'none',
    why: `the postmaster of ${name} is at a domain that is not served here, and notices have no route`,
  }
}
