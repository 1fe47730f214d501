/**
 * Greylisting (RFC 6647), only of what the spam filter is unsure about: who comes for the first time hears 451 after the
 * content, and is let through when he comes again; a sender of spam seldom does. Whoever was let through is known from then on.
 *
 * | triplet of client network, reverse-path, recipient | answer |
 * |---|---|
 * | new, or last heard of `COME_BACK_MS_MAX` ago | wait |
 * | came again sooner than `COME_BACK_MS_MIN` | wait; the time counts from the first |
 * | came again in time, or was let through in the last `KNOWN_MS` | pass |
 *
 * Limit: `TRIPLETS_MAX`; beyond, those that wait longest are forgotten first, and wait again. Monotonic ms.
 */

/** A retry within the same session is none. */
export const COME_BACK_MS_MIN = 60_000
/** Servers try again within hours (RFC 5321 §4.5.4.1). */
export const COME_BACK_MS_MAX = 24 * 3_600_000
export const KNOWN_MS = 31 * 24 * 3_600_000
/** About 200 octets each. */
export const TRIPLETS_MAX = 50_000

interface Triplet {
  readonly sinceMs: number
  /** When it was last let through. */
  readonly passedMs?: number
}

export class Greylist {
  readonly #nowMs: () => number
  readonly #triplets = new Map<string, Triplet>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  get size(): number {
    return this.#triplets.size
  }

  asks(key: string): 'wait' | 'pass' {
    const nowMs = this.#nowMs()
    const { sinceMs, passedMs } = this.#triplets.get(key) ?? { sinceMs: Number.NEGATIVE_INFINITY }
    if (passedMs !== undefined && nowMs - passedMs <= KNOWN_MS) {
      this.#put(key, { sinceMs, passedMs: nowMs })
      return 'pass'
    }
    const ageMs = nowMs - sinceMs
    if (ageMs < COME_BACK_MS_MIN) return 'wait'
    const hasComeBack = ageMs <= COME_BACK_MS_MAX
    this.#put(key, hasComeBack ? { sinceMs, passedMs: nowMs } : { sinceMs: nowMs })
    return hasComeBack ? 'pass' : 'wait'
  }

  // The order of the map is that of the last change.
  #put(key: string, triplet: Triplet): void {
    this.#triplets.delete(key)
    this.#triplets.set(key, triplet)
    if (this.#triplets.size <= TRIPLETS_MAX) return
    for (const [oldest, { passedMs }] of this.#triplets) {
      if (passedMs !== undefined) continue
      this.#triplets.delete(oldest)
      return
    }
    this.#triplets.delete(this.#triplets.keys().next().value!)
  }
}
