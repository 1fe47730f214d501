/**
 * What the engines said of contents that were looked at a short time ago: a newsletter comes once for each recipient, and
 * again after a 451. Of one worker, in memory, and of each tenant for itself (law 7).
 *
 * Only whole answers are kept: one that is missing, or that depends on how busy we were, is asked for again. An answer
 * holds for the signatures with which it was given. Contents that come at the same time are looked at once; if that look
 * fails, each is looked at for itself.
 *
 * The key is a SHA-256 of all octets but our own trace fields, which differ each time and say nothing about what a message
 * carries. Units: ms of the clock.
 */
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Content } from '#mail/content.ts'
import type { ScanFact, ScanResult } from '#mail/scan.ts'
import type { Clock } from '#sys/clock.ts'

/** Each has up to `FACTS_KEPT_MAX` facts of about 1 KB: 20 MB at the very worst, 1 MB as a rule. */
export const RESULTS_MAX = 2_000
/** Of one answer; those that have more are rare, and large. */
export const FACTS_KEPT_MAX = 10
/**
 * Long enough for the recipients of a newsletter and for most senders that try again after a 451. No longer, since not every
 * new signature shows: ClamAV's version is that of its own databases, and says nothing about those of others.
 */
export const RESULT_MS_MAX = 10 * 60_000
/** Between two octets of a content that are hashed while everything else waits: below 1 ms. */
const HASH_OCTETS_AT_ONCE = 1024 * 1024

/** Whose content it is, and how many octets at its beginning are our own. */
export interface Whose {
  readonly tenant: string
  readonly ownOctets: number
}

interface Kept {
  readonly result: ScanResult
  readonly signatures: string
  readonly untilMs: number
}

export class Results {
  readonly #clock: Pick<Clock, 'monotonic'>
  /** The oldest first. */
  readonly #kept = new Map<string, Kept>()
  readonly #looking = new Map<string, Promise<ScanResult>>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** `signatures`: of all engines, at the beginning of the look. `scan` is called if nothing is known. */
  async of(
    content: Content,
    { tenant, ownOctets }: Whose,
    signatures: string,
    scan: () => Promise<ScanResult>,
  ): Promise<ScanResult> {
    const startMs = this.#clock.monotonic()
    const key = `${await hashOf(content, ownOctets)} ${tenant}`
    const looking = `${key} ${signatures}`
    const other = this.#looking.get(looking)
    const known = this.#known(key, signatures) ?? (other && (await wholeOf(other)))
    if (known !== undefined) return { ...known, memory: 'hit', durationMs: this.#clock.monotonic() - startMs }
    const look = scan()
    this.#looking.set(looking, look)
    try {
      const result = await look
      // Forgotten in between: it was given under other settings.
      if (isWhole(result) && this.#looking.get(looking) === look) this.#keep(key, result, signatures)
      return { ...result, memory: 'miss' }
    } finally {
      if (this.#looking.get(looking) === look) this.#looking.delete(looking)
    }
  }

  /** Settings have changed. */
  forget(): void {
    this.#kept.clear()
    this.#looking.clear()
  }

  #known(key: string, signatures: string): ScanResult | undefined {
    const kept = this.#kept.get(key)
    if (kept === undefined) return undefined
    if (kept.signatures === signatures && kept.untilMs > this.#clock.monotonic()) return kept.result
    this.#kept.delete(key)
    return undefined
  }

  #keep(key: string, result: ScanResult, signatures: string): void {
    this.#kept.delete(key)
    this.#kept.set(key, { result, signatures, untilMs: this.#clock.monotonic() + RESULT_MS_MAX })
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= RESULTS_MAX) break
      this.#kept.delete(oldest)
    }
  }
}

async function wholeOf(look: Promise<ScanResult>): Promise<ScanResult | undefined> {
  const result = await look
  return isWhole(result) ? result : undefined
}

const isWhole = ({ facts }: ScanResult): boolean => facts.length <= FACTS_KEPT_MAX && !facts.some(mayChange)

/** The same content may fare better next time. */
const mayChange = (fact: ScanFact): boolean =>
  fact.kind === 'not-looked' || (fact.kind === 'over-limit' && (fact.limit === 'time' || fact.limit === 'memory'))

async function hashOf({ chunks }: Content, ownOctets: number): Promise<string> {
  const hash = createHash('sha256')
  let own = ownOctets
  let since = 0
  for (const chunk of chunks) {
    const skip = Math.min(own, chunk.length)
    own -= skip
    for (let at = skip; at < chunk.length; at += HASH_OCTETS_AT_ONCE) {
      const piece = chunk.subarray(at, at + HASH_OCTETS_AT_ONCE)
      hash.update(piece)
      since += piece.length
      if (since < HASH_OCTETS_AT_ONCE) continue
      since = 0
      await setImmediate()
    }
  }
  return hash.digest('base64')
}
