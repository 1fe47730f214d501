/** The virus wall, as the program uses its settings: engines, and the policy of each domain and of outgoing mail. */
import type { FileClass } from '#mail/scan.ts'
import {
  DEFAULT_VIRUS_POLICY,
  layeredPolicy,
  refusingInstead,
  type VirusPolicy,
  type VirusPolicyLayer,
} from '#tenant/virus-policy.ts'
import type { EngineConfig, VirusConfig } from './config.ts'
import { type Level, type PolicyKind, policyFrom, saidOnly } from './resolve-policies.ts'
import type { EngineWritten, VirusPolicyWritten, VirusWritten } from './schema-virus.ts'

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

export type VirusLevel = Level<VirusPolicyWritten>

/** From the outermost level to the innermost. Nothing: the default policy. */
export const virusPolicyOf = (...levels: readonly VirusLevel[]) => unlessDefault(policyFrom(VIRUS_POLICIES, levels))

/** The same for mail that leaves. */
export const outboundPolicyOf = (...levels: readonly VirusLevel[]) =>
  unlessDefault(
    policyFrom({ ...VIRUS_POLICIES, layerOf: (written) => refusingInstead(VIRUS_POLICIES.layerOf(written)) }, levels),
  )

const unlessDefault = (virus: VirusPolicy): { readonly virus?: VirusPolicy } =>
  virus === DEFAULT_VIRUS_POLICY ? {} : { virus }

function layerOf(written: VirusPolicyWritten): VirusPolicyLayer {
  const types = written['file-types']?.filter((type): type is Exclude<typeof type, 'none'> => type !== 'none')
  return saidOnly<VirusPolicyLayer>({
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
  })
}

export const VIRUS_POLICIES: PolicyKind<VirusPolicyWritten, VirusPolicy> = { layerOf, layered: layeredPolicy }
