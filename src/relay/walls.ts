/**
 * Who looks into a content before custody is taken: the virus wall, then the spam filter. What either of them wants kept goes
 * to quarantine. What carries a finding and is delivered all the same is reported to nobody (law 2).
 */
import { withoutHead } from '#mail/content.ts'
import type { ContentAnswer } from '#mail/decisions.ts'
import type { Way } from '#tenant/directory.ts'
import type { Filtering } from './filtering.ts'
import type { Inspected } from './inspect.ts'
import type { Passed } from './outbound.ts'
import type { Quarantining } from './quarantining.ts'
import * as refusals from './refusals.ts'
import type { Scanned, Scanning } from './scanning.ts'

export interface WallParts {
  /** Absent: nobody looks for malware. */
  readonly scanning?: Pick<Scanning, 'scan'>
  /** Absent: nobody looks for spam. */
  readonly filtering?: Pick<Filtering, 'begin' | 'filter'>
  /** Absent: what should be kept in quarantine hears 451. */
  readonly quarantining?: Pick<Quarantining, 'take'>
}

export type Clear = Passed & Omit<Scanned, 'kind'>

export async function look(
  parts: WallParts,
  judged: Passed,
  way: Way,
  inspected: Inspected,
): Promise<Clear | ContentAnswer> {
  const { quarantining } = parts
  const { transaction } = judged
  const found = await findings(parts, judged, way, inspected)
  if (found.kind === 'quarantine') {
    return quarantining?.take({ ...inspected, transaction, way }, found) ?? refusals.noQuarantine(found.text)
  }
  if (found.kind !== 'scanned') return found
  const { submission, ...silent } = judged
  return { ...(found.tagged ? silent : judged), content: found.content, tagged: found.tagged }
}

async function findings(
  { scanning, filtering }: WallParts,
  { transaction }: Passed,
  way: Way,
  { content, ownOctets, authentication }: Inspected,
): Promise<Awaited<ReturnType<Scanning['scan']>>> {
  const scanned = (await scanning?.scan(transaction, way, content, ownOctets)) ?? clean(content)
  if (scanned.kind !== 'scanned' || filtering === undefined) return scanned
  const came = { content: withoutHead(content, ownOctets), ...(authentication && { authentication }) }
  const filtered = await filtering.filter(transaction, way, scanned.content, came)
  return filtered.kind === 'scanned' ? { ...filtered, tagged: filtered.tagged || scanned.tagged } : filtered
}

const clean = (content: Inspected['content']): Scanned => ({ kind: 'scanned', content, tagged: false })
