/** The virus wall, as the program uses its settings: engines, and the policy of each domain and of outgoing mail. */
import type { FileClass } from '#mail/scan.ts'
import type { RecipientPolicies } from '#tenant/recipient-policies.ts'
import {
  DEFAULT_VIRUS_POLICY,
  layeredPolicy,
  type NamedLayer,
  refusingInstead,
  type VirusPolicy,
  type VirusPolicyLayer,
} from '#tenant/virus-policy.ts'
import type { EngineConfig, VirusConfig } from './config.ts'
import type { EngineWritten, RecipientPolicyWritten, VirusPolicyWritten, VirusWritten } from './schema-virus.ts'
import { type SettingPath, settingText } from './yaml-text.ts'

export const virusConfig = ({ embedded, engines = {} }: VirusWritten): VirusConfig => ({
  embedded,
  engines: Object.entries(engines).map(([name, written]) => engineConfig(name, written)),
})

// What does not fit together was refused before (check-virus.ts).
function engineConfig(name: string, written: EngineWritten): EngineConfig {
  const { kind, servers } = written
  const limits = {
    name,
    connectionsMax: written['connections-max'],
    connectMsMax: written['connect-time-max'],
    timeMsMax: written['time-max'],
  }
  return kind === 'clamd'
    ? { ...limits, kind, servers: servers.filter((server) => server.kind !== 'icap') }
    : { ...limits, kind, servers: servers.filter((server) => server.kind === 'icap') }
}

/** One level: where it stands, and what is written there. */
export type Level = readonly [SettingPath, VirusPolicyWritten | undefined]

/** From the outermost level to the innermost. Nothing: the default policy. */
export const policyOf = (...levels: readonly Level[]) => unlessDefault(layeredPolicy(levels.map(named)))

/** The same for mail that leaves. */
export const outboundPolicyOf = (...levels: readonly Level[]) =>
  unlessDefault(layeredPolicy(levels.map(named).map(({ from, layer }) => ({ from, layer: refusingInstead(layer) }))))

const unlessDefault = (virus: VirusPolicy): { readonly virus?: VirusPolicy } =>
  virus === DEFAULT_VIRUS_POLICY ? {} : { virus }

const named = ([path, written = {}]: Level): NamedLayer => ({ from: settingText(path), layer: layerOf(written) })

/** The policies of some recipients, on top of the levels of their domain. */
export function recipientPoliciesOf(
  path: SettingPath,
  written: readonly RecipientPolicyWritten[] | undefined,
  ...levels: readonly Level[]
): { readonly virusByRecipient?: RecipientPolicies } {
  if (written === undefined) return {}
  const exact = new Map<string, VirusPolicy>()
  const beginnings = new Map<string, VirusPolicy>()
  for (const [i, { recipients, ...policy }] of written.entries()) {
    const virus = layeredPolicy([...levels, [[...path, i], policy] as const].map(named))
    for (const { key, begins } of recipients) (begins ? beginnings : exact).set(key, virus)
  }
  return { virusByRecipient: { exact, beginnings } }
}

function layerOf(written: VirusPolicyWritten): VirusPolicyLayer {
  const types = written['file-types']?.filter((type): type is Exclude<typeof type, 'none'> => type !== 'none')
  const layer: { [name in keyof VirusPolicyLayer]: VirusPolicyLayer[name] | undefined } = {
    scan: written.scan,
    malware: written.malware,
    engineSilent: written['engine-silent'],
    suspicious: written.suspicious,
    encrypted: written.encrypted,
    broken: written.broken,
    overLimit: written['over-limit'],
    cannotTell: written['cannot-tell'],
    macros: written.macros,
    autoRunMacros: written['auto-run-macros'],
    files: written.files,
    fileTypes: types satisfies readonly FileClass[] | undefined,
    fileNames: written['file-names']?.filter((end) => end !== 'none'),
  }
  return Object.fromEntries(Object.entries(layer).filter(([, value]) => value !== undefined)) as VirusPolicyLayer
}
