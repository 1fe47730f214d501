/**
 * The ARC sets of a message (RFC 8617 §4): three fields for each hand that it went through, numbered from 1. What is no whole
 * chain comes back as a fault.
 */
import type { Field } from '#mime/header-section.ts'
import {
  fieldTags,
  readMessageSignature,
  readSigner,
  type SignatureTags,
  type SignerTags,
} from '../dkim/signature-tags.ts'
import type { HeaderFields } from '../dkim/signed-text.ts'
import type { Tags } from '../tag-list.ts'

/** RFC 8617 §4.2.1 */
export const INSTANCES_MAX = 50
/** Of all fields of the chain. Three sets have 8,000. */
const CHARACTERS_MAX = 256 * 1024

export interface ArcSet {
  readonly results: Field
  readonly signature: { readonly field: Field; readonly tags: SignatureTags }
  readonly seal: { readonly field: Field; readonly tags: SignerTags; readonly chain: 'none' | 'pass' | 'fail' }
}

export type Chain =
  | { readonly kind: 'none' }
  /** The first one first. */
  | { readonly kind: 'sets'; readonly sets: readonly ArcSet[] }
  | { readonly kind: 'fault'; readonly reason: string; readonly instances: number }

interface Parts {
  results?: Field
  signature?: ArcSet['signature']
  seal?: ArcSet['seal']
}

export function readChain(fields: HeaderFields): Chain {
  const [results, signatures, seals] = [
    fields.all('arc-authentication-results'),
    fields.all('arc-message-signature'),
    fields.all('arc-seal'),
  ] as const
  const instances = Math.max(results.length, signatures.length, seals.length)
  const fault = (reason: string): Chain => ({ kind: 'fault', reason, instances })
  if (instances === 0) return { kind: 'none' }
  if (instances > INSTANCES_MAX) return fault(`more than ${INSTANCES_MAX} ARC sets`)
  if (lengthOf(results) + lengthOf(signatures) + lengthOf(seals) > CHARACTERS_MAX)
    return fault('its ARC fields are too long')
  const sets = new Map<number, Parts>()
  for (const field of results) {
    const instance = /^[ \t\r\n]{0,100}i[ \t]{0,20}=[ \t]{0,20}([1-9]\d?)[ \t\r\n]{0,100};/.exec(field.value)?.[1]
    if (instance === undefined || !put(sets, Number(instance), { results: field })) return fault(WRONG_SETS)
  }
  for (const field of signatures) {
    const problem = putSignature(sets, field)
    if (problem !== undefined) return fault(problem)
  }
  for (const field of seals) {
    const problem = putSeal(sets, field)
    if (problem !== undefined) return fault(problem)
  }
  return wholeChain(sets) ?? fault(WRONG_SETS)
}

const WRONG_SETS = 'its ARC sets are not whole'
const lengthOf = (fields: readonly Field[]): number => fields.reduce((sum, { value }) => sum + value.length, 0)

/** False: the set has that field. */
function put(sets: Map<number, Parts>, instance: number, part: Parts): boolean {
  const set = sets.get(instance) ?? {}
  if (Object.keys(part).some((key) => key in set)) return false
  sets.set(instance, { ...set, ...part })
  return true
}

function putSignature(sets: Map<number, Parts>, field: Field): string | undefined {
  const tags = fieldTags(field.value)
  const instance = instanceOf(tags)
  if (tags === undefined || instance === undefined) return 'an ARC-Message-Signature cannot be read'
  // RFC 8617 §4.1.2 has the default of DKIM, simple; those who seal without c= mean relaxed, and the common suite does.
  const read = readMessageSignature(tags, 'relaxed/relaxed')
  if (!read.ok) return `ARC-Message-Signature: ${read.reason}`
  // §4.1.2
  if (read.tags.names.includes('arc-seal')) return 'an ARC-Message-Signature covers seals'
  return put(sets, instance, { signature: { field, tags: read.tags } }) ? undefined : WRONG_SETS
}

function putSeal(sets: Map<number, Parts>, field: Field): string | undefined {
  const tags = fieldTags(field.value)
  const instance = instanceOf(tags)
  if (tags === undefined || instance === undefined) return 'an ARC-Seal cannot be read'
  // §4.1.3
  if (tags.has('h') || !/^\d{1,12}$/.test(tags.get('t') ?? '0')) return 'an ARC-Seal cannot be read'
  const read = readSigner(tags)
  if (!read.ok) return `ARC-Seal: ${read.reason}`
  const chain = tags.get('cv')
  if (chain !== 'none' && chain !== 'pass' && chain !== 'fail') return 'an ARC-Seal does not say how the chain was'
  return put(sets, instance, { seal: { field, tags: read.tags, chain } }) ? undefined : WRONG_SETS
}

function instanceOf(tags: Tags | undefined): number | undefined {
  const text = tags?.get('i') ?? ''
  return /^[1-9]\d?$/.test(text) && Number(text) <= INSTANCES_MAX ? Number(text) : undefined
}

function wholeChain(sets: ReadonlyMap<number, Parts>): Chain | undefined {
  const chain: ArcSet[] = []
  for (let instance = 1; instance <= sets.size; instance++) {
    const { results, signature, seal } = sets.get(instance) ?? {}
    if (results === undefined || signature === undefined || seal === undefined) return undefined
    chain.push({ results, signature, seal })
  }
  return { kind: 'sets', sets: chain }
}
