/**
 * What only the tenants together can show: a domain that two of them claim, a route that nobody declared, recipients
 * that are not of their domain.
 */
import { checkCalloutSender } from './check-callouts.ts'
import { checkFeedback } from './check-feedback.ts'
import { firstOne } from './check-listeners.ts'
import { checkNotices } from './check-notices.ts'
import { checkOutbound, outboundRoutes, reportNoRoute } from './check-outbound.ts'
import { checkHosts, checkRoute, type OwnAddresses } from './check-routes.ts'
import { checkSpam } from './check-spam.ts'
import { checkSpamLists } from './check-spam-lists.ts'
import { checkTlsReports } from './check-tls-reports.ts'
import { checkVirus } from './check-virus.ts'
import type { DomainDraft, Draft, TenantDraft } from './draft.ts'
import { newKeys, recipientKey } from './recipients.ts'
import { checkSpamEngines } from './resolve-spam-engines.ts'
import type { LdapSettings } from './schema-recipients.ts'
import { sizeText } from './units.ts'
import { wildcardOver } from './wildcards.ts'
import type { SettingPath, YamlText } from './yaml-text.ts'

/** Recipient keys of the domains that list them. */
export type ListedKeys = ReadonlyMap<DomainDraft, ReadonlySet<string>>

export function checkTenants(draft: Draft, own: OwnAddresses, yaml: YamlText): ListedKeys {
  checkOwners(draft, yaml)
  checkOutbound(draft, yaml)
  checkNotices(draft, yaml)
  checkVirus(draft, yaml)
  checkSpam(draft, yaml)
  checkSpamEngines(draft, yaml)
  checkSpamLists(draft, yaml)
  checkCalloutSender(draft, yaml)
  checkFeedback(draft, yaml)
  checkTlsReports(draft, yaml)
  const listed = new Map<DomainDraft, ReadonlySet<string>>()
  for (const tenant of draft.tenants) {
    for (const route of tenant.routes.values()) checkRoute(route, own, yaml)
    checkUnused(tenant, draft, yaml)
    for (const domain of tenant.domains) {
      checkWay(domain, tenant, own, yaml)
      checkSize(domain, draft, yaml)
      checkRecipientPolicies(domain, yaml)
      const keys = checkRecipients(domain, yaml)
      if (keys !== undefined) listed.set(domain, keys)
    }
  }
  return listed
}

function checkOwners({ tenants }: Draft, yaml: YamlText): void {
  const owners = new Map<string, { tenant: string; path: SettingPath }>()
  for (const tenant of tenants) {
    for (const { name, path } of tenant.domains) {
      const earlier = owners.get(name)
      if (earlier === undefined) owners.set(name, { tenant: tenant.name, path })
      else {
        const where = earlier.tenant === tenant.name ? 'is declared twice' : `already belongs to ${earlier.tenant}`
        yaml.report('error', path, `${name} ${where}`, firstOne(yaml, earlier.path), 'key')
      }
    }
  }
  if (owners.size === 0 && tenants.every((tenant) => tenant.complete))
    yaml.report('warning', ['tenants'], 'no domain is declared: all mail will be refused', {}, 'key')
  for (const [name, { tenant, path }] of owners) {
    const above = wildcardOver(name, owners)
    if (above === undefined || above.tenant === tenant) continue
    const message = `${name} is taken out of the wildcard of ${above.tenant}`
    yaml.report('warning', path, message, firstOne(yaml, above.path), 'key')
  }
}

function checkUnused(tenant: TenantDraft, { relay }: Draft, yaml: YamlText): void {
  // A faulty domain may have meant any of them.
  if (!tenant.complete) return
  const used = new Set(tenant.domains.map((domain) => domain.settings?.route))
  for (const { route } of outboundRoutes(tenant)) used.add(route)
  const ofRelay = [relay.notices?.route, relay['tls-reports']?.route]
  for (const [name, route] of tenant.routes) {
    if (!used.has(name) && !ofRelay.includes(`${tenant.name}/${name}`))
      yaml.report('warning', route.path, 'nothing uses this route', {}, 'key')
  }
}

