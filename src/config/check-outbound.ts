/**
 * What only the tenants and listeners together can show about mail that leaves: a network of two tenants, a route that
 * nobody declared, a way out without a door, a protection without its key.
 */
import { NetworkMap } from '#tenant/network-map.ts'
import { firstOne } from './check-listeners.ts'
import type { Draft, TenantDraft } from './draft.ts'
import { shown } from './problem.ts'
import { nearest } from './suggest.ts'
import { readDomainPattern } from './units.ts'
import { wildcardOver } from './wildcards.ts'
import type { SettingPath, YamlText } from './yaml-text.ts'

export function checkOutbound(draft: Draft, yaml: YamlText): void {
  checkNetworks(draft, yaml)
  checkClientKeys(draft, yaml)
  checkDoors(draft, yaml)
  checkSenderDomains(draft, yaml)
  for (const tenant of draft.tenants) {
    checkRoutes(tenant, yaml)
    checkProtection(tenant, yaml)
    checkLoginMax(tenant, yaml)
  }
}

export function reportNoRoute(route: string, tenant: TenantDraft, path: SettingPath, yaml: YamlText): void {
  const names = [...tenant.routes.keys()]
  const meant = nearest(route, names)
  const allowed = names.length > 0 ? names.join(', ') : `a name under tenants.${tenant.name}.routes`
  const detail = meant === undefined ? { allowed } : { allowed, hint: `did you mean ${meant}?` }
  yaml.report('error', path, `${tenant.name} has no route ${shown(route)}`, detail)
}

interface Claim {
  readonly network: string
  readonly tenant: string
  readonly path: SettingPath
}

const prefixLength = (network: string): number => Number(network.split('/')[1] ?? (network.includes(':') ? 128 : 32))

/** Wider than any provider gives to one customer; 0.0.0.0/0 would make an open relay. */
const PREFIX_LENGTH_MIN = { ipv4: 8, ipv6: 16 }

// The wide ones first: a network that overlaps an earlier one then lies within it.
function checkNetworks({ tenants }: Draft, yaml: YamlText): void {
  const claims: Claim[] = tenants.flatMap(({ name: tenant, path, settings }) =>
    (settings.outbound?.['from-networks'] ?? []).map((network, i) => ({
      network,
      tenant,
      path: [...path, 'outbound', 'from-networks', i],
    })),
  )
  claims.sort((a, b) => prefixLength(a.network) - prefixLength(b.network))
  const owners = new NetworkMap<Claim>()
  for (const claim of claims) {
    const family = claim.network.includes(':') ? 'ipv6' : 'ipv4'
    if (prefixLength(claim.network) < PREFIX_LENGTH_MIN[family]) {
      const allowed = `networks of at least ${PREFIX_LENGTH_MIN.ipv4} bits, in IPv6 ${PREFIX_LENGTH_MIN.ipv6}`
      yaml.report('error', claim.path, `${claim.network} would open the relay to strangers`, { allowed })
    }
    const earlier = owners.find(claim.network.split('/')[0]!)
    if (earlier !== undefined && earlier.tenant !== claim.tenant) {
      const message = `${claim.network} already belongs to ${earlier.tenant} (${earlier.network})`
      yaml.report('error', claim.path, message, firstOne(yaml, earlier.path))
    }
    owners.set(claim.network, claim)
  }
}

function checkClientKeys({ relay, tenants }: Draft, yaml: YamlText): void {
  const owners = new Map<string, { readonly tenant: string; readonly path: SettingPath }>()
  const door = relay.listeners?.some((listener) => listener.service === 'outbound' && listener.tls !== 'none')
  const usersDoor = relay.listeners?.some((listener) => listener.service === 'submission')
  for (const { name: tenant, path, settings } of tenants) {
    const { outbound } = settings
    if (outbound === undefined) continue
    const keys = outbound['from-client-keys']
    const at = [...path, 'outbound', 'from-client-keys']
    // A tenant of users alone: their logins are not in the configuration.
    if (keys === undefined && outbound['from-networks'] === undefined && usersDoor === false) {
      const allowed = 'from-networks, from-client-keys, or both'
      const hint = 'or add a listener with service: submission, for users with a login'
      const message = 'does not say which servers are the tenant’s'
      yaml.report('error', [...path, 'outbound'], message, { allowed, hint }, 'key')
    }
    if (keys !== undefined && door === false) {
      yaml.report(
        'warning',
        at,
        'no listener with service: outbound has TLS, so no server can show a certificate',
        {},
        'key',
      )
    }
    for (const [i, key] of (keys ?? []).entries()) {
      const earlier = owners.get(key)
      if (earlier === undefined) owners.set(key, { tenant, path: [...at, i] })
      else if (earlier.tenant !== tenant) {
        const message = `this key already belongs to ${earlier.tenant}`
        yaml.report('error', [...at, i], message, firstOne(yaml, earlier.path))
      }
    }
  }
}

function checkDoors({ relay, tenants }: Draft, yaml: YamlText): void {
  const door = (relay.listeners ?? []).findIndex((listener) => listener.service !== 'inbound')
  const sender = tenants.find((tenant) => tenant.settings.outbound !== undefined)
  if (sender !== undefined && door < 0 && relay.listeners !== undefined) {
    const hint = 'add a listener with service: outbound or submission'
    yaml.report('warning', [...sender.path, 'outbound'], 'no listener takes this mail', { hint }, 'key')
  }
  if (door >= 0 && sender === undefined) {
    const message = 'no tenant has outbound settings: all mail will be refused'
    yaml.report('warning', ['listeners', door, 'service'], message)
  }
}

