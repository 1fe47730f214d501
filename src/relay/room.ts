/**
 * Is there room for a content: memory for it while it is looked at, and disk to keep it? Answered before DATA, so that
 * nobody sends what cannot be taken. Delivery goes on meanwhile, and room comes back by itself.
 */
import { ACCEPT, type Gate } from '#mail/verdict.ts'
import type { Clock } from '#sys/clock.ts'
import * as refusals from './refusals.ts'

/** Reading the process's memory costs some microseconds; between two readings, promises are added up. */
const SAMPLE_MS = 100

export type DiskHealth = { readonly kind: 'ok' | 'full' | 'broken' }

export class Room {
  readonly #clock: Clock
  readonly #octetsMax: () => number
  readonly #disk: () => DiskHealth
  #sampledMs = Number.NEGATIVE_INFINITY
  #usedOctets = 0
  #promisedOctets = 0

  /** `octetsMax`: of buffers in this process, contents above all. */
  constructor(clock: Clock, octetsMax: () => number, disk: () => DiskHealth) {
    this.#clock = clock
    this.#octetsMax = octetsMax
    this.#disk = disk
  }

  /** `declaredOctets` is what SIZE said, 0 if nothing. */
  for(declaredOctets: number): Gate {
    const disk = this.#disk()
    if (disk.kind === 'full') return refusals.noDisk()
    if (disk.kind === 'broken') return refusals.diskBroken()
    if (!this.hasMemory || this.#usedOctets + this.#promisedOctets + declaredOctets > this.#octetsMax()) {
      return refusals.noMemory()
    }
    this.#promisedOctets += declaredOctets
    return ACCEPT
  }

  get hasMemory(): boolean {
    const nowMs = this.#clock.monotonic()
    if (nowMs - this.#sampledMs >= SAMPLE_MS) {
      this.#sampledMs = nowMs
      this.#usedOctets = process.memoryUsage().arrayBuffers
      this.#promisedOctets = 0
    }
    return this.#usedOctets + this.#promisedOctets < this.#octetsMax()
  }
}
