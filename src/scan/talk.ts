/**
 * One conversation with a scanner beside us over a connection of its own: octets in groups there, an answer back. It never
 * rejects, and knows no protocol; who speaks one says when the answer is whole, and what a closed connection means.
 *
 * Units: ms of the clock.
 */
import { connect, type Socket } from 'node:net'
import type { Clock } from '#sys/clock.ts'
import type { Failure } from './servers.ts'

export type SocketAddress =
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }

export const addressText = (address: SocketAddress): string =>
  address.kind === 'local' ? address.path : `${address.address}:${address.port}`

export interface TalkLimits {
  readonly connectMsMax: number
  /** From the first octet to the answer. */
  readonly timeMsMax: number
}

export interface Conversation<Answer> {
  /** The buffers of a group go out together. An asynchronous one may wait for what the server says first. */
  readonly send: Iterable<readonly Buffer[]> | AsyncIterable<readonly Buffer[]>
  /** Octets came; an answer ends the conversation. `sentAll`: it had all of ours by then. */
  hear(octets: Buffer, sentAll: boolean): Answer | undefined
  /** It closed, after some octets. Nothing: it went away without a word. */
  closed(sentAll: boolean): Answer | undefined
}

/** Of one chunk: a long content must not stand in the socket's memory twice. */
export const CHUNK_OCTETS_MAX = 256 * 1024

/** The octets in pieces of `CHUNK_OCTETS_MAX` at most. */
export function* pieces(chunks: Iterable<Buffer>): Generator<Buffer> {
  for (const chunk of chunks)
    for (let at = 0; at < chunk.length; at += CHUNK_OCTETS_MAX) yield chunk.subarray(at, at + CHUNK_OCTETS_MAX)
}

export function talk<Answer>(
  address: SocketAddress,
  conversation: Conversation<Answer>,
  limits: TalkLimits,
  clock: Pick<Clock, 'after'>,
): Promise<Answer | Failure> {
  return new Promise((resolve) => new Talk(address, conversation, limits, clock, resolve))
}

class Talk<Answer> {
  readonly #socket: Socket
  readonly #conversation: Conversation<Answer>
  readonly #resolve: (answer: Answer | Failure) => void
  #cancel: () => void
  #connected = false
  #sentAll = false
  #ended = false

  constructor(
    address: SocketAddress,
    conversation: Conversation<Answer>,
    { connectMsMax, timeMsMax }: TalkLimits,
    clock: Pick<Clock, 'after'>,
    resolve: (answer: Answer | Failure) => void,
  ) {
    this.#conversation = conversation
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
    this.#socket.on('data', (octets: Buffer) => {
      if (this.#ended) return
      const answer = conversation.hear(octets, this.#sentAll)
      if (answer !== undefined) this.#end(answer)
    })
    this.#socket.on('error', (error) => this.#lost(error.message))
    this.#socket.on('close', () => this.#lost('closed without an answer'))
  }

  async #send(): Promise<void> {
    let goOn = true
    for await (const group of this.#conversation.send) {
      if (!goOn) await this.#drained()
      if (this.#ended) return
      this.#socket.cork()
      for (const octets of group) goOn = this.#socket.write(octets)
      this.#socket.uncork()
    }
    if (!this.#ended) this.#sentAll = true
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

  #lost(text: string): void {
    if (this.#ended) return
    if (!this.#connected) this.#end({ kind: 'down', text })
    else this.#end(this.#conversation.closed(this.#sentAll) ?? { kind: 'reset', text, all: this.#sentAll })
  }

  #end(answer: Answer | Failure): void {
    if (this.#ended) return
    this.#ended = true
    this.#cancel()
    this.#socket.destroy()
    this.#resolve(answer)
  }
}
