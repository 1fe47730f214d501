/**
 * The mail of a torture run: chosen by chance from one seed and the message's number, so that a run can be repeated. Most
 * of it is ordinary; some is deferred once by the next hop, some refused by it, some must be refused by us, some breaks
 * off inside the content. Sizes go from a few hundred octets to more than one read of a socket.
 */
import type { Message } from '../../bench/load-session.ts'
import { type BodyKind, contentTemplate } from '../../bench/numbered-content.ts'

const SIZES: readonly (readonly [number, BodyKind])[] = [
  [300, 'plain'],
  [1500, 'dots'],
  [4096, 'plain'],
  [4096, 'dots'],
  [20_000, 'dots'],
  [150_000, 'plain'],
]
const TEMPLATES = SIZES.map(([octets, kind]) => contentTemplate(octets, kind))
const BARE_LF = contentTemplate(2000, 'bare-lf')

/** Fast, well mixed, and the same everywhere; not for secrets. A number in [0, 1). */
export function chance(seed: number, draw: number): number {
  let x = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(draw + 1, 0xc2b2ae35)
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32
}

const recipients = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${name}-${index}@dest.test`)

export function tortureMessage(seed: number, number: number): Message {
  const template = TEMPLATES[Math.floor(chance(seed, number * 4) * TEMPLATES.length)]!
  const detail = chance(seed, number * 4 + 1)
  const kind = chance(seed, number * 4 + 2)
  if (kind < 0.05) return { template, recipients: recipients('once', 1) }
  if (kind < 0.08) return { template, recipients: recipients('reject', 1) }
  if (kind < 0.1) return { template, recipients: ['stranger-0@elsewhere.test'] }
  if (kind < 0.12) return { template, recipients: ['stranger-0@elsewhere.test', 'to-1@dest.test'] }
  if (kind < 0.14) return { template: BARE_LF, recipients: recipients('to', 1) }
  if (kind < 0.15) return { template, recipients: recipients('to', 1), cutAfterOctets: detail * template.wire.length }
  return { template, recipients: recipients('to', 1 + Math.floor(detail * 3)) }
}
