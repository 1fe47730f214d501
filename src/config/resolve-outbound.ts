/**
 * What leaves, as the path uses it; and the keys that sign it, which are read after everything else is sound.
 */
import type { BounceProtection, OutboundSettings, RecipientLimit, SendingLimits } from '#tenant/directory.ts'
import type { TenantDraft } from './draft.ts'
import { readText } from './file-text.ts'
import type { Position, ProblemList } from './problem.ts'
import { outboundPolicyOf } from './resolve-virus.ts'
import type { BounceProtectionWritten, OutboundWritten } from './schema-outbound.ts'
import type { VirusPolicyWritten } from './schema-virus.ts'
import { type Environment, readSecret, SECRET_OCTETS_MAX } from './secret.ts'
import { readDomainPattern } from './units.ts'
import { settingText, type YamlText } from './yaml-text.ts'

/** A shorter key can be tried out at leisure by whoever has one signed address. */
export const KEY_OCTETS_MIN = 16

export function outboundOf(
  { name, path, settings: { outbound: written, virus } }: TenantDraft,
  common: { readonly contentOctetsMax: number; readonly virus: VirusPolicyWritten },
): OutboundSettings | undefined {
  if (written === undefined) return undefined
  const { limit, window: windowMs, per } = written['auto-replies']
  const { 'if-unavailable': ifUnavailable, expiry: expiryMs } = written.dkim
  return {
    networks: written['from-networks'] ?? [],
    ...(written['from-client-keys'] && { clientKeys: written['from-client-keys'] }),
    route: `${name}/${written.route}`,
    ...(written['domain-routes'] && { domainRoutes: domainRoutes(name, written['domain-routes']) }),
    ...(written['null-path-route'] && { nullPathRoute: `${name}/${written['null-path-route']}` }),
    senders: written.senders,
    ...(written['sender-domains'] && { senderDomains: new Set(written['sender-domains']) }),
    contentOctetsMax: common.contentOctetsMax,
    ...outboundPolicyOf(
      [['virus', 'policy'], common.virus],
      [[...path, 'virus'], virus],
      [[...path, 'outbound', 'virus'], written.virus],
    ),
    ndrs: written.ndrs,
    ...(!written['suppress-unknown-recipients'] && { sendsToBounced: true }),
    ...(!written['suppress-complaints'] && { sendsToComplained: true }),
    autoReplies: { limit, windowMs, per },
    limits: limitsOf(written.limits),
    dkim: { ifUnavailable, ...(expiryMs !== undefined && { expiryMs }) },
  }
}

type LimitWritten = OutboundWritten['limits']['login']

const limitOf = (written: LimitWritten): RecipientLimit => ({
  per10Minutes: written['recipients-per-10-minutes'],
  perDay: written['recipients-per-day'],
})

function limitsOf({ login, servers, tenant, ...more }: OutboundWritten['limits']): SendingLimits {
  const { 'login-max': loginMax, 'login-to-one-domain': loginToOne, 'tenant-to-one-domain': tenantToOne } = more
  return {
    login: limitOf(login),
    ...(loginMax && { loginMax: limitOf(loginMax) }),
    ...(servers && { servers: limitOf(servers) }),
    ...(tenant && { tenant: limitOf(tenant) }),
    ...(loginToOne && { loginToOneDomain: limitOf(loginToOne) }),
    ...(tenantToOne && { tenantToOneDomain: limitOf(tenantToOne) }),
  }
}

// Names that are none were reported.
function domainRoutes(tenant: string, written: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const routes = new Map<string, string>()
  for (const [domain, route] of Object.entries(written)) {
    const ascii = readDomainPattern(domain)
    if (ascii !== undefined) routes.set(ascii, `${tenant}/${route}`)
  }
  return routes
}

/** A key that is still to be read into the map which the config already holds. */
export interface KeySecret {
  readonly number: number
  readonly section: Readonly<Record<string, unknown>>
  readonly position: Position
  readonly setting: string
  readonly keys: Map<number, Uint8Array>
}

interface Context {
  readonly yaml: YamlText
  readonly at: (path: string) => string
}

export function bounceProtectionOf(
  draft: TenantDraft,
  context: Context,
  secrets: KeySecret[],
): BounceProtection | undefined {
  const written = draft.settings['bounce-protection']
  if (written === undefined) return undefined
  const { kind, since: sinceMs, 'warm-up': warmUpMs } = written
  if (kind === 'sent-record') return { kind, sinceMs, warmUpMs }
  const keys = new Map<number, Uint8Array>()
  for (const [number, section] of Object.entries(written.keys ?? {})) {
    const path = [...draft.path, 'bounce-protection', 'keys', number]
    const position = context.yaml.locate(path)
    secrets.push({
      number: Number(number),
      section: absolute(section, context),
      position,
      setting: settingText(path),
      keys,
    })
  }
  const signingKey = written['signing-key'] ?? Number(Object.keys(written.keys ?? {})[0])
  return { kind, sinceMs, warmUpMs, signingKey, keys }
}

type KeySection = NonNullable<BounceProtectionWritten['keys']>[string]

function absolute(section: KeySection, { at }: Context): Readonly<Record<string, unknown>> {
  const file = section['secret-file']
  return file === undefined ? section : { ...section, 'secret-file': at(file) }
}

export async function readKey(secret: KeySecret, environment: Environment, problems: ProblemList): Promise<void> {
  const { number, section, position, setting, keys } = secret
  const read = await readSecret(section, 'secret', { environment, readText: fileText })
  const key = read.ok ? Buffer.from(read.secret.reveal()) : undefined
  if (key !== undefined && key.length >= KEY_OCTETS_MIN) {
    keys.set(number, key)
    return
  }
  const message = read.ok ? `the key has ${key!.length} octets; ${KEY_OCTETS_MIN} are needed` : read.fault
  problems.add({ severity: 'error', position, setting, message })
}

async function fileText(path: string): Promise<string> {
  const file = await readText(path, SECRET_OCTETS_MAX)
  if (file.ok) return file.text
  throw Object.assign(new Error(file.fault), { code: file.fault })
}
