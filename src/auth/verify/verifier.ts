/**
 * Verifies reverse-paths in a thread of its own, beside the path of mail: a library that reads hostile input must neither
 * hold up nor end the worker. The thread starts with the first message, and again after it has died.
 *
 * | what happens | answer |
 * |---|---|
 * | it could be found out | `spf-pass`, `aligned-dkim`, `none` |
 * | the thread crashed, took too long or too much memory: for all that it had in work | `unknown` |
 * | the line is full, or the content too large | `unknown`, at once |
 *
 * Never rejects. Contents in the line are in memory; octets and messages are limited.
 */
import { Worker } from 'node:worker_threads'
import type { Content } from '#mail/content.ts'
import type { Clock } from '#sys/clock.ts'
import type { Answer, Dns, RecordType } from '#sys/dns/answer.ts'
import type { Evidence, FromThread, ToThread, Verified } from './questions.ts'

export type Verification =
  | { readonly kind: Verified }
  | { readonly kind: 'unknown'; readonly why: 'full' | 'too-large' | 'failed' }

export interface VerifierLimits {
  /** Waiting and in work. */
  readonly messagesMax: number
  readonly octetsMax: number
  /** In work: most of their time they wait for DNS. */
  readonly atOnceMax: number
  /** After this DNS answers no more for a message, so that it ends. */
  readonly lookupsMs: number
  /** After this the thread is stuck, and ends. */
  readonly jobMs: number
  /** Of one message: SPF needs some hundred at the worst (RFC 7208 §4.6.4), each signature one. */
  readonly questionsMax: number
  readonly heapMib: number
}

export const LIMITS: VerifierLimits = {
  messagesMax: 500,
  octetsMax: 64 * 1024 * 1024,
  atOnceMax: 8,
  lookupsMs: 10_000,
  jobMs: 15_000,
  questionsMax: 200,
  heapMib: 128,
}

/** How the thread is made; a test puts another one here. */
export const THREAD = new URL('./thread.ts', import.meta.url)

export interface VerifierParts {
  readonly clock: Pick<Clock, 'after' | 'monotonic'>
  readonly dns: Dns
  readonly limits?: Partial<VerifierLimits>
  readonly thread?: URL
}

interface Job {
  readonly evidence: Evidence
  readonly content: Content
  readonly end: (verification: Verification) => void
}

interface Running {
  readonly job: Job
  readonly lookupsEndMs: number
  readonly cancel: () => void
  questions: number
}

const FAILED: Verification = { kind: 'unknown', why: 'failed' }
const LATE: Answer<RecordType> = { kind: 'unknown', text: 'the time or the questions of this message are used up' }

export class Verifier {
  readonly #parts: VerifierParts
  readonly #limits: VerifierLimits
  readonly #line: Job[] = []
  readonly #running = new Map<number, Running>()
  #thread: Worker | undefined
  #jobs = 0
  #messages = 0
  #octets = 0

  constructor(parts: VerifierParts) {
    this.#parts = parts
    this.#limits = { ...LIMITS, ...parts.limits }
  }

  verify(evidence: Evidence, content: Content): Promise<Verification> {
    const { messagesMax, octetsMax } = this.#limits
    if (content.octets > octetsMax) return Promise.resolve({ kind: 'unknown', why: 'too-large' })
    if (this.#messages >= messagesMax || this.#octets + content.octets > octetsMax) {
      return Promise.resolve({ kind: 'unknown', why: 'full' })
    }
    this.#messages++
    this.#octets += content.octets
    return new Promise((resolve) => {
      const end = (verification: Verification) => {
        this.#messages--
        this.#octets -= content.octets
        resolve(verification)
      }
      this.#line.push({ evidence, content, end })
      this.#next()
    })
  }

  /** What is in work or waits is unknown. */
  async close(): Promise<void> {
    for (const { end } of this.#line.splice(0)) end(FAILED)
    const thread = this.#thread
    this.#lost(thread)
    await thread?.terminate()
  }

  #next(): void {
    while (this.#running.size < this.#limits.atOnceMax) {
      const job = this.#line.shift()
      if (job === undefined) return
      const thread = (this.#thread ??= this.#start())
      const number = this.#jobs++
      this.#running.set(number, {
        job,
        lookupsEndMs: this.#parts.clock.monotonic() + this.#limits.lookupsMs,
        cancel: this.#parts.clock.after(this.#limits.jobMs, () => this.#stuck(thread)),
        questions: 0,
      })
      const octets = new Uint8Array(job.content.octets)
      let at = 0
      for (const chunk of job.content.chunks) {
        octets.set(chunk, at)
        at += chunk.length
      }
      const message: ToThread = { kind: 'verify', job: number, evidence: job.evidence, octets }
      thread.postMessage(message, [octets.buffer])
    }
  }

  #start(): Worker {
    const thread = new Worker(this.#parts.thread ?? THREAD, {
      resourceLimits: { maxOldGenerationSizeMb: this.#limits.heapMib },
    })
    thread.unref()
    thread.on('message', (message: FromThread) => this.#heard(thread, message))
    thread.on('error', () => this.#gone(thread))
    thread.on('exit', () => this.#gone(thread))
    return thread
  }

  #heard(thread: Worker, message: FromThread): void {
    if (thread !== this.#thread) return
    if (message.kind === 'lookup') return void this.#lookup(thread, message)
    const running = this.#running.get(message.job)
    if (running === undefined) return
    this.#running.delete(message.job)
    running.cancel()
    running.job.end(message.kind === 'verified' ? { kind: message.verified } : FAILED)
    this.#next()
  }

  async #lookup(thread: Worker, { job, question, name, type }: Extract<FromThread, { kind: 'lookup' }>) {
    const running = this.#running.get(job)
    let answer = LATE
    if (running !== undefined && running.questions++ < this.#limits.questionsMax) {
      const leftMs = running.lookupsEndMs - this.#parts.clock.monotonic()
      if (leftMs > 0) answer = await this.#within(leftMs, this.#parts.dns.lookup(name, type))
    }
    const message: ToThread = { kind: 'dns', question, answer }
    thread.postMessage(message)
  }

  #within(ms: number, answer: Promise<Answer<RecordType>>): Promise<Answer<RecordType>> {
    return new Promise((resolve, reject) => {
      const cancel = this.#parts.clock.after(ms, () => resolve(LATE))
      void answer.then(resolve, reject).finally(cancel)
    })
  }

  #stuck(thread: Worker): void {
    void thread.terminate()
    this.#gone(thread)
  }

  #gone(thread: Worker): void {
    if (thread !== this.#thread) return
    this.#lost(thread)
    this.#next()
  }

  #lost(thread: Worker | undefined): void {
    if (thread === this.#thread) this.#thread = undefined
    const lost = [...this.#running.values()]
    this.#running.clear()
    for (const { job, cancel } of lost) {
      cancel()
      job.end(FAILED)
    }
  }
}
