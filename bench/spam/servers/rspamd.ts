/**
 * Rspamd as Debian ships it, as a filter of the bench: all of its rules that need no network, asked over HTTP a few at a time; with
 * Bayes on request, trained over HTTP, in a Redis of its own. No message has an envelope.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, startChild } from '../../../test/harness/child.ts'
import { freePort } from '../../../test/harness/free-port.ts'
import { tempFolder } from '../../../test/harness/temp-folder.ts'
import { waitFor } from '../../../test/harness/wait-for.ts'
import type { Labelled } from '../corpora.ts'
import { type Filter, taught } from '../filters.ts'
import type { Corpora } from '../protocols.ts'
import { atOnce } from './at-once.ts'
import { exchange } from './exchange.ts'
import { treeCpuMs } from './process-tree.ts'

const RSPAMD = '/usr/bin/rspamd'
const REDIS = '/usr/bin/redis-server'
/** It compiles the patterns of all domains; on a busy machine that takes minutes. */
const START_MS_MAX = 600_000
const AT_ONCE = 4

/** What asks the network, or keeps things that the next message would see. */
const OFF = [
  ...[
    'arc',
    'asn',
    'bimi',
    'dkim',
    'dkim_signing',
    'dmarc',
    'fuzzy_check',
    'greylist',
    'history_redis',
    'milter_headers',
  ],
  ...['mx_check', 'neural', 'phishing', 'ratelimit', 'rbl', 'replies', 'reputation', 'rspamd_update', 'spf', 'surbl'],
  'url_redirector',
]

export class Rspamd implements Filter {
  readonly name: string
  /** Its `add header` is 6 and above. */
  readonly threshold = 5.999
  readonly #folder = tempFolder('bench-rspamd')
  readonly #bayes: boolean
  readonly #workers: number
  #rspamd: Child | undefined
  #redis: Child | undefined
  #port = 0
  #controllerPort = 0

  static isThere(): boolean {
    return existsSync(RSPAMD)
  }

  static hasRedis(): boolean {
    return existsSync(REDIS)
  }

  constructor({ bayes = false, workers = 2 } = {}) {
    this.#bayes = bayes
    this.#workers = workers
    this.name = bayes ? 'Rspamd with Bayes' : 'Rspamd'
  }

  /** What it has learned is in Redis only; what learns nothing has nothing to forget. */
  async reset(): Promise<void> {
    if (!this.#bayes && this.#rspamd !== undefined) return
    await this.#redis?.kill9()
    if (this.#bayes) {
      const args = ['--port', '0', '--unixsocket', this.#redisSocket, '--unixsocketperm', '777', '--save', '']
      this.#redis = startChild(REDIS, args)
      await this.#redis.line(/ready to accept connections/i)
    }
    await this.#rspamd?.kill9()
    await this.#start()
  }

  async train(mail: readonly Labelled[], starter?: Corpora): Promise<void> {
    if (!this.#bayes) return
    await atOnce(taught(mail, starter), AT_ONCE, async ({ octets, isSpam }) => {
      const { status, body } = await this.#post(this.#controllerPort, isSpam ? '/learnspam' : '/learnham', octets)
      // 204 and 208: too short to learn, or learned before.
      if (![200, 204, 208].includes(status)) throw new Error(`Rspamd did not learn: ${status} ${body}`)
    })
  }

  scores(mail: readonly Labelled[]): Promise<number[]> {
    return atOnce(mail, AT_ONCE, ({ octets }) => this.score(octets))
  }

  async score(octets: Buffer): Promise<number> {
    const { body } = await this.#post(this.#port, '/checkv2', octets)
    const { score } = JSON.parse(body) as { score?: unknown }
    if (typeof score !== 'number') throw new Error(`Rspamd did not score a message: ${body.slice(0, 200)}`)
    return score
  }

  cpuMs(): number {
    return [this.#rspamd, this.#redis].reduce((sum, child) => sum + (child === undefined ? 0 : treeCpuMs(child.pid)), 0)
  }

  async close(): Promise<void> {
    await this.#rspamd?.kill9()
    await this.#redis?.kill9()
    this.#folder.remove()
  }

  async #start(): Promise<void> {
    const { path } = this.#folder
    this.#port = await freePort()
    this.#controllerPort = await freePort()
    mkdirSync(join(path, 'local.d'), { recursive: true })
    for (const [file, text] of Object.entries(this.#files())) writeFileSync(join(path, 'local.d', file), text)
    const places = ['LOCAL_CONFDIR', 'DBDIR', 'RUNDIR', 'LOGDIR'].flatMap((name) => ['--var', `${name}=${path}`])
    const started = startChild(RSPAMD, ['-f', '-i', '-c', '/etc/rspamd/rspamd.conf', ...places])
    this.#rspamd = started
    const answers = () =>
      this.score(Buffer.from('Subject: x\r\n\r\nx\r\n')).then(
        () => true,
        () => false,
      )
    await waitFor('Rspamd', () => started.running && answers(), {
      msMax: START_MS_MAX,
      context: () => started.lines.slice(-40).join('\n'),
    })
  }

  #files(): Record<string, string> {
    const redis = this.#bayes ? `servers = "${this.#redisSocket}";` : ''
    return {
      ...Object.fromEntries(OFF.map((module) => [`${module}.conf`, 'enabled = false;\n'])),
      'options.inc': `dns { nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; }
filters = "chartable,regexp";
control_socket = "${this.#folder.path}/control.socket mode=0600";
`,
      'logging.inc': 'type = "console"; level = "error";\n',
      'worker-normal.inc': `bind_socket = "127.0.0.1:${this.#port}"; count = ${this.#workers};\n`,
      'worker-controller.inc': `bind_socket = "127.0.0.1:${this.#controllerPort}"; secure_ip = "127.0.0.1";\n`,
      'worker-proxy.inc': 'enabled = false;\n',
      'redis.conf': redis,
      'classifier-bayes.conf': redis,
    }
  }

  get #redisSocket(): string {
    return join(this.#folder.path, 'redis.socket')
  }

  // Its 204 has a body, which Node's client does not take.
  async #post(port: number, path: string, octets: Buffer): Promise<{ readonly status: number; readonly body: string }> {
    const head = `POST ${path} HTTP/1.0\r\nContent-Length: ${octets.length}\r\n\r\n`
    const answer = await exchange({ host: '127.0.0.1', port }, [Buffer.from(head), octets])
    const bodyStart = answer.indexOf('\r\n\r\n') + 4
    return { status: Number(/^HTTP\/1\.\d (\d{3}) /.exec(answer)?.[1]), body: answer.slice(bodyStart) }
  }
}
