/**
 * The DKIM signatures of a message (RFC 6376, RFC 8301, RFC 8463). Stricter than the RFC where a signature would let others
 * write a part of the message: one with l= that does not cover the whole body is no pass (§8.2).
 */
import type { DkimSignature } from '#mail/authentication.ts'
import type { Content } from '#mail/content.ts'
import type { Field } from '#mime/header-section.ts'
import type { Dns } from '#sys/dns/answer.ts'
import { type BodyHash, type Canonicalization, hashesOf } from './body.ts'
import { type FoundKey, findKey } from './key.ts'
import { readDkimSignature, type SignatureTags } from './signature-tags.ts'
import { type HeaderFields, isSignatureOf, signedText } from './signed-text.ts'

/** Of one message, from the top. Mail that went through several hands has four. */
export const SIGNATURES_MAX = 10
/** Of b= in a result. */
const BEGINS_CHARACTERS = 8

export interface MessageToCheck {
  readonly fields: HeaderFields
  /** Undefined: the header section does not end as one. */
  readonly body: Content | undefined
  /** Seconds since 1970. */
  readonly nowSeconds: number
}

type Hashes = ReadonlyMap<Canonicalization, BodyHash>
interface Readable {
  readonly own: Field
  readonly tags: SignatureTags
}

export async function checkDkim(message: MessageToCheck, dns: Dns): Promise<readonly DkimSignature[]> {
  const all = message.fields.all('dkim-signature')
  const read = all.slice(0, SIGNATURES_MAX).map((own) => ({ own, read: readDkimSignature(own.value) }))
  const readable = read.flatMap(({ own, read }) => (read.ok ? [{ own, tags: read.tags }] : []))
  const keys = readable.map(({ tags }) => findKey(tags, dns))
  const hashes = await bodyHashes(message, readable)
  const results = new Map<Field, DkimSignature>()
  for (const [i, one] of readable.entries()) results.set(one.own, checked(message, one, await keys[i]!, hashes))
  const left = all.length - SIGNATURES_MAX
  const more: DkimSignature[] =
    left > 0 ? [{ result: 'neutral', domain: undefined, reason: `${left} more signatures are not looked at` }] : []
  return [
    ...read.map(({ own, read }): DkimSignature => {
      if (read.ok) return results.get(own)!
      return { result: read.result, domain: read.domain, reason: read.reason }
    }),
    ...more,
  ]
}

async function bodyHashes({ body }: MessageToCheck, signatures: readonly Readable[]): Promise<Hashes> {
  const wanted = new Set(signatures.map(({ tags }) => tags.body))
  return body === undefined || wanted.size === 0 ? new Map() : hashesOf(body, wanted)
}

function checked(message: MessageToCheck, { own, tags }: Readable, found: FoundKey, hashes: Hashes): DkimSignature {
  const { domain, selector, algorithm, signature } = tags
  const begins = signature.toString('base64').slice(0, BEGINS_CHARACTERS)
  const said = judged(message, { own, tags }, found, hashes)
  return { ...said, domain, selector, algorithm, begins }
}

type Said = Pick<DkimSignature, 'result' | 'reason'>

function judged(message: MessageToCheck, { own, tags }: Readable, found: FoundKey, hashes: Hashes): Said {
  if (!found.ok) return { result: found.result, reason: found.reason }
  if (found.isStrict && tags.identityDomain !== tags.domain)
    return { result: 'permerror', reason: 'i= is of a subdomain, and its key does not allow it' }
  const said = verified(message, own, tags, found, hashes)
  // RFC 6376 §3.6.1: as if it were not signed.
  if (found.isTest && said.result === 'fail')
    return { result: 'neutral', reason: `${said.reason}; its key is being tested` }
  if (said.result !== 'pass') return said
  if (tags.expires !== undefined && tags.expires < message.nowSeconds)
    return { result: 'policy', reason: 'it has expired' }
  const octets = hashes.get(tags.body)!.octets
  if (tags.length !== undefined && tags.length < octets)
    return { result: 'policy', reason: `${octets - tags.length} octets of the body are not signed (l=)` }
  return said
}

/** Shared with ARC, whose message signatures are DKIM's but for their name. */
export function verified(
  { fields, body }: Pick<MessageToCheck, 'fields' | 'body'>,
  own: Field,
  tags: SignatureTags,
  { key }: Extract<FoundKey, { ok: true }>,
  hashes: Hashes,
): Said {
  const whole = hashes.get(tags.body)
  if (body === undefined || whole === undefined)
    return { result: 'permerror', reason: 'the header section does not end as one' }
  if (tags.length !== undefined && tags.length > whole.octets)
    return { result: 'fail', reason: 'l= is more than the body has' }
  // Of a part of the body nothing is verified: it would be no pass either way.
  const isPart = tags.length !== undefined && tags.length < whole.octets
  if (!isPart && tags.bodyHash !== whole.hash) return { result: 'fail', reason: 'the body was changed' }
  const text = signedText(fields, own, tags)
  if (text === undefined) return { result: 'policy', reason: 'it signs too long a header section' }
  return isSignatureOf(text, tags, key)
    ? { result: 'pass' }
    : { result: 'fail', reason: 'the signature is not of its key and fields' }
}
