/** One end of an SMTP dialogue, for the peers of the simulated world: reads lines, replies and contents in their time. */
import type { WireEvents } from '#sys/wire.ts'
import type { SimWire } from './network.ts'
import type { Timeline } from './timeline.ts'

export interface Heard {
  readonly code: number
  readonly text: string
}

const CONTENT_END = '\r\n.\r\n'

export class Talk implements WireEvents {
  readonly wire: SimWire
  readonly #timeline: Timeline
  #text = ''
  #over = false
  #look: (() => void) | undefined

  constructor(wire: SimWire, timeline: Timeline) {
    this.wire = wire
    this.#timeline = timeline
    wire.listen(this)
  }

  get over(): boolean {
    return this.#over
  }

  say(text: string, taken?: () => void): void {
    this.wire.write(text, taken)
  }

  /** Without its CRLF. Undefined: none came in time, or the connection is over. */
  line(msMax: number): Promise<string | undefined> {
    return this.#wait(msMax, () => this.#cut('\r\n'))
  }

  async reply(msMax: number): Promise<Heard | undefined> {
    for (;;) {
      const line = await this.line(msMax)
      if (line === undefined) return undefined
      if (line[3] !== '-') return { code: Number(line.slice(0, 3)), text: line.slice(4) }
    }
  }

  /** Content up to its final dot, unstuffed (RFC 5321 §4.5.2). */
  async content(msMax: number): Promise<string | undefined> {
    const stuffed = await this.#wait(msMax, () =>
      this.#text.startsWith('.\r\n') ? this.#cut('.\r\n') : this.#cut(CONTENT_END),
    )
    return stuffed === undefined ? undefined : `${stuffed}\r\n`.replace(/^\.\./gm, '.')
  }

  /** So many octets, as BDAT has them (RFC 3030 §2). */
  octets(count: number, msMax: number): Promise<string | undefined> {
    return this.#wait(msMax, () => {
      if (this.#text.length < count) return undefined
      const found = this.#text.slice(0, count)
      this.#text = this.#text.slice(count)
      return found
    })
  }

  pass(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#timeline.after(ms, resolve))
  }

  data(bytes: Buffer): void {
    this.#text += bytes.toString('latin1')
    this.#look?.()
  }

  drained(): void {}

  ended(): void {
    this.wire.end()
  }

  closed(): void {
    this.#over = true
    this.#look?.()
  }

  #cut(end: string): string | undefined {
    const at = this.#text.indexOf(end)
    if (at < 0) return undefined
    const found = this.#text.slice(0, at)
    this.#text = this.#text.slice(at + end.length)
    return found
  }

  #wait(msMax: number, find: () => string | undefined): Promise<string | undefined> {
    return new Promise((resolve) => {
      const end = (found: string | undefined) => {
        this.#look = undefined
        cancel()
        resolve(found)
      }
      const look = () => {
        const found = find()
        if (found !== undefined || this.#over) end(found)
      }
      const cancel = this.#timeline.after(msMax, () => end(undefined))
      this.#look = look
      look()
    })
  }
}
