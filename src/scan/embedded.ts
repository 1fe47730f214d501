/**
 * The embedded engine: threads beside the path of mail that take messages apart, one message each at a time. Hostile input
 * must neither hold up nor end the worker.
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
import type { NoLook, ScanFact } from '#mail/scan.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import type { Engine } from './contract.ts'
import { EMBEDDED } from './embedded-name.ts'

export interface ToThread {
  readonly job: number
  readonly octets: Uint8Array
}

export type FromThread =
  | { readonly job: number; readonly facts: readonly ScanFact[] }
  | { readonly job: number; readonly failed: string }

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

/** How a thread is made; a test puts another one here. */
export const THREAD = new URL('./thread.ts', import.meta.url)

interface Job {
  readonly content: Content
  readonly end: (facts: readonly ScanFact[]) => void
}

interface Running {
  readonly thread: Worker
  readonly number: number
  readonly job: Job
  readonly cancel: Cancel
}

export class Embedded implements Engine {
  readonly name = EMBEDDED
  readonly #clock: Pick<Clock, 'after'>
  readonly #limits: EmbeddedLimits
  readonly #thread: URL
  readonly #line: Job[] = []
  readonly #idle: Worker[] = []
  readonly #running = new Map<Worker, Running>()
  #waitingOctets = 0
  #jobs = 0

  constructor(clock: Pick<Clock, 'after'>, limits: Partial<EmbeddedLimits> = {}, thread = THREAD) {
    this.#clock = clock
    this.#limits = { ...EMBEDDED_LIMITS, ...limits }
    this.#thread = thread
  }

  /** It makes its own readings; `extra` are for engines that make none. */
  look(content: Content): Promise<readonly ScanFact[]> {
    const { waitingMax, waitingOctetsMax } = this.#limits
    const isFull = this.#line.length >= waitingMax || this.#waitingOctets + content.octets > waitingOctetsMax
    if (this.#line.length > 0 && isFull) return Promise.resolve([notLooked('busy', 'too many messages wait')])
    return new Promise((resolve) => {
      this.#line.push({ content, end: resolve })
      this.#waitingOctets += content.octets
      this.#next()
    })
  }

  async close(): Promise<void> {
    for (const { end } of this.#line.splice(0)) end([notLooked('down', 'the relay stops')])
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
      const octets = new Uint8Array(job.content.octets)
      let at = 0
      for (const chunk of job.content.chunks) {
        octets.set(chunk, at)
        at += chunk.length
      }
      const message: ToThread = { job: number, octets }
      thread.postMessage(message, [octets.buffer])
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
    running.cancel()
    this.#running.delete(thread)
    this.#idle.push(thread)
    running.job.end('facts' in message ? message.facts : [notLooked('crashed', message.failed)])
    this.#next()
  }

  #gone(thread: Worker, why: NoLook, text: string): void {
    const idle = this.#idle.indexOf(thread)
    if (idle >= 0) this.#idle.splice(idle, 1)
    const running = this.#running.get(thread)
    if (running === undefined) return
    running.cancel()
    this.#running.delete(thread)
    running.job.end([notLooked(why, text)])
    this.#next()
  }
}

const notLooked = (why: NoLook, text: string): ScanFact => ({ kind: 'not-looked', engine: EMBEDDED, why, text })
