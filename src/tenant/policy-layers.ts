/**
 * Policies that are written at several levels: for all tenants, for one, for its outgoing mail, for a domain, for some of its
 * recipients. What no level says is as in the default policy of the filter; the innermost level has the last word.
 */
import { createHash } from 'node:crypto'

/** What every policy has beside its settings. */
export interface Layered {
  /** Mail with equal ids may share a transaction. Empty: what it says is what the default policy says. */
  readonly id: string
  /** Which level says what; what no level says is as in the default policy. */
  readonly from?: Readonly<Partial<Record<string, string>>>
}

export type SettingOf<Policy> = Exclude<keyof Policy, 'id' | 'from'> & string
export type LayerOf<Policy> = Partial<Pick<Policy, SettingOf<Policy>>>

/** A level at which a policy can be written. */
export interface NamedLayer<Layer> {
  /** The setting of the configuration, for a person: `tenants.bakery.virus`. */
  readonly from: string
  readonly layer: Layer
}

/** The very default if no level says anything. */
export function layeredOn<Policy extends Layered>(
  byDefault: Policy,
  levels: readonly NamedLayer<LayerOf<Policy>>[],
): Policy {
  const { id: _, from: __, ...unsaid } = byDefault
  const said = Object.assign({}, unsaid, ...levels.map(({ layer }) => layer)) as typeof unsaid
  const from: Record<string, string> = {}
  for (const level of levels) for (const setting of Object.keys(level.layer)) from[setting] = level.from
  if (Object.keys(from).length === 0) return byDefault
  const text = JSON.stringify(said)
  const id = text === JSON.stringify(unsaid) ? '' : createHash('sha256').update(text).digest('hex').slice(0, 12)
  return { id, ...said, from } as unknown as Policy
}