/** A domain is served, or sent as: the token of one tenant must not count for a domain whose mail another one gets. */
function checkSenderDomains({ tenants }: Draft, yaml: YamlText): void {
  const served = new Map<string, { readonly tenant: string; readonly path: SettingPath }>()
  for (const { name: tenant, domains } of tenants) {
    for (const { name, path } of domains) served.set(name, { tenant, path })
  }
  for (const { name: tenant, path, settings } of tenants) {
    const seen = new Set<string>()
    for (const [i, domain] of (settings.outbound?.['sender-domains'] ?? []).entries()) {
      const at = [...path, 'outbound', 'sender-domains', i]
      const owner = served.get(domain) ?? wildcardOver(domain, served)
      if (owner !== undefined) {
        const whose =
          owner.tenant === tenant ? `is a domain of ${tenant} already` : `is served here, for ${owner.tenant}`
        yaml.report('error', at, `${domain} ${whose}`, firstOne(yaml, owner.path))
      } else if (seen.has(domain)) yaml.report('warning', at, `${domain} stands here twice`)
      seen.add(domain)
    }
  }
}

/** Every route by which a tenant's mail may leave, and where that is said. */
export function outboundRoutes({
  settings,
  path,
}: TenantDraft): { readonly route: string; readonly at: SettingPath }[] {
  const { outbound } = settings
  if (outbound === undefined) return []
  const nullPath = outbound['null-path-route']
  return [
    { route: outbound.route, at: [...path, 'outbound', 'route'] },
    ...(nullPath === undefined ? [] : [{ route: nullPath, at: [...path, 'outbound', 'null-path-route'] }]),
    ...Object.entries(outbound['domain-routes'] ?? {}).map(([domain, route]) => ({
      route,
      at: [...path, 'outbound', 'domain-routes', domain],
    })),
  ]
}

function checkRoutes(tenant: TenantDraft, yaml: YamlText): void {
  for (const { route, at } of outboundRoutes(tenant)) {
    if (!tenant.routes.has(route)) reportNoRoute(route, tenant, at, yaml)
    else if (tenant.routes.get(route)?.settings?.protocol === 'lmtp') {
      const message = `${route} speaks LMTP, which does not relay (RFC 2033 §5)`
      yaml.report('error', at, message, { allowed: 'a route with protocol: smtp' })
    }
  }
  checkDomainRoutes(tenant, yaml)
}

function checkDomainRoutes({ settings, path }: TenantDraft, yaml: YamlText): void {
  const first = new Map<string, SettingPath>()
  for (const domain of Object.keys(settings.outbound?.['domain-routes'] ?? {})) {
    const at = [...path, 'outbound', 'domain-routes', domain]
    const pattern = readDomainPattern(domain)
    if (pattern === undefined) {
      const allowed = 'a domain such as example.org, or "*.example.org" for its subdomains'
      yaml.report('error', at, `${shown(domain)} is not a domain`, { allowed }, 'key')
      continue
    }
    const earlier = first.get(pattern)
    if (earlier === undefined) first.set(pattern, at)
    else yaml.report('error', at, `${pattern} is declared twice`, firstOne(yaml, earlier), 'key')
  }
}

function checkLoginMax({ settings, path }: TenantDraft, yaml: YamlText): void {
  const { login, 'login-max': max } = settings.outbound?.limits ?? {}
  for (const name of ['recipients-per-10-minutes', 'recipients-per-day'] as const) {
    if (login === undefined || max === undefined || max[name] >= login[name]) continue
    const at = [...path, 'outbound', 'limits', 'login-max', name]
    yaml.report('error', at, `is less than what every login may send`, { allowed: `${login[name]} or more` })
  }
}

function checkProtection(tenant: TenantDraft, yaml: YamlText): void {
  const written = tenant.settings['bounce-protection']
  if (written === undefined) return
  const path = [...tenant.path, 'bounce-protection']
  if (tenant.settings.outbound === undefined) {
    const message = 'its mail does not leave through us: after the warm-up real bounces would be refused'
    yaml.report('error', path, message, { hint: 'add outbound settings' }, 'key')
  }
  const numbers = Object.keys(written.keys ?? {})
  if (written.kind === 'sent-record') {
    if (numbers.length > 0) yaml.report('error', [...path, 'keys'], 'are of no use for a record', {}, 'key')
    return
  }
  const allowed = 'at least one key, such as keys: {0: {secret-file: /etc/vorposten/batv-0}}'
  if (numbers.length === 0) yaml.report('error', path, 'has no key to sign with', { allowed }, 'key')
  const signing = written['signing-key']
  if (signing === undefined && numbers.length > 1) {
    yaml.report('error', path, 'does not say which key signs', { allowed: 'signing-key: one of the numbers' }, 'key')
  } else if (signing !== undefined && numbers.length > 0 && !numbers.includes(String(signing))) {
    yaml.report('error', [...path, 'signing-key'], `there is no key ${signing}`, { allowed: numbers.join(', ') })
  }
}
