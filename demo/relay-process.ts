/**
 * The relay of the demo: the real program, as an operator starts it, with a configuration file and a temporary data
 * folder on loopback. What the demo knows of it, it knows from its log, its HTTP port and its command line.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const MAIN = new URL('../src/main.ts', import.meta.url).pathname
const START_MS_MAX = 30_000
/** A drain finishes what is under way; in the demo that is nothing. */
const STOP_MS_MAX = 8_000
/** What is kept of the log; the oldest lines go first. */
const LINES_MAX = 20_000

/** One line of the log: who wrote it, and what. */
export interface LogLine {
  readonly pid: number
  readonly text: string
}

export class RelayProcess {
  readonly folder: string
  readonly port: number
  /** Where the customer's own server hands over what leaves. */
  readonly outboundPort: number
  /** Where users hand over their mail, with a password. */
  readonly submissionPort: number
  readonly httpPort: number
  readonly log: LogLine[] = []
  /** Told of each line as it comes. */
  onLine: (line: LogLine) => void = () => {}
  readonly #child: ChildProcess
  readonly #problems: string[] = []

  private constructor(folder: string, { port, outboundPort, submissionPort, httpPort }: Omit<Places, 'folder'>) {
    this.folder = folder
    this.port = port
    this.outboundPort = outboundPort
    this.submissionPort = submissionPort
    this.httpPort = httpPort
    // A group of its own: Ctrl-C in the terminal is the demo's alone, which then ends the relay in good order.
    this.#child = spawn(process.execPath, [MAIN, 'serve', '-c', this.configFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#take(line))
    createInterface({ input: this.#child.stderr! }).on('line', (line) => this.#problems.push(line))
  }

  /** Resolves when it is ready; rejects with what it said when it could not start. */
  static async start(customerPort: number, worldPort: number, namesPort: number): Promise<RelayProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'vorposten-demo-'))
    const [port, outboundPort, submissionPort, httpPort] = await freePorts()
    const places = { port, outboundPort, submissionPort, httpPort, customerPort, worldPort, namesPort }
    writeFileSync(join(folder, 'vorposten.yaml'), configuration({ folder, ...places }))
    const relay = new RelayProcess(folder, places)
    try {
      await relay.#ready()
    } catch (error) {
      await relay.stop()
      throw error
    }
    return relay
  }

  get configFile(): string {
    return join(this.folder, 'vorposten.yaml')
  }

  /** Runs `vorposten ARGS` with this configuration; all that it printed. */
  async command(...args: readonly string[]): Promise<string> {
    const child = spawn(process.execPath, [MAIN, ...args, '-c', this.configFile], { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part) => (text += part))
    await once(child, 'close')
    return text
  }

  async page(path: string): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.httpPort}${path}`)
    return response.text()
  }

  /** Each sample of one metric, by its labels as they are written. */
  async samples(metric: string): Promise<Map<string, number>> {
    const lines = (await this.page('/metrics')).split('\n').filter((line) => line.match(/^\w+/)?.[0] === metric)
    return new Map(
      lines.map((line) => [line.slice(metric.length, line.lastIndexOf(' ')), Number(line.split(' ').pop())]),
    )
  }

  async metric(metric: string, labels = ''): Promise<number> {
    return (await this.samples(metric)).get(labels) ?? 0
  }

  /** The process that accepted this message: it is its worker that keeps it. */
  workerOf(id: string): number | undefined {
    return this.log.find(({ text }) => text.startsWith(`${id}: client=`))?.pid
  }

  /** SIGTERM, and SIGKILL if that is not enough. The temporary folder is removed. */
  async stop(): Promise<void> {
    const child = this.#child
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
      await ended
      clearTimeout(timer)
    }
    this.removeFolder()
  }

  /** For the last moment of the process, when nothing can be awaited. */
  killNow(): void {
    this.#child.kill('SIGKILL')
    this.removeFolder()
  }

  removeFolder(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }

  #take(line: string): void {
    const found = /^\S+ (?:\S+ )?vorposten\/\w+\[(\d+)\]: (.*)$/.exec(line)
    const entry = { pid: Number(found?.[1] ?? 0), text: found?.[2] ?? line }
    this.log.push(entry)
    if (this.log.length > LINES_MAX) this.log.shift()
    this.onLine(entry)
  }

  async #ready(): Promise<void> {
    const child = this.#child
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`the relay did not start: ${why}\n${this.#problems.join('\n')}`))
      const timer = setTimeout(() => fail('it took too long'), START_MS_MAX)
      child.once('error', (error) => fail(error.message))
      child.once('exit', (code) => fail(`exit code ${code}`))
      this.onLine = ({ text }) => {
        if (!text.startsWith('ready: ')) return
        clearTimeout(timer)
        resolve()
      }
    })
    this.onLine = () => {}
  }
}

interface Places {
  readonly folder: string
  readonly port: number
  readonly outboundPort: number
  readonly submissionPort: number
  readonly httpPort: number
  readonly customerPort: number
  readonly worldPort: number
  readonly namesPort: number
}

function configuration({
  folder,
  port,
  outboundPort,
  submissionPort,
  httpPort,
  customerPort,
  worldPort,
  namesPort,
}: Places): string {
  return `# The relay of the demo. Read aloud: the bakery's mail goes to the bakery's server, which is asked who exists; what the
# bakery sends leaves by the second listener, and what its
# people send by the third.
hostname: relay.example
data-folder: ${JSON.stringify(join(folder, 'data'))}
workers: 2
name-servers: 127.0.0.1:${namesPort}
http: {address: "127.0.0.1:${httpPort}"}
listeners:
  - {name: mx, addresses: "127.0.0.1:${port}"}
  - {name: out, addresses: "127.0.0.1:${outboundPort}", service: outbound}
  - {name: users, addresses: "127.0.0.1:${submissionPort}", service: submission, tls: implicit}
# Real ones are larger; a demo must also run on a small disk.
spool: {segment-size: 1MiB, free-space-min: 1MiB}
# Nothing to install. What cannot be looked into is refused here; what is damaged passes unmarked: the account compares octets.
virus: {embedded: true, policy: {encrypted: reject, broken: pass}}
tenants:
  bakery:
    postmaster: postmaster@bakery.example
    routes:
      shop:
        hosts: "127.0.0.1:${customerPort}"
        # In a demo nobody has five minutes.
        retry: {first: 1s, max: 5s}
      world: {hosts: "127.0.0.1:${worldPort}"}
    outbound: {from-networks: 127.0.0.1, route: world}
    domains:
      bakery.example: {route: shop, recipients: live, commit: cut-through}
`
}

/** Four ports that nobody listens on now. */
async function freePorts(): Promise<[number, number, number, number]> {
  const servers = [createServer(), createServer(), createServer(), createServer()]
  const ports: number[] = []
  for (const server of servers) {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    ports.push(address !== null && typeof address === 'object' ? address.port : 0)
  }
  for (const server of servers) server.close()
  return [ports[0] ?? 0, ports[1] ?? 0, ports[2] ?? 0, ports[3] ?? 0]
}
