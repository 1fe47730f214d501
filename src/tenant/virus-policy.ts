/**
 * What becomes of mail in which the virus wall found something, or at which an engine could not look: for each kind of fact
 * an action. Tenants, domains and directions may differ; what none of them says is as in `DEFAULT_VIRUS_POLICY`.
 */
import type { FileClass } from '#mail/scan.ts'
import { type Layered, type LayerOf, layeredOn, type NamedLayer, type SettingOf } from './policy-layers.ts'

/**
 * `quarantine`: taken and kept from everybody until a person decides; the sender hears 250 and nothing more. `strip`:
 * delivered without the part in which it was found, which a notice to the recipient replaces. `tag`: delivered, with a field
 * that says what was found.
 */
export type VirusAction = 'reject' | 'quarantine' | 'strip' | 'tag' | 'pass'

export interface VirusPolicy extends Layered {
  /** False: nobody looks. */
  readonly scan: boolean
  readonly malware: Exclude<VirusAction, 'pass'>
  /** An engine did not look. `other-engines`: it is enough that another one has looked at all of it. */
  readonly engineSilent: 'defer' | 'other-engines' | 'quarantine' | 'tag'
  readonly suspicious: VirusAction
  readonly encrypted: VirusAction
  readonly broken: VirusAction
  readonly overLimit: VirusAction
  readonly cannotTell: Exclude<VirusAction, 'strip'>
  readonly macros: VirusAction
  /** Macros that start by themselves. */
  readonly autoRunMacros: VirusAction
  /** What becomes of the files that the next two name. */
  readonly files: Exclude<VirusAction, 'pass'>
  /** Files that are not accepted for what their content is. */
  readonly fileTypes: readonly FileClass[]
  /** Files that are not accepted for the end of one of their names: `exe`, without a dot, lower case. */
  readonly fileNames: readonly string[]
}

export type VirusSetting = SettingOf<VirusPolicy>
export type VirusPolicyLayer = LayerOf<VirusPolicy>

/** What Windows runs or installs at a click, and what nobody sends to people who shall read it. */
const CLICK_AND_RUN = [
  ...['bat', 'chm', 'cmd', 'com', 'cpl', 'exe', 'hta', 'jar', 'js', 'jse', 'lnk', 'msc', 'msi', 'msp', 'pif', 'ps1'],
  ...['reg', 'scf', 'scr', 'sct', 'url', 'vb', 'vbe', 'vbs', 'wsc', 'wsf', 'wsh', 'xll'],
]

// An over-limit or unreadable content will be so at each retry: a 451 would only tell the sender days later.
export const DEFAULT_VIRUS_POLICY: VirusPolicy = {
  id: '',
  scan: true,
  malware: 'reject',
  engineSilent: 'defer',
  suspicious: 'tag',
  encrypted: 'tag',
  broken: 'tag',
  overLimit: 'reject',
  cannotTell: 'reject',
  macros: 'pass',
  autoRunMacros: 'tag',
  files: 'reject',
  fileTypes: ['executable', 'shortcut'],
  fileNames: CLICK_AND_RUN,
}

/** Later layers have the last word. */
export const virusPolicy = (...layers: readonly VirusPolicyLayer[]): VirusPolicy =>
  layeredPolicy(layers.map((layer) => ({ from: 'a layer', layer })))

/** Of mail that leaves nothing is taken out: its author is there to hear that it is refused. */
export function refusingInstead(layer: VirusPolicyLayer): VirusPolicyLayer {
  const said = Object.entries(layer).map(([setting, value]) => [setting, value === 'strip' ? 'reject' : value])
  return Object.fromEntries(said) as VirusPolicyLayer
}

/** The same, and it knows which level says what. */
export const layeredPolicy = (levels: readonly NamedLayer<VirusPolicyLayer>[]): VirusPolicy =>
  layeredOn(DEFAULT_VIRUS_POLICY, levels)
