/**
 * The body of a message and its hashes: each canonicalisation once, however many signatures want it. A large body is hashed
 * in steps, and everybody else has a turn between two of them.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { RelaxedBodyHash } from '#auth/dkim/body-hash.ts'
import { type Content, head, withoutHead } from '#mail/content.ts'
import { SimpleBodyHash } from './simple-body-hash.ts'

export type Canonicalization = 'simple' | 'relaxed'

/** Octets that are hashed without a pause: about half a millisecond. */
const STEP_OCTETS = 256 * 1024

export interface BodyHash {
  /** Base64. */
  readonly hash: string
  /** Of the canonical body. */
  readonly octets: number
}

/** Undefined: what follows the last field is no empty line, which some read as a field and some as the body (RFC 6376 §3.8). */
export function bodyOf(content: Content, headerEnd: number): Content | undefined {
  const rest = withoutHead(content, headerEnd)
  if (rest.octets === 0) return rest
  return head(rest, 2).equals(LINE_END) ? withoutHead(rest, 2) : undefined
}

const LINE_END = Buffer.from('\r\n')

export async function hashesOf(
  body: Content,
  wanted: ReadonlySet<Canonicalization>,
): Promise<ReadonlyMap<Canonicalization, BodyHash>> {
  const hashes = [...wanted].map((kind) => ({
    kind,
    hash: kind === 'simple' ? new SimpleBodyHash() : new RelaxedBodyHash(),
  }))
  let left = STEP_OCTETS
  for (const chunk of body.chunks) {
    for (let at = 0; at < chunk.length; at += STEP_OCTETS) {
      const step = chunk.subarray(at, at + STEP_OCTETS)
      for (const { hash } of hashes) hash.update(step)
      left -= step.length
      if (left > 0 || hashes.length === 0) continue
      await turn()
      left = STEP_OCTETS
    }
  }
  return new Map(
    hashes.map(({ kind, hash }) => {
      const digest = hash.digest()
      return [kind, { hash: digest, octets: hash.octets }] as const
    }),
  )
}
