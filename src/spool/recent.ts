/**
 * Messages that came in a moment ago, whole, so that their first delivery does not read the disk. Bounded in octets;
 * the oldest go first.
 */
import type { Content } from '#mail/content.ts'
import { content as contentOf } from '#mail/content.ts'
import type { NewMessage } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'

export const RECENT_OCTETS_MAX = 16 * 1024 * 1024
/** Envelope and bookkeeping of one message, roughly. */
const MESSAGE_OCTETS = 1024
/** Content smaller than this part of the buffers it points into is copied, or a cache of small messages holds far more. */
const COPY_BELOW = 0.5

interface Kept {
  readonly message: NewMessage
  readonly content: Content
  readonly octets: number
}

export class Recent {
  readonly #kept = new Map<TraceId, Kept>()
  readonly #octetsMax: number
  #octets = 0

  constructor(octetsMax: number) {
    this.#octetsMax = octetsMax
  }

  get(id: TraceId): Kept | undefined {
    return this.#kept.get(id)
  }

  put(message: NewMessage, content: Content): void {
    const octets = content.octets + MESSAGE_OCTETS
    // One large message must not push all small ones out.
    if (octets > this.#octetsMax / 4) return
    this.#kept.set(message.id, { message, content: compact(content), octets })
    this.#octets += octets
    for (const [id, kept] of this.#kept) {
      if (this.#octets <= this.#octetsMax) break
      this.#drop(id, kept)
    }
  }

  delete(id: TraceId): void {
    const kept = this.#kept.get(id)
    if (kept) this.#drop(id, kept)
  }

  #drop(id: TraceId, kept: Kept): void {
    this.#kept.delete(id)
    this.#octets -= kept.octets
  }
}

function compact(content: Content): Content {
  let pinned = 0
  let last: ArrayBufferLike | undefined
  for (const chunk of content.chunks) {
    if (chunk.buffer !== last) pinned += chunk.buffer.byteLength
    last = chunk.buffer
  }
  if (content.octets >= pinned * COPY_BELOW) return content
  const copy = Buffer.allocUnsafeSlow(content.octets)
  let at = 0
  for (const chunk of content.chunks) at += chunk.copy(copy, at)
  return contentOf([copy])
}
