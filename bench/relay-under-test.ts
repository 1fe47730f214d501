/**
 * The relay as the scenarios see it: started from this checkout in a temporary folder, on free ports, measured as a whole
 * process tree. `VORPOSTEN_BENCH_FOLDER` puts the folder elsewhere: it should lie on the disk that will hold the spool.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../test/harness/free-port.ts'
import { RelayProcess } from '../test/torture/relay-process.ts'
import { CpuMeter, type Memory, treeMemory } from './process-tree.ts'
import { relayConfig } from './relay-config.ts'

export type Commit = 'spool' | 'cut-through'

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts')
/** A restart with a million messages may take its time here; how long it took is what is measured. */
const GREETING_MS_MAX = 120_000
const SAMPLE_MS = 1000

export class RelayUnderTest {
  readonly port: number
  readonly #folder: string
  #process: RelayProcess | undefined
  #cpu: CpuMeter | undefined
  #sampler: NodeJS.Timeout | undefined
  #peak: Memory = { rssOctets: 0, pssOctets: 0, processes: 0 }

  private constructor(port: number, folder: string) {
    this.port = port
    this.#folder = folder
  }

  /** `domains`: each with the port of its next hop. Not started yet. */
  static async create(
    commit: Commit,
    domains: Readonly<Record<string, number>>,
    outbound = false,
  ): Promise<RelayUnderTest> {
    return RelayUnderTest.configured((place) => relayConfig({ ...place, commit, domains, outbound }))
  }

  /** The same with another configuration. */
  static async configured(text: (place: { port: number; dataFolder: string }) => string): Promise<RelayUnderTest> {
    const folder = mkdtempSync(join(process.env['VORPOSTEN_BENCH_FOLDER'] ?? tmpdir(), 'vorposten-bench-'))
    const relay = new RelayUnderTest(await freePort(), folder)
    writeFileSync(relay.#config, text({ port: relay.port, dataFolder: join(folder, 'data') }))
    return relay
  }

  get #config(): string {
    return join(this.#folder, 'vorposten.yaml')
  }

  get pid(): number {
    return this.#process?.pid ?? -1
  }

  /** Resolves with the seconds from its start to its greeting. */
  async start(): Promise<number> {
    const startMs = performance.now()
    this.#process = await RelayProcess.start(
      {
        program: process.execPath,
        args: [MAIN, 'serve', '--config', this.#config],
        port: this.port,
        logFile: join(this.#folder, 'log'),
        spawned: (pid) => {
          this.#cpu = new CpuMeter(pid)
        },
      },
      GREETING_MS_MAX,
    )
    const seconds = (performance.now() - startMs) / 1000
    this.#peak = this.memory()
    this.#sampler = setInterval(() => this.#sample(), SAMPLE_MS)
    return seconds
  }

  workers(): number[] {
    return this.#process?.workers() ?? []
  }

  cpuSeconds(): number {
    return this.#cpu?.seconds() ?? 0
  }

  memory(): Memory {
    return treeMemory(this.pid)
  }

  /** The highest since the last call, sampled each second. */
  takePeak(): Memory {
    this.#sample()
    const peak = this.#peak
    this.#peak = { rssOctets: 0, pssOctets: 0, processes: 0 }
    return peak
  }

  /** Asks for an attempt at all deferred mail now. */
  async flush(): Promise<void> {
    await this.command('queue', 'flush')
  }

  /** `dkim create …` and the like. */
  async command(...words: readonly string[]): Promise<void> {
    const command = spawn(process.execPath, [MAIN, ...words, '--config', this.#config], { stdio: 'ignore' })
    await once(command, 'exit')
  }

  async stop(): Promise<void> {
    clearInterval(this.#sampler)
    await this.#process?.stop()
    this.#cpu?.close()
  }

  async kill9(): Promise<void> {
    clearInterval(this.#sampler)
    this.#process?.kill('program')
    await this.#process?.orphans(1000)
    this.#cpu?.close()
  }

  /** Stops it and removes its folder. */
  async remove(): Promise<void> {
    await this.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #sample(): void {
    const { rssOctets, pssOctets, processes } = this.memory()
    this.#peak = {
      rssOctets: Math.max(this.#peak.rssOctets, rssOctets),
      pssOctets: Math.max(this.#peak.pssOctets, pssOctets),
      processes: Math.max(this.#peak.processes, processes),
    }
  }
}
