/**
 * The network: pairs of wires with delays. What is sent arrives later and in order; a window limits what is under way,
 * so that a peer that does not read stops the other. Connections break in the ways they do in the field: a reset that
 * both hear of, or silence, which only timers notice. Limits: no TLS, no half-open close that lasts.
 */
import type { Endpoint, TlsFacts } from '#mail/session.ts'
import type { Wire, WireEvents } from '#sys/wire.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'

/** Octets under way in one direction before the writer is told to wait. */
const WINDOW_OCTETS = 128 * 1024
/** Who says `end` is rid of the wire after this, whatever the peer does. */
const LINGER_MS = 30_000

type Item =
  | { readonly kind: 'data'; readonly bytes: Buffer; readonly taken: (() => void) | undefined }
  | { readonly kind: 'fin' }
  | { readonly kind: 'reset' }

export interface LinkParts {
  readonly timeline: Timeline
  readonly random: Random
  readonly delayMsMax: number
}

export class SimWire implements Wire {
  readonly remote: Endpoint
  readonly local: Endpoint
  unsentOctets = 0
  /** Nothing arrives any more, and nobody is told. */
  silent = false
  readonly #link: LinkParts
  #peer: SimWire | undefined
  #events: WireEvents | undefined
  #inbox: Item[] = []
  #paused = false
  #taking = false
  #wantsDrain = false
  #lastArrivalMs = 0
  #state: 'open' | 'ended' | 'closed' = 'open'
  #dead = false

  constructor(link: LinkParts, local: Endpoint, remote: Endpoint) {
    this.#link = link
    this.local = local
    this.remote = remote
  }

  /** Both ends of a connection that is just established; the first is at `from`. */
  static pair(link: LinkParts, from: Endpoint, to: Endpoint): [SimWire, SimWire] {
    const near = new SimWire(link, from, to)
    const far = new SimWire(link, to, from)
    near.#peer = far
    far.#peer = near
    return [near, far]
  }

  get open(): boolean {
    return this.#state === 'open'
  }

  get over(): boolean {
    return this.#state === 'closed'
  }

  listen(events: WireEvents): void {
    this.#events = events
    this.#soon(() => this.#take())
  }

  /** `taken`: called when the peer has read it. */
  write(bytes: Buffer | string, taken?: () => void): boolean {
    if (this.#state !== 'open') return true
    const sent = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes)
    this.unsentOctets += sent.length
    this.#send({ kind: 'data', bytes: sent, taken })
    if (this.unsentOctets <= WINDOW_OCTETS) return true
    this.#wantsDrain = true
    return false
  }

  writeAll(parts: readonly (Buffer | string)[]): boolean {
    return this.write(
      Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part))),
    )
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#soon(() => this.#take())
  }

  secure(): Promise<TlsFacts> {
    return Promise.reject(new Error('the simulated network has no TLS'))
  }

  end(): void {
    if (this.#state !== 'open') return
    this.#state = 'ended'
    this.#send({ kind: 'fin' })
    this.#link.timeline.after(LINGER_MS, () => this.#close())
  }

  destroy(): void {
    if (this.#state === 'closed') return
    this.#send({ kind: 'reset' })
    this.#close()
  }

  /** The process at this end is gone: it hears nothing, and the peer gets a reset. */
  die(): void {
    this.#dead = true
    this.destroy()
  }

  /** The path between breaks. */
  cut(how: 'reset' | 'silence'): void {
    const peer = this.#peer!
    if (how === 'silence') {
      this.silent = true
      peer.silent = true
      return
    }
    this.#link.timeline.after(this.#delay(), () => this.#close(resetError()))
    this.#link.timeline.after(this.#delay(), () => peer.#close(resetError()))
  }

  #delay(): number {
    return this.#link.random.between(0.2, this.#link.delayMsMax)
  }

  #send(item: Item): void {
    const { timeline } = this.#link
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, timeline.nowMs + this.#delay())
    timeline.after(this.#lastArrivalMs - timeline.nowMs, () => this.#peer!.#arrive(item))
  }

  #arrive(item: Item): void {
    if (this.silent) return
    if (this.#state === 'closed') {
      // What comes for a connection that does not exist is answered with a reset.
      if (item.kind === 'data') this.#send({ kind: 'reset' })
      return
    }
    this.#inbox.push(item)
    this.#take()
  }

  #take(): void {
    if (this.#taking || this.#events === undefined) return
    this.#taking = true
    while (this.#inbox.length > 0 && !this.#paused && this.#state !== 'closed') {
      const item = this.#inbox.shift()!
      if (item.kind === 'data') this.#deliver(item.bytes, item.taken)
      else if (item.kind === 'reset') this.#close(resetError())
      else this.#finished()
    }
    this.#taking = false
  }

  #deliver(bytes: Buffer, taken: (() => void) | undefined): void {
    const writer = this.#peer!
    writer.unsentOctets -= bytes.length
    if (writer.unsentOctets === 0 && writer.#wantsDrain) {
      writer.#wantsDrain = false
      writer.#soon(() => {
        if (writer.#state === 'open') writer.#events?.drained()
      })
    }
    if (this.#state === 'open') taken?.()
    this.#events!.data(bytes)
  }

  #finished(): void {
    const writer = this.#peer!
    this.#link.timeline.after(this.#delay(), () => writer.#close())
    this.#events!.ended()
  }

  #close(error?: Error): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#inbox = []
    this.#soon(() => this.#events?.closed(error))
  }

  #soon(call: () => void): void {
    this.#link.timeline.after(0, () => {
      if (!this.#dead) call()
    })
  }
}

const resetError = (): Error => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
