/** For tests: a clock that is set by hand, a spool in memory, and a queue whose attempts the test answers. */
import { setImmediate as turn } from 'node:timers/promises'
import { content } from '#mail/content.ts'
import type { PathEvent } from '#mail/event.ts'
import type { Attempt } from '#mail/outcome.ts'
import { isPrompt } from '#mail/priority.ts'
import type { Change, NewMessage, QueueEntry, RecipientState, StoredMessage } from '#mail/stored.ts'
import { newTraceId, transaction, WALL_MS } from '#mail/testing.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import type { Route } from '#tenant/directory.ts'
import { type Keep, Queue, type QueueParts } from './queue.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

export const route = (id = 'bakery/main', more: Partial<Route> = {}): Route => ({
  id,
  tenant: id.split('/')[0] ?? '',
  protocol: 'smtp',
  hosts: [{ name: 'mail.bakery.test', port: 25, preference: 0 }],
  tls: 'opportunistic',
  connectionsMax: 20,
  deliveriesPerConnectionMax: 100,
  retryFirstMs: 5 * MINUTE,
  retryMaxMs: HOUR,
  lifetimeMs: 5 * DAY,
  ...more,
})

const STALL_MS = 50

export class HandClock implements Clock {
  #nowMs = 1000
  /** Somebody set the wall clock. */
  jumpMs = 0
  /** After so many looks at the clock the machine does something else for `STALL_MS`. */
  looksUntilStall = Number.POSITIVE_INFINITY
  readonly #timers = new Set<{ atMs: number; call: () => void }>()

