/** Whether each tenant's postmaster can be told of held mail, and by which way. */
import type { Mailbox } from '#mail/address.ts'
import type { Draft } from './draft.ts'
import { shown } from './problem.ts'
import { nearest } from './suggest.ts'
import type { YamlText } from './yaml-text.ts'

export function checkNotices({ relay, tenants }: Draft, yaml: YamlText): void {
  // A domain with `deliver-to` has a route of its own name.
  const routes = tenants.flatMap(({ name, routes: own, domains }) =>
    [...own.keys(), ...domains.map((domain) => domain.name)].map((route) => `${name}/${route}`),
  )
  const route = relay.notices?.route
  if (route !== undefined && !routes.includes(route) && tenants.every(({ complete }) => complete)) {
    const meant = nearest(route, routes)
    const hint = meant === undefined ? {} : { hint: `did you mean ${meant}?` }
    yaml.report('error', ['notices', 'route'], `there is no route ${shown(route)}`, { allowed: 'tenant/name', ...hint })
  }
  const served = servedNames(tenants)
  for (const { path, settings } of tenants) {
    const { postmaster } = settings
    if (postmaster === undefined || route !== undefined || isServed(postmaster, served)) continue
    const hint = 'name an address of a domain that is served here, or set notices.route'
    yaml.report('warning', [...path, 'postmaster'], 'cannot be told anything: its domain is not served here', { hint })
  }
}

export const servedNames = (tenants: Draft['tenants']): ReadonlySet<string> =>
  new Set(tenants.flatMap(({ domains }) => domains.map(({ name }) => name)))

export function isServed({ domain }: Mailbox, served: ReadonlySet<string>): boolean {
  if (domain.kind !== 'name') return false
  if (served.has(domain.ascii)) return true
  for (let dot = domain.ascii.indexOf('.'); dot >= 0; dot = domain.ascii.indexOf('.', dot + 1)) {
    if (served.has(`*${domain.ascii.slice(dot)}`)) return true
  }
  return false
}
