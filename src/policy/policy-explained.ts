/**
 * A policy of a filter read aloud: what it says, and which level of the configuration says so. For operators: log, trace,
 * `vorposten scan` and `simulate`.
 */
import type { Layered, SettingOf } from '#tenant/policy-layers.ts'

/** As the configuration writes it: `auto-run-macros`. */
const written = (setting: string): string => setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

const settingsOf = <Policy extends Layered>(policy: Policy): SettingOf<Policy>[] =>
  Object.keys(policy).filter((key): key is SettingOf<Policy> => key !== 'id' && key !== 'from')

/** Every setting, or those that some level says: `macros: reject, by tenants.bakery.virus`. */
export function policyLines(policy: Layered, which: 'all' | 'said'): string[] {
  return settingsOf(policy)
    .filter((setting) => which === 'all' || policy.from?.[setting] !== undefined)
    .map((setting) => settingLine(setting, policy))
}

export function settingLine<Policy extends Layered>(setting: SettingOf<Policy>, policy: Policy): string {
  const value: unknown = policy[setting]
  const text = Array.isArray(value) ? value.join(' ') || 'none' : String(value)
  return `${written(setting)}: ${text}, by ${policy.from?.[setting] ?? 'default'}`
}
