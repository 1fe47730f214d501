/** What goes wrong, and when: the customers' moods, crashes, a sick disk, a network that breaks, a clock that jumps. */
import { type Customer, MOODS } from './customer.ts'
import type { DiskOperation, TwinDisk } from './disk.ts'
import type { Random } from './random.ts'
import type { SimRelay } from './relay.ts'
import type { Timeline } from './timeline.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const SICK_OPERATIONS: readonly DiskOperation[] = ['write', 'datasync', 'open', 'read', 'unlink', 'syncFolder', 'list']

export interface WeatherParts {
  readonly timeline: Timeline
  readonly random: Random
  readonly relay: SimRelay
  readonly disk: TwinDisk
  readonly customers: readonly Customer[]
  readonly log: (text: string) => void
}

export class Weather {
  /** Names do not resolve. */
  dnsIsDown = false
  readonly #parts: WeatherParts
  isCalm = false

  constructor(parts: WeatherParts) {
    this.#parts = parts
  }

  begin(): void {
    for (const customer of this.#parts.customers) this.#laterChange(customer)
    this.#laterTrouble()
  }

  /** From now on nothing goes wrong, and what went wrong is mended. */
  calm(): void {
    const { customers, relay } = this.#parts
    this.isCalm = true
    this.dnsIsDown = false
    this.#healDisk()
    for (const customer of customers) customer.mood = 'up'
    // What could not be read is read again by a new process.
    relay.restart()
  }

  #later(minMs: number, maxMs: number, call: () => void): void {
    const { timeline, random } = this.#parts
    timeline.after(random.between(minMs, maxMs), () => {
      if (!this.isCalm) call()
    })
  }

  #laterChange(customer: Customer): void {
    this.#later(10 * MINUTE, 8 * HOUR, () => {
      const { random, log } = this.#parts
      customer.mood = random.chance(0.4) ? 'up' : random.pick(MOODS)
      log(`${customer.facts.name} is ${customer.mood}`)
      this.#laterChange(customer)
    })
  }

  #laterTrouble(): void {
    this.#later(MINUTE, 3 * HOUR, () => {
      this.#trouble()
      this.#laterTrouble()
    })
  }

  #trouble(): void {
    const { random, relay, disk } = this.#parts
    const downMs = random.chance(0.8) ? random.between(1000, MINUTE) : random.between(MINUTE, HOUR)
    const troubles = [
      () => relay.kill('kill', downMs),
      () => relay.kill('power-loss', downMs),
      () => this.#crashInCall('kill', downMs),
      () => this.#crashInCall('power-loss', downMs),
      () => relay.restart(),
      () => this.#sickDisk(),
      () => this.#sickDisk(),
      () => this.#fullDisk(),
      () => relay.cutWires(random.next()),
      () => this.#noNames(),
      () => void (relay.wallSkewMs += random.between(-2, 2) * HOUR),
      () => void relay.worker?.operations.act({ state: 'held' }, { kind: 'release' }, false),
    ]
    if (disk.paths().length > 0) random.pick(troubles)()
  }

  #crashInCall(how: 'kill' | 'power-loss', downMs: number): void {
    const { random, relay, disk } = this.#parts
    disk.crashAt(random.whole(1, 60), how, () => relay.died(`${how} in a call`, downMs))
  }

  #sickDisk(): void {
    const { random, disk, log } = this.#parts
    const operation = random.pick(SICK_OPERATIONS)
    const forGood = random.chance(0.5)
    disk.fail({ operation, nth: random.whole(1, 5), forGood, code: random.chance(0.7) ? 'EIO' : 'ENOSPC' })
    log(`disk: ${operation} fails${forGood ? ' for good' : ''}`)
    this.#diskIsSickFor(10_000, HOUR)
  }

  #fullDisk(): void {
    const { random, disk, log } = this.#parts
    disk.capacityOctets = disk.usedOctets + random.whole(0, 1_500_000)
    log('disk: full')
    this.#diskIsSickFor(MINUTE, 2 * HOUR)
  }

  #diskIsSickFor(minMs: number, maxMs: number): void {
    this.#parts.relay.diskIsSick = true
    this.#later(minMs, maxMs, () => this.#healDisk())
  }

  #healDisk(): void {
    const { disk, relay, log } = this.#parts
    disk.heal()
    disk.capacityOctets = Number.POSITIVE_INFINITY
    relay.diskIsSick = false
    log('disk: well')
  }

  #noNames(): void {
    this.dnsIsDown = true
    this.#later(MINUTE, HOUR, () => {
      this.dnsIsDown = false
    })
  }
}
