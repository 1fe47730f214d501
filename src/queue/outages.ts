/**
 * What a worker knows of the servers that its mail goes to: which primaries answer, and which routes are held for
 * maintenance. The supervisor finds it out and says it (`cli/clerks/outages.ts`); here it takes effect.
 *
 * Unknown is not up: without news, a fallback MX takes the mail of known recipients, and the queue goes by what its own
 * attempts meet.
 */
import { byRoute, heldBackMs, type Maintenance } from '#tenant/maintenance.ts'
import type { Queue } from './queue.ts'

export interface OutagesNews {
  /** Route ids whose servers answer, and do not; others are not watched, or nobody knows yet. */
  readonly up: readonly string[]
  readonly down: readonly string[]
  /** Present and recent ones: those that may have held back what still waits. */
  readonly maintenance: readonly Maintenance[]
}

export class Outages {
  readonly #queue: Pick<Queue, 'reached' | 'lost' | 'hold' | 'nowMs'>
  #up: ReadonlySet<string> = new Set()
  #down: ReadonlySet<string> = new Set()
  #windows: ReadonlyMap<string, readonly Maintenance[]> = new Map()

  constructor(queue: Pick<Queue, 'reached' | 'lost' | 'hold' | 'nowMs'>) {
    this.#queue = queue
  }

  learn(news: OutagesNews): void {
    const wasDown = this.#down
    const hadWindows = this.#windows
    this.#up = new Set(news.up)
    this.#down = new Set(news.down)
    this.#windows = byRoute(news.maintenance)
    for (const route of new Set([...hadWindows.keys(), ...this.#windows.keys()])) {
      const untilMs = this.#heldUntilMs(route)
      // A hold that began with an older news item and is over is ended, too.
      if (untilMs !== undefined || hadWindows.has(route)) this.#queue.hold(route, untilMs ?? 0)
    }
    for (const route of this.#up) if (wasDown.has(route)) this.#queue.reached(route)
    for (const route of this.#down) if (!wasDown.has(route)) this.#queue.lost(route)
  }

  /** The supervisor is silent: what it said of primaries may be true no more. Maintenance has its own end. */
  forgetPrimaries(): void {
    this.#up = new Set()
    this.#down = new Set()
  }

  /** The primary answers, and nobody holds its mail on purpose. */
  isUp(route: string): boolean {
    return this.#up.has(route) && !this.inMaintenance(route)
  }

  isDown(route: string): boolean {
    return this.#down.has(route)
  }

  inMaintenance(route: string): boolean {
    return this.#windows.size > 0 && this.#heldUntilMs(route) !== undefined
  }

  /** For how long since then the mail of this route was held back. */
  heldBackMs(route: string, sinceMs: number): number {
    const windows = this.#windows.get(route)
    return windows === undefined ? 0 : heldBackMs(windows, sinceMs, this.#queue.nowMs())
  }

  #heldUntilMs(route: string): number | undefined {
    const nowMs = this.#queue.nowMs()
    const present = this.#windows.get(route)?.find(({ beginsMs, untilMs }) => beginsMs <= nowMs && nowMs < untilMs)
    return present?.untilMs
  }
}
