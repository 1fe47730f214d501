/**
 * One conversation with clamd: `zINSTREAM`, the octets in chunks with a 32-bit length before each, a chunk of length 0, and
 * one answer that ends in NUL. A connection serves one content: clamd gives each a thread either way.
 *
 * Never rejects, and never says `clean` but for the exact words, after all octets were sent. A limit of clamd's own
 * (StreamMaxLength) shows as an error text or, often, as nothing but a reset while we still write: `reset`.
 */
import { connect, type Socket } from 'node:net'
import type { Clock } from '#sys/clock.ts'
import type { Failure } from './servers.ts'

export type ClamdAddress =
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }

export type ClamdAnswer = { readonly kind: 'clean' } | { readonly kind: 'found'; readonly name: string } | Failure

/** An answer is a name of some dozen octets; more is no answer of clamd's. */
export const ANSWER_OCTETS_MAX = 4_096
/** Of one chunk: a long content must not stand in the socket's memory twice. */
const CHUNK_OCTETS_MAX = 256 * 1024
/** What an answer that cannot be read shows of itself. */
const GARBLED_CHARACTERS_MAX = 100

export interface TalkLimits {
  readonly connectMsMax: number
  /** From the first octet to the answer. */
  readonly timeMsMax: number
}

export function clamdTalk(
  address: ClamdAddress,
  chunks: readonly Buffer[],
  limits: TalkLimits,
  clock: Pick<Clock, 'after'>,
): Promise<ClamdAnswer> {
  return new Promise((resolve) => new Talk(address, chunks, limits, clock, resolve))
}

class Talk {
  readonly #socket: Socket
  readonly #chunks: readonly Buffer[]
  readonly #resolve: (answer: ClamdAnswer) => void
  #cancel: () => void
  #connected = false
  #sentAll = false
  #ended = false
  #heard = ''

  constructor(
    address: ClamdAddress,
    chunks: readonly Buffer[],
    { connectMsMax, timeMsMax }: TalkLimits,
    clock: Pick<Clock, 'after'>,
    resolve: (answer: ClamdAnswer) => void,
  ) {
    this.#chunks = chunks
    this.#resolve = resolve
    const tooLate = (what: string, ms: number) => () =>
      this.#end({ kind: this.#connected ? 'timed-out' : 'down', text: `${what} took longer than ${ms} ms` })
    this.#cancel = clock.after(connectMsMax, tooLate('connecting', connectMsMax))
    this.#socket =
      address.kind === 'local' ? connect(address.path) : connect({ host: address.address, port: address.port })
    this.#socket.on('connect', () => {
      this.#connected = true
      this.#cancel()
      this.#cancel = clock.after(timeMsMax, tooLate('the answer', timeMsMax))
      void this.#send()
    })
    this.#socket.on('data', (octets: Buffer) => this.#hear(octets))
    this.#socket.on('error', (error) => this.#lost(error.message))
    this.#socket.on('close', () => this.#lost('closed without an answer'))
  }

  async #send(): Promise<void> {
    this.#socket.write('zINSTREAM\0')
    for (const chunk of this.#chunks) {
      for (let at = 0; at < chunk.length; at += CHUNK_OCTETS_MAX) {
        if (this.#ended) return
        const piece = chunk.subarray(at, at + CHUNK_OCTETS_MAX)
        this.#socket.cork()
        this.#socket.write(lengthOf(piece.length))
        const goOn = this.#socket.write(piece)
        this.#socket.uncork()
        if (!goOn) await this.#drained()
      }
    }
    if (this.#ended) return
    this.#sentAll = true
    this.#socket.write(lengthOf(0))
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const over = () => {
        this.#socket.off('drain', over)
        this.#socket.off('close', over)
        resolve()
      }
      this.#socket.on('drain', over)
      this.#socket.on('close', over)
    })
  }

  #hear(octets: Buffer): void {
    this.#heard += octets.toString('latin1')
    const end = this.#heard.indexOf('\0')
    if (end >= 0 && end < ANSWER_OCTETS_MAX) this.#end(this.#read(this.#heard.slice(0, end), end + 1))
    else if (this.#heard.length > ANSWER_OCTETS_MAX) this.#end(garbled(this.#heard))
  }

  #read(answer: string, behind: number): ClamdAnswer {
    if (behind !== this.#heard.length) return garbled(this.#heard)
    // "OK" before it has all of it is a word about something else.
    if (answer === 'stream: OK') return this.#sentAll ? { kind: 'clean' } : garbled(answer)
    const name = /^stream: ([\x21-\x7e]{1,200}) FOUND$/.exec(answer)?.[1]
    if (name !== undefined) return { kind: 'found', name }
    if (/^INSTREAM size limit exceeded\. ERROR$/.test(answer)) return { kind: 'too-large', text: answer }
    if (/(?:CL_ETIMEOUT|[Tt]ime limit reached).* ERROR$/.test(answer)) return { kind: 'timed-out', text: answer }
    return garbled(answer)
  }

  #lost(text: string): void {
    if (!this.#connected) this.#end({ kind: 'down', text })
    else if (this.#heard !== '') this.#end(garbled(this.#heard))
    else this.#end({ kind: 'reset', text, all: this.#sentAll })
  }

  #end(answer: ClamdAnswer): void {
    if (this.#ended) return
    this.#ended = true
    this.#cancel()
    this.#socket.destroy()
    this.#resolve(answer)
  }
}

function lengthOf(octets: number): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(octets)
  return length
}

const garbled = (heard: string): ClamdAnswer => ({
  kind: 'garbled',
  text: `not an answer of clamd: ${JSON.stringify(heard.slice(0, GARBLED_CHARACTERS_MAX))}`,
})
