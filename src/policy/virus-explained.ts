/**
 * A policy of the virus wall read aloud: what it says for each kind of finding, and which level of the configuration says
 * so. For operators: log, trace, `vorposten scan` and `simulate`.
 */
import { DEFAULT_VIRUS_POLICY, type VirusPolicy, type VirusSetting } from '#tenant/virus-policy.ts'
import { settingOf, type VirusVerdict } from './virus.ts'

/** As the configuration writes it: `auto-run-macros`. */
const written = (setting: VirusSetting): string => setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

const SETTINGS = Object.keys(DEFAULT_VIRUS_POLICY).filter((key): key is VirusSetting => key !== 'id' && key !== 'from')

/** Every setting, or those that some level says: `macros: reject, by tenants.bakery.virus`. */
export function policyLines(policy: VirusPolicy, which: 'all' | 'said'): string[] {
  return SETTINGS.filter((setting) => which === 'all' || policy.from?.[setting] !== undefined).map((setting) =>
    settingLine(setting, policy),
  )
}

/** The settings that made the verdict, each once. */
export function decidedBy({ because }: VirusVerdict, policy: VirusPolicy): string[] {
  return [...new Set(because.map((fact) => settingLine(settingOf(fact), policy)))]
}

function settingLine(setting: VirusSetting, policy: VirusPolicy): string {
  const value = policy[setting]
  const text = Array.isArray(value) ? value.join(' ') || 'none' : String(value)
  return `${written(setting)}: ${text}, by ${policy.from?.[setting] ?? 'default'}`
}
