/**
 * `vorposten check-config [FILE]`: says what is wrong with a configuration file, as a compiler does, and then what the
 * file means, so that it can be read aloud to the one whose mail it moves. Changes nothing.
 */
import { stringify } from 'yaml'
import type { Config, ListenerConfig } from '#config/config.ts'
import { diffFromDefaults } from '#config/diff.ts'
import { type LoadOptions, type LoadResult, loadConfig } from '#config/load.ts'
import { problemText } from '#config/problem.ts'
import { durationText, endpointText, hostPortText } from '#config/units.ts'
import { domainForReading } from '#mail/domain.ts'
import type { Route, ServedDomain, Tenant } from '#tenant/directory.ts'
import { checkListFiles } from './check-list-files.ts'
import { EXIT } from './exit.ts'
import { signingTexts } from './signing-summary.ts'

/** The summary names so many domains; of more it gives the number. */
export const SUMMARY_DOMAINS_MAX = 50

export interface CheckConfigOptions {
  /** One JSON object instead of text. */
  readonly json?: boolean
  /** Also the settings that differ from the defaults. */
  readonly diff?: boolean
  readonly load?: LoadOptions
  readonly write?: (text: string) => void
}

/** The exit code: 0, or `EXIT.config`. */
export async function checkConfigCommand(path: string, options: CheckConfigOptions = {}): Promise<number> {
  const { json = false, diff = false, load = {}, write = (text: string) => void process.stdout.write(text) } = options
  const result = await withListFiles(await loadConfig(path, load))
  if (json) write(`${JSON.stringify(report(path, result, diff), undefined, 2)}\n`)
  else for (const line of text(path, result, diff)) write(`${line}\n`)
  return result.ok ? 0 : EXIT.config
}

async function withListFiles(result: LoadResult): Promise<LoadResult> {
  if (!result.ok) return result
  return { ...result, warnings: [...result.warnings, ...(await checkListFiles(result.files))] }
}

function report(path: string, result: LoadResult, diff: boolean): object {
  if (!result.ok) return { file: path, ok: false, problems: result.problems }
  const { config, warnings, written } = result
  const counts = { tenants: config.tenants.length, domains: config.domains.length, routes: config.routes.length }
  return {
    file: path,
    ok: true,
    problems: warnings,
    ...counts,
    ...(diff ? { differs: diffFromDefaults(written) } : {}),
  }
}

function text(path: string, result: LoadResult, diff: boolean): string[] {
  // Nothing but YAML, so that it can be kept as a file.
  if (result.ok && diff) return [stringify(diffFromDefaults(result.written)).trimEnd()]
  const problems = result.ok ? result.warnings : result.problems
  const lines = problems.map(problemText)
  if (problems.length > 0) lines.push('')
  if (!result.ok) return [...lines, `${path} cannot be used: ${counted(errorCount(result), 'error')}`]
  const warnings = problems.length > 0 ? `, with ${counted(problems.length, 'warning')}` : ''
  return [...lines, `${path} is sound${warnings}.`, '', ...summary(result.config), ...signingTexts(result.config)]
}

const errorCount = (result: LoadResult): number =>
  result.ok ? 0 : result.problems.filter((problem) => problem.severity === 'error').length
const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

/** What the configuration means, a sentence for each thing. */
export function summary(config: Config): string[] {
  const lines = config.listeners.map((listener) => `${config.hostname} ${listenerText(listener)}`)
  for (const domain of config.domains.slice(0, SUMMARY_DOMAINS_MAX)) lines.push(domainText(domain))
  const more = config.domains.length - SUMMARY_DOMAINS_MAX
  if (more > 0) lines.push(`and ${counted(more, 'more domain')}`)
  return [...lines, ...config.tenants.slice(0, SUMMARY_DOMAINS_MAX).flatMap((tenant) => leavingTexts(tenant, config))]
}

const NDR_TEXTS = { pass: 'go out', verified: 'are held unless verified', hold: 'are held', discard: 'are discarded' }

function sendersText({ networks, clientKeys = [] }: NonNullable<Tenant['outbound']>): string {
  const ways = [
    ...(networks.length > 0 ? [`in ${networks.join(', ')}`] : []),
    ...(clientKeys.length > 0 ? [`with ${clientKeys.length} client ${clientKeys.length === 1 ? 'key' : 'keys'}`] : []),
  ]
  return ways.length === 0 ? 'users with a login' : `servers ${ways.join(' and ')}`
}

function leavingTexts({ name, outbound, bounceProtection }: Tenant, { routes }: Config): string[] {
  const route = routes.find(({ id }) => id === outbound?.route)
  if (outbound === undefined || route === undefined) return []
  const { limit, windowMs, per } = outbound.autoReplies
  const lines = [
    `${name}: ${sendersText(outbound)} send to anyone through ${routeText(route)}`,
    `${name}: ${limit} automatic replies per ${per} within ${durationText(windowMs)} leave; non-delivery messages ${NDR_TEXTS[outbound.ndrs]}`,
  ]
  if (bounceProtection !== undefined) {
    const refusesFrom = new Date(bounceProtection.sinceMs + bounceProtection.warmUpMs).toISOString().slice(0, 10)
    const how = bounceProtection.kind === 'batv' ? 'without our signature' : 'of mail that is not on record'
    lines.push(`${name}: bounces ${how} are refused from ${refusesFrom} on`)
  }
  return lines
}

const TLS_TEXTS = { none: 'without encryption', starttls: 'with STARTTLS', implicit: 'with TLS from the start' }

const SERVICE_TEXTS = { inbound: 'mail', outbound: 'outgoing mail', submission: 'mail of users' } as const
const listenerText = ({ name, addresses, tls, service }: ListenerConfig): string =>
  `takes ${SERVICE_TEXTS[service]} at ${addresses.map(endpointText).join(' and ')} ${TLS_TEXTS[tls]} (${name})`

function domainText({ name, tenant, route, commit, recipients }: ServedDomain): string {
  // A star is no label, but it is none that the conversion would touch.
  const read = domainForReading({ kind: 'name', ascii: name })
  return `${tenant.name}: mail for ${read} goes to ${routeText(route)} (${commit}), ${recipientsText(recipients)}`
}

function routeText({ hosts, protocol, tls }: Route): string {
  const ordered = hosts.toSorted((a, b) => a.preference - b.preference)
  let text = ''
  for (const [i, host] of ordered.entries()) {
    const joint = i === 0 ? '' : host.preference === ordered[i - 1]?.preference ? ' or ' : ', then '
    text += joint + hostPortText(host.name, host.port)
  }
  const encrypted = tls === 'required' || tls === 'verified' ? ` with TLS ${tls}` : ''
  return `${text}${protocol === 'lmtp' ? ' by LMTP' : ''}${encrypted}`
}

function recipientsText(recipients: ServedDomain['recipients']): string {
  if (recipients.kind === 'live') return 'recipients asked live'
  if (recipients.kind === 'accept-all') return 'every recipient accepted'
  if (recipients.kind === 'directory') {
    return `recipients of its list${recipients.otherwise === 'live' ? ', others asked live' : ''}`
  }
  return `${counted(recipients.keys.size, 'recipient')} listed`
}
