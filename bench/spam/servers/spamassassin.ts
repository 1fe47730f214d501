/**
 * SpamAssassin as Debian ships it, as a filter of the bench: spamd with its local rules (`-L`), asked by its own protocol two
 * at a time; with Bayes on request, trained by sa-learn. The network, learning by itself, and reputation are off.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, startChild } from '../../../test/harness/child.ts'
import { tempFolder } from '../../../test/harness/temp-folder.ts'
import type { Labelled } from '../corpora.ts'
import { type Filter, taught } from '../filters.ts'
import type { Corpora } from '../protocols.ts'
import { atOnce } from './at-once.ts'
import { exchange } from './exchange.ts'
import { treeCpuMs } from './process-tree.ts'

const SPAMD = '/usr/sbin/spamd'
const START_MS_MAX = 600_000

export class SpamAssassin implements Filter {
  readonly name: string
  /** "Spam" is 5 and above, in tenths. */
  readonly threshold = 4.95
  readonly #folder = tempFolder('bench-spamd')
  readonly #bayes: boolean
  readonly #children: number
  #spamd: Child | undefined

  static isThere(): boolean {
    return existsSync(SPAMD)
  }

  constructor({ bayes = false, children = 2 } = {}) {
    this.#bayes = bayes
    this.#children = children
    this.name = bayes ? 'SpamAssassin with Bayes' : 'SpamAssassin'
  }

  /** What learns nothing has nothing to forget. */
  async reset(): Promise<void> {
    if (!this.#bayes && this.#spamd !== undefined) return
    await this.#spamd?.stop()
    this.#spamd = undefined
    rmSync(this.#bayesFolder, { recursive: true, force: true })
    // spamd gives up its privileges.
    mkdirSync(this.#bayesFolder, { mode: 0o777 })
    execFileSync('chmod', ['777', this.#bayesFolder])
  }

  async train(operators: readonly Labelled[], starter?: Corpora): Promise<void> {
    const mail = taught(operators, starter)
    if (this.#bayes && mail.length > 0) {
      for (const isSpam of [true, false]) {
        const folder = join(this.#folder.path, isSpam ? 'spam' : 'ham')
        rmSync(folder, { recursive: true, force: true })
        mkdirSync(folder)
        for (const { id, octets } of mail.filter((one) => one.isSpam === isSpam))
          writeFileSync(join(folder, id), octets.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')
        const args = [isSpam ? '--spam' : '--ham', '--local', '--no-sync', ...this.#lines, folder]
        execFileSync('sa-learn', args, { stdio: ['ignore', 'ignore', 'inherit'] })
      }
      execFileSync('sa-learn', ['--sync', '--local', ...this.#lines], { stdio: ['ignore', 'ignore', 'inherit'] })
      execFileSync('chmod', ['-R', '777', this.#bayesFolder])
    }
    if (this.#spamd === undefined) await this.#start()
  }

  scores(mail: readonly Labelled[]): Promise<number[]> {
    return atOnce(mail, this.#children, ({ octets }) => this.score(octets))
  }

  /** By one conversation. */
  async score(octets: Buffer): Promise<number> {
    const answer = await exchange({ path: this.#socket }, [
      Buffer.from(`CHECK SPAMC/1.5\r\nContent-length: ${octets.length}\r\n\r\n`),
      octets,
    ])
    const score = /\r\nSpam: (?:True|False) ; (-?[\d.]+) \//.exec(answer)?.[1]
    if (score === undefined) throw new Error(`spamd did not score a message: ${JSON.stringify(answer.slice(0, 200))}`)
    return Number(score)
  }

  cpuMs(): number {
    return this.#spamd === undefined ? 0 : treeCpuMs(this.#spamd.pid)
  }

  async close(): Promise<void> {
    await this.#spamd?.kill9()
    this.#folder.remove()
  }

  async #start(): Promise<void> {
    const children = String(this.#children)
    this.#spamd = startChild(SPAMD, [
      ...['-L', '-x', '-s', 'stderr', '-i', this.#socket, '-r', join(this.#folder.path, 'pid')],
      ...['-m', children, `--min-children=${children}`, '--max-conn-per-child=100000'],
      ...(process.getuid?.() === 0 ? ['-u', 'nobody'] : []),
      ...this.#lines,
    ])
    await this.#spamd.line(/server started/, { msMax: START_MS_MAX })
    // Its children compile their share at the first message.
    await Promise.all(
      Array.from({ length: 2 * this.#children }, () => this.score(Buffer.from('Subject: x\r\n\r\nx\r\n'))),
    )
  }

  get #lines(): string[] {
    const bayes = [`bayes_path ${this.#bayesFolder}/bayes`, 'bayes_file_mode 0777', 'bayes_auto_learn 0']
    const lines = this.#bayes ? ['use_bayes 1', ...bayes] : ['use_bayes 0']
    return lines.map((line) => `--cf=${line}`)
  }

  get #socket(): string {
    return join(this.#folder.path, 'socket')
  }

  get #bayesFolder(): string {
    return join(this.#folder.path, 'bayes')
  }
}
