/**
 * From a sound draft to the `Config`. Everything that can be wrong was reported before; what is missing here is a
 * defect.
 */
import { dirname, resolve } from 'node:path'
import type { ServerLimits } from '#smtp/server/contract.ts'
import type { Route, ServedDomain, SourceAddress, Tenant, TlsUse } from '#tenant/directory.ts'
import { defaultPort } from './check-routes.ts'
import type { ListedKeys } from './check-tenants.ts'
import type {
  ClientLimits,
  Config,
  DsnConfig,
  FeedbackConfig,
  LdapSource,
  ListenerConfig,
  NoticeConfig,
  RelayLimits,
  TlsReportConfig,
} from './config.ts'
import type { DomainDraft, Draft, TenantDraft } from './draft.ts'
import { newKeys, type RecipientFile } from './recipients.ts'
import { dkimConfig } from './resolve-dkim.ts'
import { type CommonPolicies, filterPolicies } from './resolve-filters.ts'
import { loginOf, type RouteFiles } from './resolve-login.ts'
import { bounceProtectionOf, type KeySecret, outboundOf } from './resolve-outbound.ts'
import { spamConfig } from './resolve-spam.ts'
import { virusConfig } from './resolve-virus.ts'
import type { LimitSettings } from './schema-limits.ts'
import type { ListenerSettings } from './schema-listener.ts'
import type { LdapSettings, ListUse } from './schema-recipients.ts'
import { type DomainSettings, type RouteSettings, routeSettings } from './schema-tenant.ts'
import type { TlsReportsWritten } from './schema-tls-reports.ts'
import { readFullDomain } from './units.ts'
import { settingText, type YamlText } from './yaml-text.ts'

export interface Resolved {
  readonly config: Config
  /** Lists in files of their own, and where the configuration names them. */
  readonly files: readonly RecipientFile[]
  readonly secrets: readonly KeySecret[]
  readonly routeFiles: readonly RouteFiles[]
}

export function resolveConfig({ relay, tenants }: Draft, listed: ListedKeys, yaml: YamlText): Resolved {
  const { hostname, workers, log, http, listeners, limits, spool, holds, notices, dsn, dkim, virus, spam } = relay
  const { quarantine } = relay
  const dataFolder = relay['data-folder']
  const sections =
    listeners && limits && spool && holds && notices && dsn && dkim && virus && spam && quarantine && relay.destinations
  if (!(hostname && dataFolder && workers && log && http && sections)) {
    throw new Error('not sound')
  }
  const at = (path: string): string => resolve(dirname(yaml.file), path)
  const declared: Declarations = {
    tenants: [],
    routes: [],
    domains: [],
    files: [],
    directories: [],
    secrets: [],
    routeFiles: [],
  }
  const policies = { virus: virus.policy, spam: spam.policy }
  const context = { listed, yaml, at, contentOctetsMax: limits['content-size-max'], ...policies }
  for (const tenant of tenants) declareTenant(tenant, context, declared)
  const config: Config = {
    file: yaml.file,
    hostname,
    dataFolder: at(dataFolder),
    workers,
    log: { format: log.format, destination: log.destination === 'stdout' ? 'stdout' : { path: at(log.destination) } },
    http,
    ...(relay['name-servers'] && { nameServers: relay['name-servers'] }),
    destinations: {
      allowNetworks: relay.destinations['allow-networks'] ?? [],
      ownNames: relay.destinations['own-names'] ?? [],
      mtaStsPort: relay.destinations['mta-sts-port'],
    },
    listeners: listeners.map((listener) => listenerConfig(listener, limits, at)),
    limits: relayLimits(limits),
    spool: { segmentOctets: spool['segment-size'], freeOctetsMin: spool['free-space-min'] },
    holds: { keepMs: holds.keep },
    quarantine: { keepMs: quarantine.keep, octetsMax: quarantine['size-max'] },
    ...(relay['callout-sender'] && { calloutSender: relay['callout-sender'] }),
    notices: noticeConfig(notices),
    dsn: dsnConfig(dsn),
    ...(relay['tls-reports'] && { tlsReports: tlsReportConfig(relay['tls-reports']) }),
    dkim: dkimConfig(dkim, context, declared.secrets),
    virus: virusConfig(virus),
    spam: spamConfig(spam, at),
    ...(relay.feedback && { feedback: feedbackConfig(relay.feedback) }),
    authentication: relay.authentication !== false,
    tenants: declared.tenants,
    routes: declared.routes,
    domains: declared.domains,
    recipientFiles: declared.files.map(({ domain, path }) => ({ domain, path })),
    recipientDirectories: declared.directories,
  }
  return { config, files: declared.files, secrets: declared.secrets, routeFiles: declared.routeFiles }
}

