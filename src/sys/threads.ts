/**
 * Threads beside the path of mail that take messages apart, one message each at a time. Hostile input must neither hold up
 * nor end the worker.
 *
 * | what happens | then |
 * |---|---|
 * | the thread answers | the job hears it |
 * | it threw: a defect | `crashed` |
 * | the thread died, for lack of memory for example | `crashed`; the next message has a new thread |
 * | it took longer than `jobMsMax` | `timed-out`; the thread is ended |
 * | all threads are busy, and so many messages or octets wait already | `busy` |
 * | the relay stops | `down` |
 *
 * Threads start with the first message. Octets are copied once and handed over.
 */
import { Worker } from 'node:worker_threads'
import { type Content, content, head } from '#mail/content.ts'
import type { Cancel, Clock } from './clock.ts'

export interface ThreadLimits {
  readonly threadsMax: number
  /** Waiting for a thread. */
  readonly waitingMax: number
  readonly waitingOctetsMax: number
  /** Only what is stuck comes so far. */
  readonly jobMsMax: number
  /** Of JavaScript objects in a thread; the octets of a message lie beside it. */
  readonly heapMib: number
}

export type ThreadFailure = 'crashed' | 'timed-out' | 'busy' | 'down'

/** What a thread is asked: this, and what the job says beside. */
export type ToThread<Question extends object> = Question & {
  readonly job: number
  readonly octets: Uint8Array<ArrayBuffer>
}

/** What it says: an answer of the job's, or that it failed. */
export type FromThread<Answer extends object> = { readonly job: number } & (Answer | { readonly failed: string })

export interface ThreadJob<Question extends object, Answer extends object> {
  readonly content: Content
  readonly question: Question
  /** True: nothing more will come. */
  readonly heard: (answer: Answer) => boolean
  /** Once, and nothing comes behind it. */
  readonly failed: (why: ThreadFailure, text: string) => void
}

interface Running<Question extends object, Answer extends object> {
  readonly number: number
  readonly job: ThreadJob<Question, Answer>
  readonly cancel: Cancel
}

export class Threads<Question extends object, Answer extends object> {
  readonly #clock: Pick<Clock, 'after'>
  readonly #limits: ThreadLimits
  readonly #script: URL
  readonly #line: ThreadJob<Question, Answer>[] = []
  readonly #idle: Worker[] = []
  readonly #running = new Map<Worker, Running<Question, Answer>>()
  #waitingOctets = 0
  #jobs = 0

  constructor(clock: Pick<Clock, 'after'>, script: URL, limits: ThreadLimits) {
    this.#clock = clock
    this.#script = script
    this.#limits = limits
  }

  ask(job: ThreadJob<Question, Answer>): void {
    const { waitingMax, waitingOctetsMax } = this.#limits
    const isFull = this.#line.length >= waitingMax || this.#waitingOctets + job.content.octets > waitingOctetsMax
    if (this.#line.length > 0 && isFull) {
      job.failed('busy', 'too many messages wait')
      return
    }
    this.#line.push(job)
    this.#waitingOctets += job.content.octets
    this.#next()
  }

  async close(): Promise<void> {
    for (const job of this.#line.splice(0)) job.failed('down', 'the relay stops')
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
      this.#running.set(thread, { number, job, cancel })
      const octets = copyOf(job.content)
      thread.postMessage({ ...job.question, job: number, octets } satisfies ToThread<Question>, [octets.buffer])
    }
  }

  #start(): Worker {
    const thread = new Worker(this.#script, { resourceLimits: { maxOldGenerationSizeMb: this.#limits.heapMib } })
    thread.unref()
    thread.on('message', (message: FromThread<Answer>) => this.#heard(thread, message))
    thread.on('error', (error: Error) => this.#gone(thread, 'crashed', error.message))
    thread.on('exit', () => this.#gone(thread, 'crashed', 'the thread ended'))
    return thread
  }

  #heard(thread: Worker, message: FromThread<Answer>): void {
    const running = this.#running.get(thread)
    if (running?.number !== message.job) return
    const { job, cancel } = running
    const hasFailed = 'failed' in message
    if (!hasFailed && !job.heard(message)) return
    cancel()
    this.#running.delete(thread)
    this.#idle.push(thread)
    if (hasFailed) job.failed('crashed', message.failed)
    this.#next()
  }

  #gone(thread: Worker, why: ThreadFailure, text: string): void {
    const idle = this.#idle.indexOf(thread)
    if (idle >= 0) this.#idle.splice(idle, 1)
    const running = this.#running.get(thread)
    if (running === undefined) return
    running.cancel()
    this.#running.delete(thread)
    running.job.failed(why, text)
    this.#next()
  }
}

/** Its first octets only: nothing is copied. */
export function beginningOf(body: Content, octetsMax: number): Content {
  return body.octets <= octetsMax ? body : content([head(body, octetsMax)])
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
