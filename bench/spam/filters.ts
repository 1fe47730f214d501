/** The filters that are compared, behind one face: train with labelled mail, then give each message a score. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Classifier } from '#scan/spam/classifier/classifier.ts'
import { featuresOf } from '#scan/spam/classifier/features.ts'
import { GLOBAL_BITS, train } from '#scan/spam/classifier/training.ts'
import { combine } from '#scan/spam/combine.ts'
import { lookAt } from '#scan/spam/look.ts'
import { readMessage } from '#scan/spam/message.ts'
import type { Labelled } from './corpora.ts'
import type { Corpora } from './protocols.ts'
import { starterLayer } from './starter.ts'

export interface Filter {
  readonly name: string
  /** Above it the filter itself says spam. */
  readonly threshold: number
  /** That it and its children have used so far. */
  cpuMs(): number
  /** Forgets all. */
  reset(): void | Promise<void>
  /** `starter`: what it knew before the operator taught it `mail`. */
  train(mail: readonly Labelled[], starter?: Corpora): void | Promise<void>
  /** Higher is more likely spam; one for each message. */
  scores(mail: readonly Labelled[]): number[] | Promise<number[]>
  close(): void | Promise<void>
}

const seen = (octets: Buffer) => featuresOf(readMessage(octets), octets)

/** Lessons mixed by their ids, as the product mixes them. */
export class OurClassifier implements Filter {
  readonly name: string = 'vorposten, classifier alone'
  readonly threshold: number = 0
  protected model = new Classifier([])

  reset(): void {
    this.model = new Classifier([])
  }

  train(mail: readonly Labelled[], starter?: Corpora): void {
    const below = starter === undefined ? [] : [starterLayer(starter)]
    const lessons = [...mail]
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map(({ octets, isSpam }) => ({ features: seen(octets), isSpam, weight: 1 }))
    this.model = new Classifier([...below, train(lessons, GLOBAL_BITS, below)], below.length)
  }

  scores(mail: readonly Labelled[]): number[] {
    return mail.map(({ octets }) => this.model.score(seen(octets)))
  }

  cpuMs(): number {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }

  close(): void {}
}

/** All that looks at the message itself: the rules, and the classifier when it has learned. No network, no memory, no session. */
export class OurFilter extends OurClassifier {
  override readonly name = 'vorposten'
  /** `tag-at` if nobody says otherwise. */
  override readonly threshold = 4.999

  override scores(mail: readonly Labelled[]): number[] {
    return mail.map(({ octets }) => {
      const { signs } = lookAt(octets, {}, { kind: 'learned', classifier: this.model })
      return combine({ signs, silent: [], durationMs: 0 }).score
    })
  }
}

/** What a filter without a starter is given in its place: the mail that ours is made of. */
export const taught = (mail: readonly Labelled[], starter?: Corpora): readonly Labelled[] =>
  starter === undefined ? mail : [...starter.spamAssassin, ...starter.mailOf2025, ...mail]

/** Debian's bogofilter, in bulk mode: one process for all messages. */
export class Bogofilter implements Filter {
  readonly name = 'bogofilter'
  /** Its default `spam_cutoff`. */
  readonly threshold = 0.99
  readonly #folder = mkdtempSync(join(tmpdir(), 'bogofilter-'))

  static isThere(): boolean {
    return spawnSync('bogofilter', ['-V']).status === 0
  }

  reset(): void {
    rmSync(this.#words, { recursive: true, force: true })
    mkdirSync(this.#words)
  }

  train(operators: readonly Labelled[], starter?: Corpora): void {
    const mail = taught(operators, starter)
    for (const isSpam of [true, false]) {
      const files = this.#write(mail.filter((one) => one.isSpam === isSpam))
      execFileSync('bogofilter', ['-d', this.#words, isSpam ? '-s' : '-n', '-b'], { input: `${files.join('\n')}\n` })
    }
  }

  scores(mail: readonly Labelled[]): number[] {
    const files = this.#write(mail)
    const { stdout } = spawnSync('bogofilter', ['-d', this.#words, '-T', '-b'], {
      input: `${files.join('\n')}\n`,
      maxBuffer: 2 ** 28,
      encoding: 'utf8',
    })
    const scores = stdout
      .trim()
      .split('\n')
      .map((line) => Number(/ ([\d.e+-]+)$/.exec(line)?.[1]))
    if (scores.length !== mail.length || scores.some(Number.isNaN))
      throw new Error('bogofilter did not score each message')
    return scores
  }

  cpuMs(): number {
    return childrenCpuMs()
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #words(): string {
    return join(this.#folder, 'words')
  }

  #write(mail: readonly Labelled[]): string[] {
    return mail.map(({ id, octets }) => {
      const file = join(this.#folder, id)
      writeFileSync(file, octets.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')
      return file
    })
  }
}

/** Of children that have ended, from /proc/self/stat: `cutime` and `cstime`, in hundredths of a second. */
function childrenCpuMs(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[13]) + Number(fields[14])) * 10
}
