/**
 * Which signatures an engine has, asked now and then beside its work: nobody waits for it. What is too old to be believed is
 * not known until the next answer.
 *
 * Units: ms of the clock.
 */
import type { Clock } from '#sys/clock.ts'

/** Asked again after so long. */
export const TAG_REFRESH_MS = 20_000
/** Believed for so long: new signatures count after this at the latest. */
export const TAG_MS_MAX = 60_000

/** Of all servers of an engine: any of them may be the one that looks. */
export const allKnown = (tags: readonly (string | undefined)[]): string | undefined =>
  tags.includes(undefined) ? undefined : tags.join('; ')

export class SignatureTag {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #ask: () => Promise<string | undefined>
  #tag: string | undefined
  #askedMs = Number.NEGATIVE_INFINITY
  #knownMs = Number.NEGATIVE_INFINITY
  #isAsking = false

  /** `ask` never rejects; undefined: no answer. */
  constructor(ask: () => Promise<string | undefined>, clock: Pick<Clock, 'monotonic'>) {
    this.#ask = ask
    this.#clock = clock
  }

  /** As far as it is known now. */
  get(): string | undefined {
    const nowMs = this.#clock.monotonic()
    if (!this.#isAsking && nowMs - this.#askedMs >= TAG_REFRESH_MS) void this.#refresh(nowMs)
    return nowMs - this.#knownMs < TAG_MS_MAX ? this.#tag : undefined
  }

  async #refresh(nowMs: number): Promise<void> {
    this.#isAsking = true
    this.#askedMs = nowMs
    const tag = await this.#ask()
    this.#isAsking = false
    // When it was asked, not when it answered: in between it may have got new ones.
    this.#knownMs = tag === undefined ? Number.NEGATIVE_INFINITY : nowMs
    this.#tag = tag
  }
}