function checkWay(domain: DomainDraft, tenant: TenantDraft, own: OwnAddresses, yaml: YamlText): void {
  if (domain.settings === undefined) return
  const { route, 'deliver-to': hosts } = domain.settings
  if (hosts !== undefined) checkHosts(hosts, 'smtp', [...domain.path, 'deliver-to'], own, yaml)
  if (route === undefined && hosts === undefined) {
    const allowed = 'route: the name of a route, or deliver-to: one or more hosts'
    yaml.report('error', domain.path, 'does not say where its mail goes', { allowed }, 'key')
  } else if (route !== undefined && hosts !== undefined) {
    const hint = 'remove one of them'
    yaml.report('error', [...domain.path, 'deliver-to'], 'stands beside a route', { hint }, 'key')
  } else if (route !== undefined && !tenant.routes.has(route)) {
    reportNoRoute(route, tenant, [...domain.path, 'route'], yaml)
  } else if (route !== undefined && tenant.routes.get(route)?.settings?.['use-mx']) {
    const message = `${route} finds hosts by MX, and the MX of a domain that we serve is this relay`
    yaml.report('error', [...domain.path, 'route'], message, { allowed: 'a route with hosts' })
  }
}

function checkSize(domain: DomainDraft, { relay }: Draft, yaml: YamlText): void {
  const own = domain.settings?.['size-max']
  const common = relay.limits?.['content-size-max']
  if (own === undefined || common === undefined || own <= common) return
  const allowed = `at most limits.content-size-max, which is ${sizeText(common)}`
  yaml.report('error', [...domain.path, 'size-max'], 'is more than the relay takes at all', { allowed })
}

// Which of the two would hold, nobody could tell.
function checkRecipientPolicies(domain: DomainDraft, yaml: YamlText): void {
  for (const setting of ['virus-by-recipient', 'spam-by-recipient'] as const) checkPatterns(domain, setting, yaml)
}

function checkPatterns(
  { path, settings }: DomainDraft,
  setting: 'virus-by-recipient' | 'spam-by-recipient',
  yaml: YamlText,
): void {
  const earlier = new Map<string, SettingPath>()
  for (const [i, { recipients }] of (settings?.[setting] ?? []).entries()) {
    const at = [...path, setting, i, 'recipients']
    for (const { key, begins } of recipients) {
      const text = begins ? `${key}*` : key
      const first = earlier.get(text)
      if (first === undefined) earlier.set(text, at)
      else yaml.report('error', at, `${text} has a policy already`, firstOne(yaml, first), 'key')
    }
  }
}

function checkLdap(ldap: LdapSettings, path: SettingPath, yaml: YamlText): void {
  const { 'bind-dn': bindDn, 'password-file': file, 'password-env': variable } = ldap
  const ways = [file, variable].filter((way) => way !== undefined).length
  if (bindDn === undefined && ways > 0) {
    yaml.report('error', path, 'has a password, but does not say whose', { allowed: 'bind-dn: who asks' }, 'key')
  } else if (bindDn !== undefined && ways !== 1) {
    const allowed = 'exactly one of password-file, password-env'
    yaml.report('error', [...path, 'bind-dn'], 'needs its password', { allowed }, 'key')
  }
  const plain = ldap.tls === 'never' && ldap.url.some((url) => url.startsWith('ldap:'))
  if (plain && bindDn !== undefined) {
    yaml.report('warning', [...path, 'tls'], 'the password goes over the network in clear')
  }
}

function checkRecipients(domain: DomainDraft, yaml: YamlText): Set<string> | undefined {
  const recipients = domain.settings?.recipients
  const path = [...domain.path, 'recipients']
  if (recipients?.kind === 'accept-all') {
    const message =
      'mail to any address is taken. The tenant’s server must do so too, and never answer with bounces (R1)'
    yaml.report('warning', path, message)
  }
  if (recipients?.kind === 'ldap') checkLdap(recipients.ldap, [...path, 'ldap'], yaml)
  if (recipients?.kind !== 'listed') return undefined
  const keys = newKeys(domain.name)
  if (recipients.addresses.length === 0) yaml.report('warning', path, 'the list is empty: only postmaster exists')
  for (const [i, text] of recipients.addresses.entries()) {
    const read = recipientKey(text, domain.name)
    if (read.ok) keys.add(read.key)
    else yaml.report('error', [...path, 'listed', i], read.message)
  }
  return keys
}
