/**
 * Threads beside the path of mail that take messages apart, one message each at a time: the embedded engine, the readings
 * that engines beside us would not make, and the parts that could be taken out. Hostile input must neither hold up nor end the worker.
 *
 * | what happens | fact |
 * |---|---|
 * | it looked at all of it | what it found, or none |
 * | it threw: a defect | `not-looked`, crashed |
 * | the thread died, for lack of memory for example | `not-looked`, crashed; the next message has a new thread |
 * | it took longer than `jobMsMax` | `not-looked`, timed-out; the thread is ended |
 * | all threads are busy, and so many messages or octets wait already | `not-looked`, busy |
 *
 * Threads start with the first message. Octets are copied once and handed over.
 */
import { Worker } from 'node:worker_threads'
import type { Content } from '#mail/content.ts'
import { factText, type NoLook, type ScanFact } from '#mail/scan.ts'
import type { Parts } from '#mime/removal/parts.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import type { NotSaid, Reader, Reading, ScanObject } from './contract.ts'
import { EMBEDDED, READINGS } from './embedded-name.ts'
import { type Packed, unpacked } from './extra.ts'

export interface ToThread {
  readonly job: number
  readonly octets: Uint8Array<ArrayBuffer>
  readonly examines: boolean
  readonly wantsExtra: boolean
  /** Nothing else is wanted then. */
  readonly wantsParts: boolean
}

/** `extra`, if it was wanted, comes before one of the others. */
export type FromThread =
  | { readonly job: number; readonly extra: Packed }
  | { readonly job: number; readonly facts: readonly ScanFact[] }
  | { readonly job: number; readonly parts: Parts }
  | { readonly job: number; readonly failed: string }

export interface EmbeddedOptions extends EmbeddedLimits {
  /** How a thread is made; a test puts another one here. */
  readonly thread: URL
  /** False: it reads for engines beside us, and looks for nothing itself. */
  readonly examines: boolean
}

export interface EmbeddedLimits {
  readonly threadsMax: number
  /** Waiting for a thread. */
  readonly waitingMax: number
  readonly waitingOctetsMax: number
  /** More than the budget of a message allows (`UNPACK_LIMITS`): only what is stuck comes so far. */
  readonly jobMsMax: number
  /** Of JavaScript objects in a thread; the octets of a message lie beside it, bounded by the budget. */
  readonly heapMib: number
}

export const EMBEDDED_LIMITS: EmbeddedLimits = {
  threadsMax: 1,
  waitingMax: 200,
  waitingOctetsMax: 128 * 1024 * 1024,
  jobMsMax: 30_000,
  heapMib: 256,
}

const THREAD = new URL('./thread.ts', import.meta.url)

interface Job {
  readonly content: Content
  readonly wantsExtra: boolean
  readonly extra: (objects: readonly ScanObject[] | undefined) => void
  /** Absent: it is scanned. */
  readonly parts?: (parts: Parts) => void
  readonly end: (facts: readonly ScanFact[]) => void
}

interface Running {
  readonly thread: Worker
  readonly number: number
  readonly job: Job
  readonly cancel: Cancel
}

export class Embedded implements Reader {
  readonly name: string
  readonly examines: boolean
  readonly #clock: Pick<Clock, 'after'>
  readonly #limits: EmbeddedLimits
  readonly #thread: URL
  readonly #line: Job[] = []
  readonly #idle: Worker[] = []
  readonly #running = new Map<Worker, Running>()
  #waitingOctets = 0
  #jobs = 0

  constructor(clock: Pick<Clock, 'after'>, options: Partial<EmbeddedOptions> = {}) {
    const { thread = THREAD, examines = true, ...limits } = options
    this.name = examines ? EMBEDDED : READINGS
    this.examines = examines
    this.#clock = clock
    this.#limits = { ...EMBEDDED_LIMITS, ...limits }
    this.#thread = thread
  }

  read(content: Content, wantsExtra: boolean): Reading {
    const extra = Promise.withResolvers<readonly ScanObject[] | undefined>()
    const facts = Promise.withResolvers<readonly ScanFact[]>()
    this.#enqueue({ content, wantsExtra, extra: extra.resolve, end: facts.resolve })
    return { extra: extra.promise, facts: facts.promise }
  }

