/**
 * Takes the parts of a message out in which the virus wall found what the tenant wants stripped, and puts a notice to the
 * recipient in their place (mime/removal says what goes and what stays). Which parts those are is not read out of names and
 * places: each part is scanned by itself, by all engines, and what is left is scanned again as a whole.
 *
 * | then | answer |
 * |---|---|
 * | what is left is clean, or the policy would tag it | stripped |
 * | readers disagree about the structure, the part is signed, nothing would be left, what is left is not clean… | impossible: the caller refuses the message |
 * | an engine was silent, or it took too long | defer |
 */
import type { Content } from '#mail/content.ts'
import type { ScanFact, ScanResult } from '#mail/scan.ts'
import type { Parts, RemovablePart } from '#mime/removal/parts.ts'
import { rangeOf, removeParts } from '#mime/removal/remove.ts'
import { judgeScan, type VirusVerdict } from '#policy/virus.ts'
import { removedPart } from '#report/notices/removed-part.ts'
import type { NotSaid } from '#scan/contract.ts'
import type { Tenant } from '#tenant/directory.ts'
import type { VirusPolicy } from '#tenant/virus-policy.ts'

/** Parts of one message that are scanned by themselves. Letters have a few, a long thread with pictures 40. */
export const PARTS_MAX = 60
/** All scans of one message together. A sender waits 10 minutes (RFC 5321 §4.5.3.2.6). */
export const SCANS_MS_MAX = 120_000

/** Whose content it is, and how many octets at its beginning are our own. */
interface Whose {
  readonly tenant: string
  readonly ownOctets: number
}

export interface StripWall {
  scan(content: Content, whose?: Whose): Promise<ScanResult>
  parts(content: Content): Promise<Parts | NotSaid>
}

export type Stripped =
  /** `left`: what the policy says of what is left: clean or tag. */
  | { readonly kind: 'stripped'; readonly content: Content; readonly left: VirusVerdict }
  | { readonly kind: 'impossible'; readonly text: string }
  | { readonly kind: 'defer'; readonly text: string }

export interface ToStrip {
  readonly content: Content
  readonly policy: VirusPolicy
  readonly tenant: Pick<Tenant, 'language' | 'postmaster'>
  /** Trace id. */
  readonly id: string
}

const impossible = (text: string) => ({ kind: 'impossible', text }) as const

/** So that an engine takes a part for mail. */
const BEFORE_PART = Buffer.from('From: part@invalid\r\nSubject: part\r\nMIME-Version: 1.0\r\n')

export async function strip(wall: StripWall, { content, policy, tenant, id }: ToStrip): Promise<Stripped> {
  const found = await wall.parts(content)
  if (found.kind === 'not-said') return { kind: 'defer', text: found.text }
  if (found.kind === 'disputed') return impossible(found.text)
  const { parts } = found
  if (parts.length > PARTS_MAX) return impossible(`it has more than ${PARTS_MAX} parts`)
  const guilty = await guiltyOf(wall, content, parts, policy)
  if ('kind' in guilty) return guilty
  const removed = removeParts(
    content,
    parts,
    (part) => guilty.facts.has(part),
    (gone) => {
      const facts = gone.flatMap((part) => guilty.facts.get(part) ?? [])
      return removedPart({ ...tenant, id, facts, names: gone.flatMap(({ names }) => names.slice(0, 1)) })
    },
  )
  return removed.kind === 'impossible' ? removed : scannedAgain(wall, removed.content, policy)
}

interface Guilty {
  readonly facts: ReadonlyMap<RemovablePart, readonly ScanFact[]>
}

/** One after the other: the engines have other messages to look at. */
async function guiltyOf(
  wall: StripWall,
  content: Content,
  parts: readonly RemovablePart[],
  policy: VirusPolicy,
): Promise<Guilty | Exclude<Stripped, { kind: 'stripped' }>> {
  const facts = new Map<RemovablePart, readonly ScanFact[]>()
  let spentMs = 0
  for (const part of parts) {
    const result = await wall.scan(rangeOf(content, part, BEFORE_PART))
    spentMs += result.durationMs
    const { decision, because } = judgeScan(result, policy)
    if (decision === 'defer') return { kind: 'defer', text: 'an engine did not look at one of its parts' }
    if (spentMs > SCANS_MS_MAX) return { kind: 'defer', text: 'the scans of its parts took too long' }
    if (decision === 'strip') facts.set(part, because)
    else if (decision !== 'clean' && decision !== 'tag') return impossible('one of its parts may not be stripped')
  }
  return facts.size > 0 ? { facts } : impossible('what was found is in none of its parts')
}

async function scannedAgain(wall: StripWall, content: Content, policy: VirusPolicy): Promise<Stripped> {
  const left = judgeScan(await wall.scan(content), policy)
  if (left.decision === 'defer') return { kind: 'defer', text: 'an engine did not look at what is left' }
  if (left.decision === 'clean' || left.decision === 'tag') return { kind: 'stripped', content, left }
  return impossible('what is left is not clean')
}
