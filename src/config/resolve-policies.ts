/** Policies of the filters, level on level, as the program uses them: of a domain, and of some of its recipients. */
import type { Layered, LayerOf, NamedLayer } from '#tenant/policy-layers.ts'
import type { RecipientPolicies } from '#tenant/recipient-policies.ts'
import type { RecipientPattern } from './schema-recipient-policies.ts'
import { type SettingPath, settingText } from './yaml-text.ts'

/** One level: where it stands, and what is written there. From the outermost level to the innermost. */
export type Level<Written> = readonly [SettingPath, Written | undefined]

/** How the policies of one filter are read. */
export interface PolicyKind<Written, Policy extends Layered> {
  readonly layerOf: (written: Written) => LayerOf<Policy>
  readonly layered: (levels: readonly NamedLayer<LayerOf<Policy>>[]) => Policy
}

export const policyFrom = <Written, Policy extends Layered>(
  { layerOf, layered }: PolicyKind<Written, Policy>,
  levels: readonly Level<Written>[],
): Policy =>
  layered(
    levels.map(([path, written]) => ({
      from: settingText(path),
      layer: written === undefined ? ({} as LayerOf<Policy>) : layerOf(written),
    })),
  )

/** The policies of some recipients, on top of the levels of their domain. */
export function recipientPoliciesFrom<Written extends object, Policy extends Layered>(
  kind: PolicyKind<Written, Policy>,
  path: SettingPath,
  written: readonly (Written & { readonly recipients: readonly RecipientPattern[] })[],
  levels: readonly Level<Written>[],
): RecipientPolicies<Policy> {
  const exact = new Map<string, Policy>()
  const beginnings = new Map<string, Policy>()
  for (const [i, level] of written.entries()) {
    const policy = policyFrom(kind, [...levels, [[...path, i], level]])
    for (const { key, begins } of level.recipients) (begins ? beginnings : exact).set(key, policy)
  }
  return { exact, beginnings }
}

/** A layer with what is said in it. */
export const saidOnly = <Layer extends object>(layer: { [name in keyof Layer]: Layer[name] | undefined }): Layer =>
  Object.fromEntries(Object.entries(layer).filter(([, value]) => value !== undefined)) as Layer
