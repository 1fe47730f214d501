/**
 * The virus wall of one worker: the engines of the configuration, made anew when their settings change. A scan under way
 * keeps the engines with which it began.
 */
import type { Config, VirusConfig } from '#config/config.ts'
import { Clamd } from '#scan/clamd.ts'
import { Embedded } from '#scan/embedded.ts'
import { Icap } from '#scan/icap.ts'
import { Wall } from '#scan/wall.ts'
import type { Clock } from '#sys/clock.ts'

export function wallOf({ embedded, engines }: VirusConfig, clock: Clock): Wall {
  const beside = engines.map((engine) => (engine.kind === 'icap' ? new Icap(engine, clock) : new Clamd(engine, clock)))
  return new Wall(beside, clock, new Embedded(clock, { examines: embedded }))
}

export class ScanEngines {
  readonly #clock: Clock
  #settings = ''
  #wall: Wall | undefined

  constructor(config: Config, clock: Clock) {
    this.#clock = clock
    this.replace(config)
  }

  /** Absent: nobody looks. */
  readonly wall = (): Wall | undefined => this.#wall

  replace({ virus }: Config): void {
    const settings = JSON.stringify(virus)
    if (settings === this.#settings) {
      this.#wall?.forget()
      return
    }
    this.#settings = settings
    const before = this.#wall
    this.#wall = virus.embedded || virus.engines.length > 0 ? wallOf(virus, this.#clock) : undefined
    void before?.close()
  }

  async close(): Promise<void> {
    await this.#wall?.close()
  }
}