const noticeConfig = (notices: NonNullable<Draft['relay']['notices']>): NoticeConfig => ({
  digest: notices.digest,
  collectMs: notices['collect-time'],
  timeZone: notices['time-zone'],
  ...(notices.route !== undefined && { route: notices.route }),
})

const tlsReportConfig = ({ organization, contact, route }: TlsReportsWritten): TlsReportConfig => ({
  ...{ organization, contact },
  ...(route !== undefined && { route }),
})

const dsnConfig = (dsn: NonNullable<Draft['relay']['dsn']>): DsnConfig => ({
  perDomainAndDayMax: dsn['per-domain-and-day'],
  ...(dsn['delay-after'] !== 'off' && { delayAfterMs: dsn['delay-after'] }),
})

const feedbackConfig = (feedback: NonNullable<Draft['relay']['feedback']>): FeedbackConfig => ({
  addresses: feedback.addresses,
  fromNetworks: feedback['from-networks'] ?? [],
  fromDomains: feedback['from-domains'] ?? [],
})

const tenantQuarantine = (
  written: NonNullable<TenantDraft['settings']['quarantine']>,
): NonNullable<Tenant['quarantine']> => ({
  ...(written.keep !== undefined && { keepMs: written.keep }),
  ...(written['size-max'] !== undefined && { octetsMax: written['size-max'] }),
})

type Absolute = (path: string) => string

function listenerConfig(listener: ListenerSettings, common: LimitSettings, at: Absolute): ListenerConfig {
  const limits: LimitSettings = { ...common, ...listener.limits }
  return {
    name: listener.name,
    addresses: listener.addresses,
    service: listener.service,
    tls: listener.tls,
    certificates: (listener.certificates ?? []).map(({ names, certificate, key }) => ({
      names: names ?? [],
      certificateFile: at(certificate),
      keyFile: at(key),
    })),
    proxyFrom: listener['proxy-from'] ?? [],
    lineEnds: listener['line-ends'],
    earlyTalkerDelayMs: listener['early-talker-delay'],
    exemptFromLimits: listener['exempt-from-limits'],
    limits: serverLimits(limits),
    clientLimits: clientLimits(limits),
  }
}

const serverLimits = (limits: LimitSettings): ServerLimits => ({
  commandOctetsMax: limits['command-size-max'],
  contentOctetsMax: limits['content-size-max'],
  textLineOctetsMax: limits['text-line-size-max'],
  recipientsMax: limits['recipients-max'],
  errorsMax: limits['errors-max'],
  transactionsMax: limits['transactions-max'],
  pendingOctetsMax: limits['pending-size-max'],
  commandMsMax: limits['command-time-max'],
  dataBlockMsMax: limits['data-block-time-max'],
  sessionMsMax: limits['session-time-max'],
})

const clientLimits = (limits: LimitSettings): ClientLimits => ({
  sessionsPerClientMax: limits['sessions-per-client-max'],
  sessionsPerNetworkMax: limits['sessions-per-network-max'],
  newPerMinutePerClientMax: limits['new-per-minute-per-client-max'],
  newPerMinutePerNetworkMax: limits['new-per-minute-per-network-max'],
})

