/**
 * The real program, as an operator starts it: a process of its own, a configuration file, ports on loopback. Nothing is
 * imported from it; what a scenario knows, it knows from SMTP, HTTP, the log and the command line.
 *
 *     await using relay = await startVorposten({ tenants: { bakery: { domains: { 'dest.test': { 'deliver-to': … }}}}})
 *     using talk = await smtpTalk(relay.port)
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { type Child, startChild } from './child.ts'
import { freePort } from './free-port.ts'
import { type TempFolder, tempFolder } from './temp-folder.ts'
import { waitFor } from './wait-for.ts'

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname

/**
 * An object is laid over what a relay on loopback needs, key by key at the top level. A string is the whole file; it may
 * name the port of SMTP as `${ENV:MX_PORT}`, of HTTP as `${ENV:HTTP_PORT}`, and the folder as `${ENV:FOLDER}`.
 */
export type Config = string | { readonly [key: string]: unknown }

export interface VorpostenOptions {
  readonly config: Config
  readonly workers?: number
  /** False: not started yet, so that its first start can be watched. */
  readonly started?: boolean
}

export interface CommandResult {
  readonly code: number | null
  /** All that it printed. */
  readonly text: string
  /** What it printed, as JSON; throws if it is none. */
  json(): unknown
}

export interface Vorposten extends AsyncDisposable {
  /** Of the listener `mx`. */
  readonly port: number
  readonly httpPort: number
  readonly folder: string
  readonly configFile: string
  /** What all its starts have printed. */
  log(): readonly string[]
  /** The first log line from index `from` on that matches. */
  logged(pattern: RegExp, from?: number): Promise<string>
  /** Waits until `count` log lines match. */
  loggedTimes(count: number, pattern: RegExp): Promise<unknown>
  /** A page of the control port. */
  get(path: string): Promise<{ readonly status: number; readonly text: string }>
  /** One sample of /metrics, 0 if there is none; `name{label="x"}` as it stands there. */
  metric(sample: string): Promise<number>
  /** `queue list --json` and the like, with this relay's configuration. */
  command(...args: readonly string[]): Promise<CommandResult>
  /** The same, with this on its standard input. */
  commandWithInput(input: string, ...args: readonly string[]): Promise<CommandResult>
  /** A new configuration, for the next start. */
  configure(config: Config): void
  /** A new configuration, and SIGHUP; the line that says whether it was taken. */
  reload(config: Config): Promise<string>
  /** Process ids of its workers now. */
  workers(): readonly number[]
  start(): Promise<void>
  /** SIGTERM; its exit code. */
  stop(): Promise<number | null>
  /** SIGKILL, to one worker or to everything at once. */
  kill9(what: 'worker' | 'all'): Promise<void>
}

export async function startVorposten(options: VorpostenOptions): Promise<Vorposten> {
  const relay = new RunningVorposten(tempFolder('relay'), await freePort(), await freePort(), options)
  if (options.started !== false) await relay.start()
  return relay
}

class RunningVorposten implements Vorposten {
  readonly port: number
  readonly httpPort: number
  readonly #folder: TempFolder
  readonly #workers: number
  #child: Child | undefined
  #earlier: readonly string[] = []

  constructor(folder: TempFolder, port: number, httpPort: number, { config, workers = 1 }: VorpostenOptions) {
    this.#folder = folder
    this.port = port
    this.httpPort = httpPort
    this.#workers = workers
    this.#write(config)
  }

  get folder(): string {
    return this.#folder.path
  }

  get configFile(): string {
    return `${this.folder}/vorposten.yaml`
  }

  log(): readonly string[] {
    return [...this.#earlier, ...(this.#child?.lines ?? [])]
  }

  logged(pattern: RegExp, from = 0): Promise<string> {
    const find = () =>
      this.log()
        .slice(from)
        .find((line) => pattern.test(line))
    return waitFor(`${pattern} in the log of vorposten`, find, { context: () => this.log().slice(-40).join('\n') })
  }

  loggedTimes(count: number, pattern: RegExp): Promise<unknown> {
    const all = () => this.log().filter((line) => pattern.test(line)).length >= count
    return waitFor(`${count} × ${pattern} in the log of vorposten`, all, {
      context: () => this.log().slice(-40).join('\n'),
    })
  }

  async get(path: string): Promise<{ status: number; text: string }> {
    const response = await fetch(`http://127.0.0.1:${this.httpPort}${path}`)
    return { status: response.status, text: await response.text() }
  }

  async metric(sample: string): Promise<number> {
    const { text } = await this.get('/metrics')
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${sample} `))
    return line === undefined ? 0 : Number(line.slice(sample.length + 1))
  }

  command(...args: readonly string[]): Promise<CommandResult> {
    return this.#command(args, { env: this.#env() })
  }

  commandWithInput(input: string, ...args: readonly string[]): Promise<CommandResult> {
    return this.#command(args, { env: this.#env(), input })
  }

  async #command(args: readonly string[], options: Parameters<typeof startChild>[2]): Promise<CommandResult> {
    const child = startChild(process.execPath, [MAIN, ...args, '--config', this.configFile], options)
    const { code } = await child.ended
    const text = child.lines.join('\n')
    return { code, text, json: () => JSON.parse(text) as unknown }
  }

  configure(config: Config): void {
    this.#write(config)
  }

  reload(config: Config): Promise<string> {
    const from = this.log().length
    this.#write(config)
    this.#child?.signal('SIGHUP')
    return this.logged(/reloaded/, from)
  }

  workers(): readonly number[] {
    const pid = this.#child?.pid
    if (pid === undefined) return []
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return children.trim().split(/\s+/).filter(Boolean).map(Number)
  }

  async start(): Promise<void> {
    const child = startChild(process.execPath, [MAIN, 'serve', '--config', this.configFile], { env: this.#env() })
    this.#child = child
    await child.line(/\bready: \d+ worker/)
  }

  async stop(): Promise<number | null> {
    const ending = await this.#child?.stop()
    this.#over()
    return ending?.code ?? null
  }

  async kill9(what: 'worker' | 'all'): Promise<void> {
    if (what === 'worker') {
      const [worker] = this.workers()
      if (worker === undefined) throw new Error('there is no worker to kill')
      process.kill(worker, 'SIGKILL')
      await waitFor('the worker to be gone', () => !this.workers().includes(worker))
      return
    }
    await this.#child?.kill9()
    this.#over()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    this.#folder.remove()
  }

  #over(): void {
    this.#earlier = this.log()
    this.#child = undefined
  }

  #env(): NodeJS.ProcessEnv {
    const ours = { MX_PORT: `${this.port}`, HTTP_PORT: `${this.httpPort}`, FOLDER: this.folder }
    return { ...process.env, ...ours }
  }

  #write(config: Config): void {
    // JSON is YAML.
    const text = typeof config === 'string' ? config : JSON.stringify({ ...this.#usual(), ...config }, null, 2)
    writeFileSync(this.configFile, text)
  }

  #usual(): { readonly [key: string]: unknown } {
    return {
      hostname: 'relay.test',
      'data-folder': `${this.folder}/data`,
      workers: this.#workers,
      http: { address: `127.0.0.1:${this.httpPort}` },
      // The names of scenarios are in no real DNS, and the machine's name server may be slow to say so.
      authentication: false,
      listeners: [{ name: 'mx', addresses: [`127.0.0.1:${this.port}`] }],
    }
  }
}
