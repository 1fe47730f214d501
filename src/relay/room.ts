/**
 * Is there room for a content: memory for it while it is looked at, and disk to keep it? Answered before DATA, so that
 * nobody sends what cannot be taken. Delivery goes on meanwhile, and room comes back by itself.
 */
import { ACCEPT, type Gate } from '#mail/verdict.ts'
import type { Clock } from '#sys/clock.ts'
import * as refusals from './refusals.ts'

/** Reading the process's memory costs some microseconds; between two readings, promises are added up. */
const SAMPLE_MS = 100

export interface SpoolRoom {
  readonly health: { readonly kind: 'ok' | 'full' | 'broken' }
  /** What may be written before the disk counts as full. */
  readonly roomOctets: number
}

export class Room {
  readonly #clock: Clock
  readonly #octetsMax: () => number
  readonly #spool: SpoolRoom
  #sampledMs = Number.NEGATIVE_INFINITY
  #usedOctets = 0
  #promisedOctets = 0

  /** `octetsMax`: of buffers in this process, contents above all. */
  constructor(clock: Clock, octetsMax: () => number, spool: SpoolRoom) {
    this.#clock = clock
    this.#octetsMax = octetsMax
    this.#spool = spool
  }

  /** `declaredOctets` is what SIZE said, 0 if nothing; `copies`: how often it will be on disk, once for each destination. */
  for(declaredOctets: number, copies = 1): Gate {
    const { health, roomOctets } = this.#spool
    if (health.kind === 'broken') return refusals.diskBroken()
    if (health.kind === 'full' || declaredOctets * copies > roomOctets) return refusals.noDisk()
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
