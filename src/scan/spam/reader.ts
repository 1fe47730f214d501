/**
 * The reading thread of the spam filter: it runs all rules on one message at a time, beside the path (threads.ts). One for
 * each worker; what it cannot look at in time is silence, with a reason, never "no spam".
 */
import type { Content } from '#mail/content.ts'
import type { SpamSign } from '#mail/spam.ts'
import type { Clock } from '#sys/clock.ts'
import { beginningOf, type ThreadLimits, Threads } from '#sys/threads.ts'
import type { SpamAbout } from './contract.ts'
import type { Trail } from './memory/facts.ts'
import { OCTETS_MAX } from './message.ts'

export interface ReaderQuestion {
  readonly about: SpamAbout
  /** Where the classifier's layers are. */
  readonly modelFolder: string | undefined
  /** Whose lessons count, beside the provider's. */
  readonly tenant: string | undefined
}

/** What a look gives. */
export interface SpamReading {
  readonly signs: readonly SpamSign[]
  /** For the memory. */
  readonly trail: Trail
  /** Domains and addresses that it links to: what DNS lists are asked about. */
  readonly linkDomains: readonly string[]
  /** Of From; empty if there is none. */
  readonly authorDomain: string
}

export type ReaderAnswer =
  | ({ readonly kind: 'read' } & SpamReading)
  | { readonly kind: 'silent'; readonly text: string }

export interface SpamReaderOptions extends ThreadLimits {
  /** How a thread is made; a test puts another one here. */
  readonly thread: URL
  /** Absent: the classifier knows what came with the program. */
  readonly modelFolder: string
}

/** A message of 4 KB takes about a millisecond: whoever waits behind 200 others waits no longer than the path does. */
export const READER_LIMITS: ThreadLimits = {
  threadsMax: 1,
  waitingMax: 200,
  waitingOctetsMax: 32 * 1024 * 1024,
  jobMsMax: 3_000,
  heapMib: 256,
}

const THREAD = new URL('./thread.ts', import.meta.url)

export class SpamReader {
  readonly #modelFolder: string | undefined
  readonly #threads: Threads<ReaderQuestion, SpamReading>

  constructor(clock: Pick<Clock, 'after'>, options: Partial<SpamReaderOptions> = {}) {
    const { thread = THREAD, modelFolder, ...limits } = options
    this.#modelFolder = modelFolder
    this.#threads = new Threads(clock, thread, { ...READER_LIMITS, ...limits })
  }

  /** Of the content as it came, without fields of ours. Its beginning is enough (`OCTETS_MAX`). Never rejects. */
  read(content: Content, about: SpamAbout, tenant?: string): Promise<ReaderAnswer> {
    const answer = Promise.withResolvers<ReaderAnswer>()
    this.#threads.ask({
      content: beginningOf(content, OCTETS_MAX),
      question: { about, modelFolder: this.#modelFolder, tenant },
      heard({ signs, trail, linkDomains, authorDomain }) {
        answer.resolve({ kind: 'read', signs, trail, linkDomains, authorDomain })
        return true
      },
      failed: (why, text) => answer.resolve({ kind: 'silent', text: `${why}: ${text}` }),
    })
    return answer.promise
  }

  close(): Promise<void> {
    return this.#threads.close()
  }
}
