/** Whether each tenant's postmaster can be told of held mail, by which way, and while the mail is still there. */
import type { Mailbox } from '#mail/address.ts'
import type { Draft, TenantDraft } from './draft.ts'
import { shown } from './problem.ts'
import { nearest } from './suggest.ts'
import { DAY_MS, durationText, HOUR_MS } from './units.ts'
import type { SettingPath, YamlText } from './yaml-text.ts'

/** Between two digests to one postmaster, in ms. */
const DIGEST_INTERVAL_MS = { hourly: HOUR_MS, daily: DAY_MS } as const

export function checkNotices({ relay, tenants }: Draft, yaml: YamlText): void {
  const route = relay.notices?.route
  checkRouteId(route, ['notices', 'route'], tenants, yaml)
  const served = servedNames(tenants)
  for (const tenant of tenants) {
    const { path, settings } = tenant
    const { postmaster } = settings
    if (postmaster === undefined) checkAbsent(tenant, yaml)
    else if (route === undefined && !isServed(postmaster, served)) {
      const hint = 'name an address of a domain that is served here, or set notices.route'
      const message = 'cannot be told anything: its domain is not served here'
      yaml.report('warning', [...path, 'postmaster'], message, { hint })
    }
  }
  checkKeep({ relay, tenants }, yaml)
}

export function checkRouteId(
  route: string | undefined,
  at: SettingPath,
  tenants: Draft['tenants'],
  yaml: YamlText,
): void {
  // A domain with `deliver-to` has a route of its own name.
  const routes = tenants.flatMap(({ name, routes: own, domains }) =>
    [...own.keys(), ...domains.map((domain) => domain.name)].map((known) => `${name}/${known}`),
  )
  if (route === undefined || routes.includes(route) || !tenants.every(({ complete }) => complete)) return
  const meant = nearest(route, routes)
  const hint = meant === undefined ? {} : { hint: `did you mean ${meant}?` }
  yaml.report('error', at, `there is no route ${shown(route)}`, { allowed: 'tenant/name', ...hint })
}

// One that is written but faulty has its error already.
function checkAbsent({ path, name, settings, domains }: TenantDraft, yaml: YamlText): void {
  const hasMail = domains.length > 0 || settings.outbound !== undefined
  if (!hasMail || yaml.source([...path, 'postmaster']) !== undefined) return
  const message = `${name} has no postmaster: nobody is told of its held mail, or that its server is down`
  yaml.report('warning', path, message, { hint: 'postmaster: the address of a person who can decide' }, 'key')
}

// Told at the tenant's own setting if there is one; what all tenants share is told once.
function checkKeep({ relay, tenants }: Draft, yaml: YamlText): void {
  const told = new Set<number | undefined>()
  for (const { path, settings } of tenants) {
    const { holds, digest = relay.notices?.digest } = settings
    const keepMs = holds?.keep ?? relay.holds?.keep
    if (settings.postmaster === undefined || keepMs === undefined || digest === undefined || digest === 'off') continue
    const waitMs = Math.max(DIGEST_INTERVAL_MS[digest], relay.notices?.['collect-time'] ?? 0)
    if (keepMs > waitMs) continue
    const at = placeOfKeep(path, settings)
    if (at === COMMON_KEEP && told.has(waitMs)) continue
    if (at === COMMON_KEEP) told.add(waitMs)
    const message = `held mail is dropped after ${durationText(keepMs)}, and the next digest may be ${durationText(waitMs)} away: it is gone before anybody hears of it`
    const hint = `keep it for longer than that${digest === 'daily' ? ', or let digests be hourly' : ''}`
    yaml.report('warning', at, message, { hint })
  }
}

const COMMON_KEEP: SettingPath = ['holds', 'keep']

function placeOfKeep(tenant: SettingPath, { holds, digest }: TenantDraft['settings']): SettingPath {
  if (holds?.keep !== undefined) return [...tenant, 'holds', 'keep']
  return digest === undefined ? COMMON_KEEP : [...tenant, 'digest']
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
