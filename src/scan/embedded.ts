/**
 * The threads of the virus wall: the embedded engine, the readings that engines beside us would not make, and the parts that
 * could be taken out. What goes wrong there (threads.ts) is a fact: `not-looked`, never a "clean".
 */
import type { Content } from '#mail/content.ts'
import { factText, type NoLook, type ScanFact } from '#mail/scan.ts'
import type { Parts } from '#mime/removal/parts.ts'
import type { Clock } from '#sys/clock.ts'
import { type ThreadLimits, Threads } from '#sys/threads.ts'
import type { NotSaid, Reader, Reading, ScanObject } from './contract.ts'
import { EMBEDDED, READINGS } from './embedded-name.ts'
import { type Packed, unpacked } from './extra.ts'

export interface EmbeddedQuestion {
  readonly examines: boolean
  readonly wantsExtra: boolean
  /** Nothing else is wanted then. */
  readonly wantsParts: boolean
}

/** `extra`, if it was wanted, comes before one of the others. */
export type EmbeddedAnswer =
  | { readonly extra: Packed }
  | { readonly facts: readonly ScanFact[] }
  | { readonly parts: Parts }

export interface EmbeddedOptions extends ThreadLimits {
  /** How a thread is made; a test puts another one here. */
  readonly thread: URL
  /** False: it reads for engines beside us, and looks for nothing itself. */
  readonly examines: boolean
}

export const EMBEDDED_LIMITS: ThreadLimits = {
  threadsMax: 1,
  waitingMax: 200,
  waitingOctetsMax: 128 * 1024 * 1024,
  /** More than the budget of a message allows (`UNPACK_LIMITS`). */
  jobMsMax: 30_000,
  heapMib: 256,
}

const THREAD = new URL('./thread.ts', import.meta.url)

export class Embedded implements Reader {
  readonly name: string
  readonly examines: boolean
  readonly #threads: Threads<EmbeddedQuestion, EmbeddedAnswer>

  constructor(clock: Pick<Clock, 'after'>, options: Partial<EmbeddedOptions> = {}) {
    const { thread = THREAD, examines = true, ...limits } = options
    this.name = examines ? EMBEDDED : READINGS
    this.examines = examines
    this.#threads = new Threads(clock, thread, { ...EMBEDDED_LIMITS, ...limits })
  }

  read(content: Content, wantsExtra: boolean): Reading {
    const extra = Promise.withResolvers<readonly ScanObject[] | undefined>()
    const facts = Promise.withResolvers<readonly ScanFact[]>()
    const end = (all: readonly ScanFact[]): void => {
      // What came before a failure was whole, and stays.
      extra.resolve(undefined)
      facts.resolve(all)
    }
    this.#threads.ask({
      content,
      question: { examines: this.examines, wantsExtra, wantsParts: false },
      heard(answer) {
        if ('extra' in answer) extra.resolve(unpacked(answer.extra))
        if (!('facts' in answer)) return false
        end(answer.facts)
        return true
      },
      failed: (why, text) => end([this.#notLooked(why, text)]),
    })
    return { extra: extra.promise, facts: facts.promise }
  }

  parts(content: Content): Promise<Parts | NotSaid> {
    const said = Promise.withResolvers<Parts | NotSaid>()
    this.#threads.ask({
      content,
      question: { examines: this.examines, wantsExtra: false, wantsParts: true },
      heard(answer) {
        if (!('parts' in answer)) return false
        said.resolve(answer.parts)
        return true
      },
      failed: (why, text) => said.resolve({ kind: 'not-said', text: factText(this.#notLooked(why, text)) }),
    })
    return said.promise
  }

  close(): Promise<void> {
    return this.#threads.close()
  }

  #notLooked(why: NoLook, text: string): ScanFact {
    return { kind: 'not-looked', engine: this.name, why, text }
  }
}