  parts(content: Content): Promise<Parts | NotSaid> {
    const said = Promise.withResolvers<Parts | NotSaid>()
    const end = (facts: readonly ScanFact[]) => said.resolve({ kind: 'not-said', text: facts.map(factText).join() })
    this.#enqueue({ content, wantsExtra: false, extra: () => {}, parts: said.resolve, end })
    return said.promise
  }

  #enqueue(job: Job): void {
    const { waitingMax, waitingOctetsMax } = this.#limits
    const isFull = this.#line.length >= waitingMax || this.#waitingOctets + job.content.octets > waitingOctetsMax
    if (this.#line.length > 0 && isFull) {
      this.#fail(job, 'busy', 'too many messages wait')
      return
    }
    this.#line.push(job)
    this.#waitingOctets += job.content.octets
    this.#next()
  }

  async close(): Promise<void> {
    for (const job of this.#line.splice(0)) this.#fail(job, 'down', 'the relay stops')
    const threads = [...this.#idle.splice(0), ...this.#running.keys()]
    for (const thread of threads) this.#gone(thread, 'down', 'the relay stops')
    await Promise.all(threads.map((thread) => thread.terminate()))
  }

  #next(): void {
    while (this.#line.length > 0 && this.#running.size < this.#limits.threadsMax) {
      const job = this.#line.shift()!
      this.#waitingOctets -= job.content.octets
      const thread = this.#idle.pop() ?? this.#start()
      const number = this.#jobs++
      const { jobMsMax } = this.#limits
      const cancel = this.#clock.after(jobMsMax, () => {
        this.#gone(thread, 'timed-out', `it took longer than ${jobMsMax} ms`)
        void thread.terminate()
      })
      this.#running.set(thread, { thread, number, job, cancel })
      const octets = copyOf(job.content)
      const { wantsExtra, parts } = job
      const message = { job: number, octets, examines: this.examines, wantsExtra, wantsParts: parts !== undefined }
      thread.postMessage(message satisfies ToThread, [octets.buffer])
    }
  }

  #start(): Worker {
    const thread = new Worker(this.#thread, { resourceLimits: { maxOldGenerationSizeMb: this.#limits.heapMib } })
    thread.unref()
    thread.on('message', (message: FromThread) => this.#heard(thread, message))
    thread.on('error', (error: Error) => this.#gone(thread, 'crashed', error.message))
    thread.on('exit', () => this.#gone(thread, 'crashed', 'the thread ended'))
    return thread
  }

  #heard(thread: Worker, message: FromThread): void {
    const running = this.#running.get(thread)
    if (running?.number !== message.job) return
    if ('extra' in message) {
      running.job.extra(unpacked(message.extra))
      return
    }
    running.cancel()
    this.#running.delete(thread)
    this.#idle.push(thread)
    if ('failed' in message) this.#fail(running.job, 'crashed', message.failed)
    else if ('parts' in message) running.job.parts?.(message.parts)
    else {
      running.job.extra(undefined)
      running.job.end(message.facts)
    }
    this.#next()
  }

  #gone(thread: Worker, why: NoLook, text: string): void {
    const idle = this.#idle.indexOf(thread)
    if (idle >= 0) this.#idle.splice(idle, 1)
    const running = this.#running.get(thread)
    if (running === undefined) return
    running.cancel()
    this.#running.delete(thread)
    this.#fail(running.job, why, text)
    this.#next()
  }

  #fail({ extra, end }: Job, why: NoLook, text: string): void {
    // What came before the failure was whole, and stays.
    extra(undefined)
    end([this.#notLooked(why, text)])
  }

  #notLooked(why: NoLook, text: string): ScanFact {
    return { kind: 'not-looked', engine: this.name, why, text }
  }
}

function copyOf({ octets, chunks }: Content): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(octets)
  let at = 0
  for (const chunk of chunks) {
    copy.set(chunk, at)
    at += chunk.length
  }
  return copy
}
