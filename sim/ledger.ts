/**
 * The account of the simulated world: what senders wrote and heard, what customers took. It knows nothing of the relay's
 * code; `judge.ts` holds the two sides against each other.
 */
import type { Timeline } from './timeline.ts'

/** One message in a sender's outbox. */
export interface Letter {
  readonly id: string
  readonly from: string
  readonly domain: string
  /** Local parts. */
  readonly recipients: readonly string[]
  /** Without the header fields that name the try. */
  readonly body: string
  /** The customer's server refuses such content at the dot. */
  readonly refusable: boolean
}

/** One try of a sender; its id is in the content's header, so each copy that arrives names the try that it came by. */
export interface Try {
  readonly id: string
  readonly letter: Letter
  readonly content: string
  /** Local parts that our RCPT replies accepted. */
  readonly accepted: string[]
  dotSent: boolean
  /** The code of our reply to the dot. Undefined: the sender heard none. */
  heard: number | undefined
}

/** A customer's server took responsibility for one recipient. */
export interface Arrival {
  readonly tryId: string
  readonly recipient: string
  /** When the server had the whole content; its answer may come much later. */
  readonly givenMs: number
  /** When the relay got the 250. Undefined: never. */
  takenMs: number | undefined
}

export const TRY_FIELD = 'X-Try: '

export class Ledger {
  readonly tries = new Map<string, Try>()
  readonly arrivals = new Map<string, Arrival[]>()
  /** When the relay died, or was stopped while its disk was sick. */
  readonly deathsMs: number[] = []
  readonly violations: string[] = []
  readonly #timeline: Timeline
  readonly #log: (text: string) => void

  constructor(timeline: Timeline, log: (text: string) => void) {
    this.#timeline = timeline
    this.#log = log
  }

  violation(text: string): void {
    const line = `${(this.#timeline.nowMs / 1000).toFixed(3)}s ${text}`
    this.#log(`VIOLATION ${text}`)
    this.violations.push(line)
  }

  began(letter: Letter, number: number): Try {
    const id = `${letter.id}.${number}`
    const content = `${TRY_FIELD}${id}\r\n${letter.body}`
    const made: Try = { id, letter, content, accepted: [], dotSent: false, heard: undefined }
    this.tries.set(id, made)
    return made
  }

  died(): void {
    this.deathsMs.push(this.#timeline.nowMs)
  }

  /** A customer took this content for this recipient. */
  arrived(from: string, recipient: string, content: string, givenMs: number): Arrival {
    const tryId = this.tryOf(content) ?? 'none'
    const arrival: Arrival = { tryId, recipient, givenMs, takenMs: undefined }
    const origin = this.tries.get(tryId)
    if (origin === undefined)
      this.violation(`mail that nobody sent, from <${from}> to ${recipient}: ${content.slice(0, 200)}`)
    else if (!content.endsWith(origin.content)) this.violation(`${tryId}: the content was changed on its way`)
    else if (from !== origin.letter.from) this.violation(`${tryId}: the reverse-path became <${from}>`)
    const before = this.arrivals.get(tryId)
    if (before) before.push(arrival)
    else this.arrivals.set(tryId, [arrival])
    this.#log(`arrived ${tryId} for ${recipient}`)
    return arrival
  }

  /** The try that a content names in its own header, below the trace fields. */
  tryOf(content: string): string | undefined {
    const at = content.indexOf(`\r\n${TRY_FIELD}`)
    if (at < 0) return undefined
    const start = at + 2 + TRY_FIELD.length
    return content.slice(start, content.indexOf('\r\n', start))
  }
}
