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
const ERASE = '\r\x1b[K'
/** A wait without a terminal says that it is alive so often. */
const SIGN_OF_LIFE_MS = 5_000

export type Print = (text: string) => void

export class Timeline {
  readonly #print: Print
  readonly #coloured: boolean
  readonly #moving: boolean
  #startedMs: number | undefined
  #lastBlank = true
  #waiting = false

  constructor(print: Print, terminal: { readonly coloured: boolean; readonly moving: boolean }) {
    this.#print = print
    this.#coloured = terminal.coloured
    this.#moving = terminal.moving
  }

  tone(tone: Tone, text: string): string {
    return this.#coloured ? `\x1b[${ESCAPES[tone]}m${text}\x1b[0m` : text
  }

  line(text = ''): void {
    // A wait that moves stands on the line where this one belongs.
    this.#print(`${this.#waiting ? ERASE : ''}${text}\n`)
    this.#lastBlank = text === ''
  }

  /** A heading, and what is going to happen. */
  chapter(title: string, ...story: readonly string[]): void {
    if (!this.#lastBlank) this.line()
    this.line(this.tone('title', `── ${title} ${'─'.repeat(Math.max(4, WIDTH - title.length))}`))
    for (const sentence of story) this.line(sentence && `   ${sentence}`)
    this.line()
  }

  /** The clock of the steps starts again at 0. */
  message(what: string, from: string, to: string): void {
    this.line(`   ${this.tone('strong', `✉ ${what}`)}`)
    this.line(`     ${this.tone('quiet', `from ${from} to ${to}`)}`)
    this.startClock()
  }

  startClock(): void {
    this.#startedMs = performance.now()
  }

  /** From here on a step shows the time of day. */
  stopClock(): void {
    this.#startedMs = undefined
  }

  /** One step between the three parties; `actors` is written in their columns. */
  step(actors: string, text: string, tone: Tone = 'quiet'): void {
    const startedMs = this.#startedMs
    const time =
      startedMs === undefined
        ? new Date().toTimeString().slice(0, 8)
        : `${Math.round(performance.now() - startedMs)} ms`
    this.line(`   ${this.tone('quiet', time.padStart(9))}  ${actors.padEnd(31)} ${this.tone(tone, text)}`)
  }

  /** What it means, after its steps. */
  async end(tone: Tone, text: string): Promise<void> {
    this.line(`             ${this.tone(tone, `⇒ ${text}`)}`)
    this.line()
    if (this.#moving) await sleep(PACE_MS)
  }

  /** A sentence between the steps. Line ends around it are kept out of its colour. */
  note(text: string, tone: Tone = 'quiet'): void {
    if (text.startsWith('\n')) this.line()
    this.line(`   ${this.tone(tone, text.trim())}`)
    if (text.endsWith('\n')) this.line()
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
    this.#waiting = this.#moving
    try {
      while (!(await condition())) {
        const nowMs = performance.now()
        const waited = `… ${what} (${Math.floor((nowMs - startMs) / 1000)} s)`
        if (nowMs - startMs > msMax) throw new Error(`waited ${msMax / 1000} s for this, in vain: ${what}`)
        if (this.#moving) this.#print(`${ERASE}   ${this.tone('later', waited)}`)
        else if (nowMs - signMs > SIGN_OF_LIFE_MS) {
          signMs = nowMs
          this.line(`   ${waited}`)
        }
        await sleep(POLL_MS)
      }
    } finally {
      if (this.#moving) this.#print(ERASE)
      this.#waiting = false
    }
  }
}

/** For this process's own output. */
export function terminalTimeline(): Timeline {
  const { stdout, env } = process
  const dumb = env['TERM'] === 'dumb'
  const moving = stdout.isTTY === true && !dumb
  const coloured = moving && !env['NO_COLOR']
  return new Timeline((text) => void stdout.write(text), { coloured, moving })
}
