/**
 * What the visitor sees: chapters, one line for each step of a message, commands with their output, waits. Colours only
 * on a terminal, and not where NO_COLOR says so (no-color.org); a wait moves only on a terminal.
 */
import { setTimeout as sleep } from 'node:timers/promises'

type Tone = 'good' | 'bad' | 'later' | 'quiet' | 'strong' | 'title'

const ESCAPES: { readonly [tone in Tone]: string } = {
  good: '32',
  bad: '31',
  later: '33',
  quiet: '2',
  strong: '1',
  title: '1;36',
}
const WIDTH = 92
/** So that an eye can follow; a machine that reads along needs none. */
const PACE_MS = 120
const POLL_MS = 50
/** A wait without a terminal says that it is alive so often. */
const SIGN_OF_LIFE_MS = 5_000

export type Print = (text: string) => void

export class Timeline {
  readonly #print: Print
  readonly #coloured: boolean
  readonly #moving: boolean
  #startedMs = performance.now()

  constructor(print: Print, terminal: { readonly coloured: boolean; readonly moving: boolean }) {
    this.#print = print
    this.#coloured = terminal.coloured
    this.#moving = terminal.moving
  }

  tone(tone: Tone, text: string): string {
    return this.#coloured ? `\x1b[${ESCAPES[tone]}m${text}\x1b[0m` : text
  }

  line(text = ''): void {
    this.#print(`${text}\n`)
  }

  /** A heading, and what is going to happen. */
  chapter(title: string, ...story: readonly string[]): void {
    this.line(`\n${this.tone('title', `── ${title} ${'─'.repeat(Math.max(4, WIDTH - title.length))}`)}`)
    for (const sentence of story) this.line(`   ${sentence}`)
    this.line()
  }

  /** The clock of the steps starts again at 0. */
  message(what: string, from: string, to: string): void {
    this.line(`   ${this.tone('strong', `✉ ${what}`)}`)
    this.line(`     ${this.tone('quiet', `from ${from} to ${to}`)}`)
    this.#startedMs = performance.now()
  }

  /** One step between the three parties; `actors` is written in their columns. */
  step(actors: string, text: string, tone: Tone = 'quiet'): void {
    const ms = `${Math.round(performance.now() - this.#startedMs)} ms`.padStart(9)
    this.line(`   ${this.tone('quiet', ms)}  ${actors.padEnd(31)} ${this.tone(tone, text)}`)
  }

  /** What it means, after its steps. */
  async end(tone: Tone, text: string): Promise<void> {
    this.line(`             ${this.tone(tone, `⇒ ${text}`)}\n`)
    if (this.#moving) await sleep(PACE_MS)
  }

  note(text: string, tone: Tone = 'quiet'): void {
    this.line(`   ${this.tone(tone, text)}`)
  }

  command(command: string, output: string): void {
    this.line(`   ${this.tone('strong', `$ ${command}`)}`)
    for (const line of output.trimEnd().split('\n')) this.line(`   ${this.tone('quiet', '│')} ${line}`)
    this.line()
  }

  /** Until `condition` holds; rejects after `msMax`, saying for what it waited. */
  async wait(what: string, msMax: number, condition: () => boolean | Promise<boolean>): Promise<void> {
    const startMs = performance.now()
    let signMs = startMs
    for (;;) {
      if (await condition()) break
      const nowMs = performance.now()
      if (nowMs - startMs > msMax) throw new Error(`waited ${msMax / 1000} s for this, in vain: ${what}`)
      if (this.#moving) this.#print(`\r   ${this.tone('later', `… ${what} (${seconds(nowMs - startMs)})`)}\x1b[K`)
      else if (nowMs - signMs > SIGN_OF_LIFE_MS) {
        signMs = nowMs
        this.line(`   … ${what} (${seconds(nowMs - startMs)})`)
      }
      await sleep(POLL_MS)
    }
    if (this.#moving) this.#print('\r\x1b[K')
  }
}

const seconds = (ms: number): string => `${Math.floor(ms / 1000)} s`

/** For this process's own output. */
export function terminalTimeline(): Timeline {
  const { stdout, env } = process
  const dumb = env['TERM'] === 'dumb'
  const moving = stdout.isTTY === true && !dumb
  const coloured = moving && !env['NO_COLOR']
  return new Timeline((text) => void stdout.write(text), { coloured, moving })
}
