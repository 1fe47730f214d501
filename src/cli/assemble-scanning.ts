/**
 * The virus wall of one worker: the engines of the configuration, made anew when their settings change. A scan under way
 * keeps the engines with which it began.
 */
import type { Config } from '#config/config.ts'
import { Clamd } from '#scan/clamd.ts'
import type { Engine } from '#scan/contract.ts'
import { Wall } from '#scan/wall.ts'
import type { Clock } from '#sys/clock.ts'

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
    if (settings === this.#settings) return
    this.#settings = settings
    const before = this.#wall
    const engines: Engine[] = virus.engines.map((engine) => new Clamd(engine, this.#clock))
    this.#wall = engines.length === 0 ? undefined : new Wall(engines, this.#clock)
    void before?.close()
  }

  async close(): Promise<void> {
    await this.#wall?.close()
  }
}