const relayLimits = (limits: LimitSettings): RelayLimits => ({
  sessionsMax: limits['sessions-max'],
  contentMemoryOctetsMax: limits['content-memory-max'],
  hopsMax: limits['hops-max'],
})

interface Declarations {
  readonly tenants: Tenant[]
  readonly routes: Route[]
  readonly domains: ServedDomain[]
  readonly files: RecipientFile[]
  readonly directories: Config['recipientDirectories'][number][]
  readonly secrets: KeySecret[]
  readonly routeFiles: RouteFiles[]
}

interface Context extends CommonPolicies {
  readonly listed: ListedKeys
  readonly yaml: YamlText
  readonly at: Absolute
  readonly contentOctetsMax: number
}

function declareTenant(draft: TenantDraft, context: Context, into: Declarations): void {
  const { postmaster, digest, holds, language = 'en', 'rate-max': messagesPerSecondMax } = draft.settings
  const timeZone = draft.settings['time-zone']
  const outbound = outboundOf(draft, context)
  const bounceProtection = bounceProtectionOf(draft, context, into.secrets)
  const tenant: Tenant = {
    name: draft.name,
    language,
    ...(postmaster && { postmaster }),
    ...(digest && { digest }),
    ...(draft.settings.people && { people: draft.settings.people }),
    ...(timeZone !== undefined && { timeZone }),
    ...(holds?.keep !== undefined && { holdKeepMs: holds.keep }),
    ...(draft.settings.quarantine && { quarantine: tenantQuarantine(draft.settings.quarantine) }),
    ...(outbound && { outbound }),
    ...(bounceProtection && { bounceProtection }),
    ...(messagesPerSecondMax !== undefined && { messagesPerSecondMax }),
  }
  into.tenants.push(tenant)
  const routes = new Map<string, Route>()
  for (const route of draft.routes.values()) {
    const { name, settings } = route
    if (settings === undefined) continue
    routes.set(name, { ...routeFrom(settings, tenant.name, name), ...loginOf(route, context.at, into.routeFiles) })
  }
  into.routes.push(...routes.values())
  for (const domain of draft.domains) {
    const policies = filterPolicies(domain, draft, context)
    into.domains.push({ ...declareDomain(domain, tenant, routes, context, into), ...policies })
  }
}

function declareDomain(
  draft: DomainDraft,
  tenant: Tenant,
  routes: ReadonlyMap<string, Route>,
  context: Context,
  into: Declarations,
): ServedDomain {
  const { name, settings } = draft
  const hosts = settings?.['deliver-to']
  const route =
    hosts === undefined
      ? routes.get(settings?.route ?? '')
      : // Named after the domain, not the host: mail that waits follows the domain to another server.
        routeFrom({ ...routeDefaults(), hosts }, tenant.name, name)
  if (settings === undefined || route === undefined) throw new Error(`not sound: ${name}`)
  if (hosts !== undefined) into.routes.push(route)
  return {
    name,
    tenant,
    route,
    recipients: recipientSource(draft, context, into),
    commit: settings.service === 'fallback-mx' ? 'spool' : settings.commit,
    policyClass: settings.policy,
    contentOctetsMax: settings['size-max'] ?? context.contentOctetsMax,
    ...fallbackOf(settings),
  }
}

function fallbackOf(settings: DomainSettings): Pick<ServedDomain, 'fallback' | 'lifetimeMs' | 'etrnFrom'> {
  const { service, lifetime, 'refuse-while-primary-up': refuse, 'etrn-from': etrnFrom } = settings
  return {
    ...(service === 'fallback-mx' && { fallback: { refuseWhilePrimaryUp: refuse } }),
    ...(lifetime !== undefined && { lifetimeMs: lifetime }),
    ...(etrnFrom !== undefined && { etrnFrom }),
  }
}

