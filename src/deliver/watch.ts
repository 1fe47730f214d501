/**
 * Which primaries are up: their hosts are knocked at now and then, and two answers in a row decide. Until then a state
 * stays as it is, so that one lost packet is no outage; before the first decision it is unknown, which is not up.
 *
 * Nothing here keeps or tells: `changed` hears of each decision.
 */
import type { Cancel, Clock } from '#sys/clock.ts'
import type { Route } from '#tenant/directory.ts'
import type { Knock } from './knock.ts'

export const PROBE_INTERVAL_MS = 30_000
/** Equal answers in a row that decide. */
export const ANSWERS_NEEDED = 2
/** While an answer differs from the state, the next one is asked for so much sooner, and after this at most. */
const HURRY = 3
const HURRIED_MS_MAX = 10_000
/** Of the interval, up or down: routes that were declared together are not knocked at together. */
const JITTER = 0.1
/** The first knocks after a start follow quickly: until they decide, all mail of known recipients is taken. */
const FIRST_MS = 1_000
/** Deliveries that fail hurry the next knock, up to this often: a thousand of them are one reason to look. */
export const MISSED_GAP_MS = 5_000

export type PrimaryState = 'up' | 'down' | 'unknown'

export interface WatchParts {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly knock: (route: Route) => Promise<Knock>
  /** `text` is for people. */
  readonly changed: (routeId: string, state: 'up' | 'down', text: string) => void
}

interface Watched {
  route: Route
  state: PrimaryState
  /** Answers in a row that differ from the state. */
  differing: { readonly up: boolean; count: number }
  cancel: Cancel | undefined
  /** Monotonic ms: when it is asked next, and was last. */
  dueMs: number
  askedMs: number
  asking: boolean
  text: string
}

export class PrimaryWatch {
  readonly #parts: WatchParts
  readonly #watched = new Map<string, Watched>()

  constructor(parts: WatchParts) {
    this.#parts = parts
  }

  /** These routes from now on; what is known of those that stay is kept. */
  watch(routes: Iterable<Route>): void {
    const wanted = new Map([...routes].map((route) => [route.id, route]))
    for (const [id, { cancel }] of this.#watched) {
      if (wanted.has(id)) continue
      cancel?.()
      this.#watched.delete(id)
    }
    for (const [id, route] of wanted) {
      const known = this.#watched.get(id)
      if (known) known.route = route
      else this.#begin(route)
    }
  }

  states(): Iterable<readonly [routeId: string, state: PrimaryState, text: string]> {
    return [...this.#watched].map(([id, { state, text }]) => [id, state, text] as const)
  }

  state(routeId: string): PrimaryState {
    return this.#watched.get(routeId)?.state ?? 'unknown'
  }

  /** Somebody has a reason to believe that things have changed. */
  hurry(routeId: string): void {
    const watched = this.#watched.get(routeId)
    if (watched && !watched.asking) this.#next(watched, 0)
  }

  /**
   * A delivery met the server: as good as a knock. Or it met nobody: that decides nothing, since the fault may be ours or the
   * message's, but it is a reason to knock now.
   */
  met(routeId: string, up: boolean): void {
    const watched = this.#watched.get(routeId)
    if (watched === undefined || watched.asking) return
    if (up) this.#answered(watched, { up, text: 'a delivery got through' })
    else if (watched.state !== 'down') this.#sooner(watched)
  }

  // Never later than it is due anyway.
  #sooner(watched: Watched): void {
    const nowMs = this.#parts.clock.monotonic()
    const atMs = Math.max(nowMs, watched.askedMs + MISSED_GAP_MS)
    if (atMs < watched.dueMs) this.#next(watched, atMs - nowMs)
  }

  close(): void {
    this.watch([])
  }

  #begin(route: Route): void {
    const watched: Watched = {
      route,
      state: 'unknown',
      differing: { up: true, count: 0 },
      cancel: undefined,
      dueMs: Number.POSITIVE_INFINITY,
      askedMs: Number.NEGATIVE_INFINITY,
      asking: false,
      text: 'not asked yet',
    }
    this.#watched.set(route.id, watched)
    this.#next(watched, this.#parts.random() * FIRST_MS)
  }

  #next(watched: Watched, ms: number): void {
    watched.cancel?.()
    watched.dueMs = this.#parts.clock.monotonic() + ms
    watched.cancel = this.#parts.clock.after(ms, () => void this.#ask(watched))
  }

  async #ask(watched: Watched): Promise<void> {
    watched.asking = true
    watched.askedMs = this.#parts.clock.monotonic()
    const answer = await this.#parts.knock(watched.route)
    watched.asking = false
    if (this.#watched.get(watched.route.id) === watched) this.#answered(watched, answer)
  }

  #answered(watched: Watched, { up, text }: Knock): void {
    const state = up ? 'up' : 'down'
    watched.text = text
    if (state === watched.state) watched.differing.count = 0
    else if (watched.differing.count > 0 && watched.differing.up === up) watched.differing.count++
    else watched.differing = { up, count: 1 }
    if (watched.differing.count >= ANSWERS_NEEDED) {
      watched.state = state
      watched.differing.count = 0
      this.#parts.changed(watched.route.id, state, text)
    }
    this.#next(watched, this.#pauseMs(watched))
  }

  #pauseMs({ route, state, differing }: Watched): number {
    const intervalMs = route.probeIntervalMs ?? PROBE_INTERVAL_MS
    const jitter = 1 - JITTER + 2 * JITTER * this.#parts.random()
    if (differing.count === 0) return intervalMs * jitter
    return Math.min(state === 'unknown' ? FIRST_MS : HURRIED_MS_MAX, intervalMs / HURRY) * jitter
  }
}
