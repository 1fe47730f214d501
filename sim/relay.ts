/**
 * The relay in the simulated world: the worker's own assembly over a virtual clock, disk and network. It dies as machines
 * do and comes back on the same disk. What its report hears is checked for defects.
 */
import { assembleWorker, type Outside, type Worker, type WorkerOptions } from '#cli/assemble.ts'
import type { Config } from '#config/config.ts'
import type { PathEvent } from '#mail/event.ts'
import { logLines } from '#report/log-lines.ts'
import { measurer } from '#report/measure.ts'
import { Metrics } from '#report/metrics.ts'
import { traceRecord } from '#report/trace-record.ts'
import type { Clock } from '#sys/clock.ts'
import type { Disk } from '#sys/disk.ts'
import type { Connect } from '#sys/wire.ts'
import type { TwinDisk } from './disk.ts'
import type { Ledger } from './ledger.ts'
import type { SimWire } from './network.ts'
import type { Random } from './random.ts'
import { LifeClock, type Timeline } from './timeline.ts'

/** Between SIGTERM and kill -9; what a service manager gives. */
const DRAIN_MS_MAX = 40_000
/** A supervisor starts a worker again after this. */
const RESTART_MS = 5_000
const SYNC_MS_MAX = 20

export interface RelayParts {
  readonly timeline: Timeline
  readonly random: Random
  readonly disk: TwinDisk
  readonly config: Config
  readonly ledger: Ledger
  readonly log: (text: string) => void
  readonly connect: (opened: (wire: SimWire) => void) => Connect
  readonly resolve: Outside['resolve']
  /** Parts of the world that are broken on purpose, to see that it is noticed. */
  readonly spoil?: (outside: Outside) => Outside
  /** What a supervisor gives its workers; without it the worker is alone. */
  readonly supervised?: (clock: Clock) => Pick<WorkerOptions, 'follow' | 'met'>
}

export class SimRelay {
  worker: Worker | undefined
  wallSkewMs = 0
  starts = 0
  /** A process that stops now may not be able to write what it knows. */
  diskIsSick = false
  readonly #parts: RelayParts
  #clock: LifeClock
  #wires = new Set<SimWire>()
  #keys = 0

  constructor(parts: RelayParts) {
    this.#parts = parts
    this.#clock = new LifeClock(parts.timeline, () => this.wallSkewMs)
  }

  start(): void {
    const clock = new LifeClock(this.#parts.timeline, () => this.wallSkewMs)
    this.#clock = clock
    this.#boot(clock).catch((error: Error) => {
      if (!clock.alive) return
      this.#parts.log(`relay does not start: ${error.message}`)
      clock.alive = false
      this.#parts.timeline.after(RESTART_MS, () => this.start())
    })
  }

  /** A connection that comes in; false: refused. */
  accept(wire: SimWire): boolean {
    if (this.worker === undefined) return false
    this.#keep(wire)
    this.worker.acceptor.accept(wire, 'mx')
    return true
  }

  /** The process, or the machine, is gone; back after `downMs`. */
  kill(how: 'kill' | 'power-loss', downMs: number): void {
    if (!this.#clock.alive) return
    if (how === 'kill') this.#parts.disk.kill()
    else this.#parts.disk.powerLoss()
    this.died(how, downMs)
  }

  /** After the disk itself made the process die. */
  died(how: string, downMs: number): void {
    this.#parts.log(`relay dies: ${how}`)
    this.#parts.ledger.died()
    this.#clock.alive = false
    this.worker = undefined
    for (const wire of this.#wires) wire.die()
    this.#wires.clear()
    this.#parts.timeline.after(downMs, () => this.start())
  }

  /** SIGTERM, then a new process. */
  restart(): void {
    const { worker } = this
    const clock = this.#clock
    if (worker === undefined) return
    this.#parts.log('relay drains')
    this.worker = undefined
    this.#parts.timeline.after(DRAIN_MS_MAX, () => {
      if (clock.alive && clock === this.#clock) this.kill('kill', RESTART_MS)
    })
    void worker.drain().then(() => {
      if (!clock.alive) return
      this.#parts.log('relay has drained')
      if (this.diskIsSick) this.#parts.ledger.died()
      clock.alive = false
      for (const wire of this.#wires) wire.die()
      this.#wires.clear()
      this.#parts.disk.kill()
      this.#parts.timeline.after(RESTART_MS, () => this.start())
    })
  }

  /** So many of the open connections break. */
  cutWires(share: number): void {
    const { random } = this.#parts
    for (const wire of this.#wires) if (random.chance(share)) wire.cut(random.pick(['reset', 'silence']))
  }

  async #boot(clock: LifeClock): Promise<void> {
    const { config, random, spoil = (same) => same, supervised = () => ({}) } = this.#parts
    const options = { config, index: 0, spoolFolders: ['/data/spool'], reusePort: false, ticketKeys: Buffer.alloc(48) }
    const outside = spoil(this.#outside(clock))
    const worker = await assembleWorker({ ...options, ...supervised(outside.clock) }, outside)
    await worker.acceptor.prepare()
    if (!clock.alive) return
    this.starts++
    this.worker = worker
    this.#parts.log(`relay is up, ${random.whole(0, 9999)}`)
  }

  #outside(clock: LifeClock): Outside {
    const { disk, random, resolve, connect } = this.#parts
    return {
      clock,
      disk: timed(disk.boot(), clock, random),
      connect: connect((wire) => (clock.alive ? this.#keep(wire) : wire.die())),
      resolve,
      random: () => random.next(),
      report: () => this.#report(clock),
      spool: { lockOwner: { text: 'simulated', isAlive: () => false }, newKey: () => this.#newKey() },
    }
  }

  #newKey(): Buffer {
    const key = Buffer.alloc(8, 0x5a)
    key.writeUInt32LE(++this.#keys)
    return key
  }

  #keep(wire: SimWire): void {
    for (const old of this.#wires) {
      if (!old.over) break
      this.#wires.delete(old)
    }
    this.#wires.add(wire)
  }

  #report(clock: LifeClock): ReturnType<Outside['report']> {
    const metrics = new Metrics()
    const measure = measurer(metrics)
    const report = (event: PathEvent): void => {
      if (!clock.alive) return
      measure(event)
      traceRecord(event, '')
      for (const { text } of logLines(event)) this.#parts.log(text)
      if (event.kind === 'alarm' && isDefect(event)) this.#parts.ledger.violation(`${event.symbol}: ${event.text}`)
    }
    return { metrics, report, notice: (text) => this.#parts.log(text), end: () => undefined }
  }
}

// A disk that cannot be read now is the world's fault, and the queue says so in the same way.
const isDefect = ({ symbol, text }: { symbol: string; text: string }): boolean =>
  symbol.endsWith('-defect') && !text.includes('the spool could not be read')

// Syncs and reads take their time, so that other things happen meanwhile.
function timed(disk: Disk, clock: LifeClock, random: Random): Disk {
  const wait = () => new Promise<void>((resolve) => void clock.after(random.between(0.1, SYNC_MS_MAX), resolve))
  return {
    ...disk,
    async open(path, mode) {
      const file = await disk.open(path, mode)
      return {
        ...file,
        datasync: () => wait().then(() => file.datasync()),
        read: (into, position) => wait().then(() => file.read(into, position)),
      }
    },
    syncFolder: (folder) => wait().then(() => disk.syncFolder(folder)),
  }
}