function recipientSource(draft: DomainDraft, context: Context, into: Declarations): ServedDomain['recipients'] {
  const recipients = draft.settings?.recipients ?? { kind: 'live' }
  if (recipients.kind === 'listed') return { kind: 'listed', keys: context.listed.get(draft) ?? newKeys(draft.name) }
  if (recipients.kind === 'ldap') {
    into.directories.push({ domain: draft.name, ldap: ldapSource(recipients.ldap, context.at) })
    return directorySource(draft.name, recipients)
  }
  if (recipients.kind === 'imported') return directorySource(draft.name, recipients)
  if (recipients.kind !== 'file') return { kind: recipients.kind }
  const path = [...draft.path, 'recipients', 'file']
  const position = context.yaml.locate(path)
  into.files.push({ path: context.at(recipients.path), domain: draft.name, position, setting: settingText(path) })
  return directorySource(draft.name, recipients)
}

// The directory hands out a wildcard's entry under the name that was asked for.
const directorySource = (name: string, { otherwise, subaddressSeparator }: ListUse): ServedDomain['recipients'] => ({
  kind: 'directory',
  otherwise,
  ...(name.startsWith('*.') ? { list: name } : {}),
  ...(subaddressSeparator === undefined ? {} : { subaddressSeparator }),
})

function ldapSource(settings: LdapSettings, at: Absolute): LdapSource {
  const { 'ca-file': caFile, 'bind-dn': bindDn, 'password-file': file, 'password-env': variable, filter } = settings
  return {
    urls: settings.url,
    tls: settings.tls,
    ...(caFile === undefined ? {} : { caFile: at(caFile) }),
    ...(bindDn === undefined ? {} : { bindDn }),
    ...(file === undefined ? {} : { password: { 'password-file': at(file) } }),
    ...(variable === undefined ? {} : { password: { 'password-env': variable } }),
    base: settings.base,
    ...(filter === undefined ? {} : { filter }),
    attributes: settings.attributes,
    pageSize: settings['page-size'],
    intervalMs: settings.interval,
    timeMsMax: settings['time-max'],
  }
}

type SourceWritten = NonNullable<RouteSettings['source-addresses']>[number]

function sourceFrom({ address, 'greeting-name': greetingName }: SourceWritten): SourceAddress {
  return { address, ...(greetingName !== undefined && { greetingName }) }
}

// Names that are none were reported.
function tlsByDomain(written: NonNullable<RouteSettings['tls-by-domain']>): ReadonlyMap<string, TlsUse> {
  return new Map(
    Object.entries(written).flatMap(([name, tls]) => {
      const domain = readFullDomain(name)
      return domain === undefined ? [] : [[domain, tls] as const]
    }),
  )
}

let defaults: RouteSettings | undefined
const routeDefaults = (): RouteSettings => (defaults ??= routeSettings.parse({ hosts: 'mail.bakery.example' }))

function routeFrom(settings: RouteSettings, tenant: string, name: string): Route {
  const { 'greeting-name': greetingName, 'rate-max': messagesPerSecondMax } = settings
  return {
    id: `${tenant}/${name}`,
    tenant,
    protocol: settings.protocol,
    hosts: (settings.hosts ?? []).map((host) => ({
      name: host.name,
      port: host.port ?? defaultPort(settings.protocol, settings['implicit-tls']),
      preference: host.preference,
    })),
    ...(settings['source-addresses'] && { sources: settings['source-addresses'].map(sourceFrom) }),
    ...(settings['use-mx'] && { byMx: { port: settings['mx-port'] } }),
    tls: settings.tls,
    ...(settings['implicit-tls'] && { implicitTls: true }),
    ...(settings['tls-by-domain'] && { tlsByDomain: tlsByDomain(settings['tls-by-domain']) }),
    connectionsMax: settings['connections-max'],
    deliveriesPerConnectionMax: settings['deliveries-per-connection-max'],
    retryFirstMs: settings.retry.first,
    retryMaxMs: settings.retry.max,
    lifetimeMs: settings.lifetime,
    probeIntervalMs: settings['probe-interval'],
    ...(messagesPerSecondMax === undefined ? {} : { messagesPerSecondMax }),
    ...(greetingName === undefined ? {} : { greetingName }),
  }
}