  wall(): number {
    return WALL_MS + this.#nowMs + this.jumpMs
  }
  monotonic(): number {
    const seenMs = this.#nowMs
    if (this.looksUntilStall-- === 0) this.#nowMs += STALL_MS
    return seenMs
  }
  after(ms: number, call: () => void): Cancel {
    const timer = { atMs: this.#nowMs + ms, call }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }
  get timers(): number {
    return this.#timers.size
  }

  /** Lets time go by, from timer to timer. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    await settle()
    for (;;) {
      const [next] = [...this.#timers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)
      if (next === undefined) break
      this.#timers.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.call()
      await settle()
    }
    this.#nowMs = endMs
  }
}

/** Everything that can happen without time passing has happened. */
export async function settle(_done?: unknown): Promise<void> {
  for (let i = 0; i < 3; i++) await turn()
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Says of a change what the spool would. */
export class MemoryKeep implements Keep {
  readonly messages = new Map<TraceId, Mutable<StoredMessage>>()
  readonly changes: Change[] = []
  /** Set: reading fails. */
  unreadable = false

  put(message: NewMessage, nextAttemptMs: number, text = 'Subject: hello\r\n\r\nhello\r\n'): QueueEntry {
    const recipients = message.envelope.recipients.map((): RecipientState => ({ kind: 'pending' }))
    const stored = { ...message, recipients, attempts: 0, nextAttemptMs, content: content([Buffer.from(text)]) }
    this.messages.set(message.id, stored)
    return this.get(message.id)!
  }

  get(id: TraceId): QueueEntry | undefined {
    const message = this.messages.get(id)
    if (message === undefined) return undefined
    const { tenant, route, attempts, nextAttemptMs, recipients } = message
    const prompt = isPrompt(message)
    const state = recipients.some(({ kind }) => kind === 'pending') ? 'active' : 'held'
    const { receivedMs } = message.reception
    const heldMs = recipients.flatMap((one) => (one.kind === 'held' ? [one.atMs] : []))
    const heldSinceMs = state === 'held' ? Math.max(...heldMs) : undefined
    return {
      id,
      recipients,
      tenant,
      route,
      receivedMs,
      octets: message.content.octets,
      prompt,
      attempts,
      nextAttemptMs,
      state,
      heldSinceMs,
    }
  }

  load(id: TraceId): StoredMessage | undefined {
    if (this.unreadable) throw new Error('the disk does not answer')
    const message = this.messages.get(id)
    return message && { ...message }
  }

  change(id: TraceId, change: Change): void {
    const message = this.messages.get(id)
    if (message === undefined) return
    this.changes.push(change)
    if ('nextAttemptMs' in change) message.nextAttemptMs = change.nextAttemptMs
    if (change.kind === 'attempted') {
      message.attempts++
      if (change.text !== undefined) message.lastText = change.text
      if (change.delayTold) message.delayTold = true
    } else if (change.kind === 'reroute') message.route = change.route
    else if (change.kind === 'redirect') redirect(message, change)
    message.recipients = message.recipients.map((state, i) => after(state, i, change))
    if (message.recipients.every(({ kind }) => kind !== 'pending' && kind !== 'held')) this.messages.delete(id)
  }
}

function redirect(message: Mutable<StoredMessage>, change: Extract<Change, { kind: 'redirect' }>): void {
  const [recipient] = change.recipients as [number]
  const { forwardPath, route, atMs } = change
  const recipients = [...message.envelope.recipients]
  const original = recipients[recipient]!.forwardPath
  recipients[recipient] = { ...recipients[recipient]!, forwardPath }
  message.envelope = { ...message.envelope, recipients }
  message.redirected = [...(message.redirected ?? []), { recipient, original, atMs }]
  message.route = route
}

function after(state: RecipientState, index: number, change: Change): RecipientState {
  if (change.kind === 'attempted') return change.recipients.get(index) ?? state
  if (change.kind === 'redirect') {
    const [first, ...others] = change.recipients
    if (index === first) return { kind: 'pending' }
    return others.includes(index) ? { kind: 'dropped', atMs: change.atMs, text: change.text } : state
  }
  if (change.kind === 'drop') return { ...change, kind: 'dropped' }
  if (change.kind === 'hold' && state.kind === 'pending') return { ...change, kind: 'held' }
  return change.kind === 'release' && state.kind === 'held' ? { kind: 'pending' } : state
}

/** An attempt that waits for the test to say how it ends. */
export interface Trying {
  readonly id: TraceId
  readonly route: string
  readonly recipients: readonly number[]
  end(attempt: Attempt): Promise<void>
  break(error: Error): Promise<void>
}

export function queueBench(routes: readonly Route[] = [route()], random = () => 0.5, more: Partial<QueueParts> = {}) {
  const clock = new HandClock()
  const keep = new MemoryKeep()
  const byId = new Map(routes.map((one) => [one.id, one]))
  const events: PathEvent[] = []
  const trying: Trying[] = []
  /** Set: attempts end at once, in this way. */
  const answer: { with: ((route: Route, message: StoredMessage) => Attempt | Promise<Attempt>) | undefined } = {
    with: undefined,
  }
  const attempt = (of: Route, message: StoredMessage, recipients: readonly number[]): Promise<Attempt> => {
    const ended = Promise.withResolvers<Attempt>()
    const { resolve, reject } = ended
    trying.push({
      id: message.id,
      route: of.id,
      recipients,
      end: (result) => settle(resolve(result)),
      break: (error) => settle(reject(error)),
    })
    return answer.with ? Promise.resolve(answer.with(of, message)) : ended.promise
  }
  const report = (event: PathEvent) => void events.push(event)
  const start = () => new Queue({ clock, random, keep, route: (id) => byId.get(id), attempt, report, ...more })
  const queue = start()
  const add = (to: readonly string[] = ['bob@bakery.test'], routeId = 'bakery/main', inMs = 0): TraceId => {
    const entry = keep.put(newMessage(to, routeId, queue.nowMs()), queue.nowMs() + inMs)
    queue.add(entry)
    return entry.id
  }
  return { clock, keep, byId, events, trying, answer, queue, start, add, report }
}

export function newMessage(to: readonly string[], routeId: string, receivedMs: number): NewMessage {
  const reception = { clientAddress: '192.0.2.1', greetingName: 'x.example', protocol: 'ESMTP', receivedMs }
  const { envelope } = transaction(to)
  return { id: newTraceId(), tenant: routeId.split('/')[0] ?? '', route: routeId, envelope, reception }
}
