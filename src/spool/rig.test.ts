/**
 * What the spool's tests share: a clock that goes only when told, small messages, and a ledger that knows what was
 * promised and what was refused. No tests here.
 */
import assert from 'node:assert/strict'
import { parseForwardPath, parseReversePath } from '#mail/address.ts'
import { content } from '#mail/content.ts'
import type { Envelope } from '#mail/envelope.ts'
import type { Change, NewMessage, RecipientState, StoredMessage } from '#mail/stored.ts'
import { type TraceId, traceIds } from '#mail/trace-id.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import type { Disk } from '#sys/disk.ts'
import type { TwinDisk } from '../../sim/disk.ts'
import { type Spool, type SpoolAlarm, SpoolError, type SpoolOptions } from './contract.ts'
import { openSpool } from './spool.ts'

export const FOLDER = '/spool'

export class TestClock implements Clock {
  #nowMs = 0
  #timers: { dueMs: number; call: () => void }[] = []
  /** The process is dead: whoever waits, waits for ever. */
  stopped = false

  wall(): number {
    return 1_800_000_000_000 + this.#nowMs
  }

  monotonic(): number {
    return this.#nowMs
  }

  after(ms: number, call: () => void): Cancel {
    const timer = { dueMs: this.#nowMs + ms, call }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Goes to the next timer. */
  next(): void {
    const timer = this.#timers.sort((a, b) => a.dueMs - b.dueMs)[0]
    if (timer === undefined) return
    this.#timers = this.#timers.filter((other) => other !== timer)
    this.#nowMs = timer.dueMs
    timer.call()
  }

  /** Lets everything happen that happens within `ms`. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    await turns()
    while (this.#timers.some((timer) => timer.dueMs <= endMs)) {
      this.next()
      await turns()
    }
    this.#nowMs = endMs
  }

  /** Goes on from timer to timer until the promise is settled; fails when that takes too many. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let done = false
    const end = () => {
      done = true
    }
    promise.then(end, end)
    for (let steps = 0; !done; steps++) {
      assert.ok(steps < 2000, 'nothing happens any more')
      await turns()
      if (this.stopped) return new Promise<never>(() => undefined)
      if (!done && steps % 4 === 3) this.next()
    }
    return promise
  }
}

/** Enough for the microtasks and immediates of one batch. */
async function turns(): Promise<void> {
  for (let i = 0; i < 6; i++) await new Promise((resolve) => setImmediate(resolve))
}

let count = 0
let nextId = countedIds()

function countedIds(): () => TraceId {
  return traceIds(
    0,
    () => 1_800_000_000_000,
    () => 0,
  )
}

let keys = 0
function countedKey(): Buffer {
  const key = Buffer.alloc(8, 0xa5)
  key.writeUInt32LE(++keys)
  return key
}

function forwardPath(text: string) {
  const path = parseForwardPath(text)
  assert.ok(path.ok)
  return path.value
}

export function newMessage(recipients = 1): NewMessage {
  const number = ++count
  const reversePath = parseReversePath(number % 5 === 0 ? '<>' : `<"a ${number}\u00fc"@sender.example>`)
  assert.ok(reversePath.ok)
  const envelope: Envelope = {
    reversePath: reversePath.value,
    recipients: Array.from({ length: recipients }, (_, i) => ({
      forwardPath: forwardPath(`<r${i}@customer.example>`),
    })),
    body: '8bitmime',
    smtputf8: true,
  }
  const reception = { clientAddress: '192.0.2.1', greetingName: 'x', protocol: 'ESMTP', receivedMs: number }
  return { id: nextId(), tenant: 'customer', route: 'customer/main', envelope, reception }
}

/** Content that says which message it is, and holds every octet. */
export function bodyOf(message: NewMessage, octets = 300): Buffer {
  const body = Buffer.alloc(octets, Buffer.from(Array.from({ length: 256 }, (_, i) => i)))
  body.write(message.id)
  return body
}

export const drop: Change = { kind: 'drop', atMs: 1, text: 'by test' }
export const delivered: RecipientState = { kind: 'delivered', atMs: 1, relay: 'mx[192.0.2.9]:25', text: '250 ok' }

export interface Opened {
  readonly spool: Spool
  readonly clock: TestClock
  readonly alarms: SpoolAlarm[]
}

/** A fresh lock owner each time: in a crash, the old process is dead. */
export async function open(disk: Disk, options: Partial<SpoolOptions> = {}): Promise<Opened> {
  const clock = new TestClock()
  const alarms: SpoolAlarm[] = []
  const spool = await openSpool({
    folder: FOLDER,
    disk,
    clock,
    segmentOctets: 4096,
    freeOctetsMin: 0,
    alarm: (event) => alarms.push(event),
    newKey: countedKey,
    lockOwner: { text: 'test', isAlive: () => false },
    ...options,
  })
  return { spool, clock, alarms }
}

/** All live messages, read through the disk or the cache. */
export async function readAll(spool: Spool): Promise<Map<TraceId, StoredMessage>> {
  const all = new Map<TraceId, StoredMessage>()
  for (const { id } of [...spool.entries()]) {
    const result = await spool.read(id)
    if (result.kind === 'stored') all.set(id, result.message)
  }
  return all
}

/** What was promised and what was refused. Changes are drops only: a message is there or settled. */
export class Promises {
  /** Acknowledged and not settled. */
  readonly live = new Map<TraceId, NewMessage>()
  /** Settled, and that is known to be on disk. */
  readonly settled = new Set<TraceId>()
  /** Answered with a 4yz. */
  readonly refused = new Set<TraceId>()
  /** Never answered: the process died, or the spool said that it must not be. */
  readonly uncertain = new Set<TraceId>()
  /** Settled shortly before a crash. */
  readonly vague = new Set<TraceId>()
  readonly kinds = new Map<string, number>()
  #settledSoon = new Set<TraceId>()
  /** One more with each crash. */
  #epoch = 0

  /** One world at a time in a test process: messages are counted from here. */
  constructor() {
    count = 0
    nextId = countedIds()
  }

  async append(spool: Spool, octets?: number): Promise<TraceId | undefined> {
    const message = newMessage()
    const before = this.#settledSoon
    const epoch = this.#epoch
    this.uncertain.add(message.id)
    try {
      await spool.append(message, content([bodyOf(message, octets)]), 0)
    } catch (error) {
      assert.ok(error instanceof SpoolError, String(error))
      this.kinds.set(error.kind, (this.kinds.get(error.kind) ?? 0) + 1)
      if (error.kind === 'uncertain') return undefined
      this.refused.add(message.id)
      this.uncertain.delete(message.id)
      return undefined
    }
    // Too late: nobody heard it.
    if (epoch !== this.#epoch) return undefined
    this.live.set(message.id, message)
    this.uncertain.delete(message.id)
    for (const id of before) this.settled.add(id)
    this.#settledSoon = new Set([...this.#settledSoon].filter((id) => !before.has(id)))
    return message.id
  }

  settle(spool: Spool, id: TraceId): void {
    spool.change(id, drop)
    this.live.delete(id)
    this.#settledSoon = new Set([...this.#settledSoon, id])
  }

  /** After a clean close. */
  allSynced(): void {
    for (const id of this.#settledSoon) this.settled.add(id)
    this.#settledSoon.clear()
  }

  /** After a crash: what was not known to be on disk may be settled or live. */
  crashed(): void {
    this.#epoch++
    for (const id of this.#settledSoon) this.vague.add(id)
    this.#settledSoon.clear()
  }

  /** Everything promised is there, whole; nothing refused or settled is. */
  async check(spool: Spool): Promise<void> {
    const found = await readAll(spool)
    for (const [id, message] of this.live) {
      const stored = found.get(id)
      assert.ok(stored, `${id} was acknowledged and is lost`)
      assert.deepEqual(stored.envelope, message.envelope)
      assert.ok(bodyOf(message, stored.content.octets).equals(Buffer.concat(stored.content.chunks)))
    }
    for (const id of this.refused) assert.ok(!found.has(id), `${id} was refused and came back`)
    for (const id of this.settled) assert.ok(!found.has(id), `${id} was settled and came back`)
    const known = [this.live, this.vague, this.uncertain]
    for (const id of found.keys())
      assert.ok(
        known.some((ids) => ids.has(id)),
        `${id} came from nowhere`,
      )
  }
}

/** Opens, and waits for the replay. */
export async function start(disk: TwinDisk): Promise<Opened> {
  const opened = await open(disk.boot())
  await opened.clock.until(opened.spool.replayed)
  return opened
}

/** Three senders at a time; about half of the mail is settled soon, one message in nine lies long. */
export async function traffic({ spool, clock }: Opened, promises: Promises, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const octets = round % 3 === 0 ? 2500 : 40
    const three = [1, 2, 3].map(() => promises.append(spool, octets))
    const ids = await clock.until(Promise.all(three))
    for (const id of ids.slice(0, round % 2 ? 3 : 2)) if (id) promises.settle(spool, id)
    if (round % 3 === 2) {
      for (const id of [...promises.live.keys()].slice(2)) promises.settle(spool, id)
      await clock.pass(1500)
    }
  }
}
