/** Which settings of a policy made a verdict of the virus wall. */
import type { VirusPolicy } from '#tenant/virus-policy.ts'
import { settingLine } from './policy-explained.ts'
import { settingOf, type VirusVerdict } from './virus.ts'

/** The settings that made the verdict, each once. */
export function decidedBy({ because }: VirusVerdict, policy: VirusPolicy): string[] {
  return [...new Set(because.map((fact) => settingLine(settingOf(fact), policy)))]
}
