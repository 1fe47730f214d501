/**
 * The verdict of the virus wall: from the facts of a scan and the policy of a tenant to one decision, the gravest that a
 * fact asks for.
 *
 * reject > defer > quarantine > strip > tag > clean. Reject before defer: what is known to be bad is not made better by a
 * silent engine. Defer before quarantine: what is in quarantine cannot be refused in the session any more, so it is taken only when
 * every engine has said what it knows; until then the sender's server keeps it, and nobody has it.
 */
import type { QuarantineClass } from '#mail/quarantine.ts'
import { factText, type ScanFact, type ScanResult } from '#mail/scan.ts'
import type { VirusPolicy, VirusSetting } from '#tenant/virus-policy.ts'

export type VirusDecision = 'clean' | 'tag' | 'strip' | 'quarantine' | 'defer' | 'reject'

/** Those of its settings that are an action. */
type ActionSetting = Exclude<VirusSetting, 'scan' | 'fileTypes' | 'fileNames'>

export interface VirusVerdict {
  readonly decision: VirusDecision
  /** The facts that ask for it, the gravest kind first; empty: clean. */
  readonly because: readonly ScanFact[]
}

const GRAVITY: Readonly<Record<VirusDecision, number>> = {
  clean: 0,
  tag: 1,
  strip: 2,
  quarantine: 3,
  defer: 4,
  reject: 5,
}
const KINDS = [
  ...['malware', 'file', 'suspicious', 'macro', 'encrypted', 'over-limit', 'cannot-tell', 'broken', 'not-looked'],
] as readonly ScanFact['kind'][]

export function judgeScan({ facts, cleanBy }: ScanResult, policy: VirusPolicy): VirusVerdict {
  let decision: VirusDecision = 'clean'
  let because: ScanFact[] = []
  for (const fact of facts) {
    const asked = asks(fact, policy, cleanBy)
    if (asked === 'clean' || GRAVITY[asked] < GRAVITY[decision]) continue
    if (asked !== decision) because = []
    decision = asked
    because.push(fact)
  }
  because.sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))
  return { decision, because }
}

function asks(fact: ScanFact, policy: VirusPolicy, cleanBy: readonly string[]): VirusDecision {
  const setting = settingOf(fact)
  if (setting === 'files') return isForbidden(fact, policy) ? policy.files : 'clean'
  const action = policy[setting]
  if (action === 'other-engines') return cleanBy.length > 0 ? 'clean' : 'defer'
  return action === 'pass' ? 'clean' : action
}

/** What a policy says about a kind of finding. */
export function settingOf(fact: ScanFact): ActionSetting {
  switch (fact.kind) {
    case 'malware':
    case 'suspicious':
    case 'encrypted':
    case 'broken':
      return fact.kind
    case 'file':
      return 'files'
    case 'macro':
      return fact.autoRun ? 'autoRunMacros' : 'macros'
    case 'over-limit':
      return 'overLimit'
    case 'cannot-tell':
      return 'cannotTell'
    case 'not-looked':
      return 'engineSilent'
  }
}

function isForbidden(fact: ScanFact, { fileTypes, fileNames }: VirusPolicy): boolean {
  if (fact.kind !== 'file') return false
  if (fileTypes.includes(fact.class)) return true
  // Windows ignores dots and blanks at the end of a name.
  return fact.names.some((name) => {
    const end = /\.([^.]{1,20})$/.exec(name.toLowerCase().replace(/[.\s]+$/, ''))?.[1]
    return end !== undefined && fileNames.includes(end)
  })
}

/** Under which name it is kept in quarantine. */
export function classOf({ because }: VirusVerdict): QuarantineClass {
  switch (because[0]?.kind) {
    case 'malware':
      return 'malware'
    case 'file':
      return 'forbidden-file'
    case 'suspicious':
    case 'macro':
      return 'suspicious'
    default:
      return 'unchecked'
  }
}

/** For the sender: what kind of thing, in words that name nothing of ours. */
export function refusalText({ because }: VirusVerdict): string {
  const fact = because[0]
  switch (fact?.kind) {
    case 'malware':
      return `it carries malware (${fact.name})`
    case 'file':
      return `it carries a file of a kind that is not accepted here (${fact.names[0] ?? fact.class})`
    case 'suspicious':
      return `it carries something that looks like malware (${fact.symbol})`
    case 'macro':
      return `it carries an Office file with macros (${fact.dialect})`
    case 'encrypted':
      return `it carries an encrypted file, which cannot be checked (${fact.container})`
    case 'broken':
      return `it carries a damaged file, which cannot be checked (${fact.container})`
    case 'over-limit':
      return `it carries a file that is packed too deep or too large to be checked (${fact.limit})`
    case 'cannot-tell':
      return `mail programs would read it differently, so it cannot be checked (${fact.symbol})`
    default:
      return 'it could not be checked'
  }
}

export const becauseText = ({ because }: VirusVerdict, factsMax: number): string =>
  because.slice(0, factsMax).map(factText).join('; ')
