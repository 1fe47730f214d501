/**
 * What the rooms of the virus wall share: objects to look at, the budget that all objects of one message share, and the
 * three kinds of workmen. A reader of mail (mime/readings) makes the first objects, an opener makes more of one, an
 * examiner says facts about one, an engine looks at the whole from outside.
 *
 * Openers and examiners run in a scanning thread, one message at a time: they may compute, they may not wait for anything
 * but themselves. What they throw is a defect: the thread's answer is then `not-looked`, never "clean".
 */
import type { Content } from '#mail/content.ts'
import type { ScanFact, ScanLimit } from '#mail/scan.ts'
import type { Parts } from '#mime/removal/parts.ts'

export interface ScanObject {
  /** For a person, outermost first: `part 2 › invoice.zip › invoice.js`. */
  readonly where: string
  /** Every name that some reader gives it; none for an inline body. */
  readonly names: readonly string[]
  /** Media type as declared, lower case. */
  readonly declaredType?: string
  readonly octets: Buffer
  /** Containers around it; the message itself is 0. */
  readonly depth: number
}

/** Of one message, over all its objects. */
export interface ScanBudget {
  /** What the next object may hold: an opener stops there, and says `over-limit`. Never below 0. */
  readonly octetsLeft: number
  /** Takes this many octets of output from what is left, made of `inputOctets`; the limit that this breaks, if one. */
  take(outputOctets: number, inputOctets: number): ScanLimit | undefined
  /** One more object, this deep. */
  object(depth: number): ScanLimit | undefined
  /** The time is over; a long loop asks every few thousand rounds. */
  isOver(): boolean
}

/** What an opener says about a container, in the order it finds it. */
export type Opened = { readonly object: ScanObject } | { readonly fact: ScanFact }

export interface Opener {
  /** For example `zip`; stands in facts. */
  readonly container: string
  /** By content, not by name: the first octets, or for some (zip, iso, tar) a mark further in. */
  recognises(octets: Buffer): boolean
  open(object: ScanObject, budget: ScanBudget): Iterable<Opened> | AsyncIterable<Opened>
}

export interface Examiner {
  readonly name: string
  examine(object: ScanObject, budget: ScanBudget): Iterable<ScanFact>
}

/** A scanner beside us, reached over a socket. It never rejects: what went wrong is a fact. */
export interface Engine {
  readonly name: string
  /**
   * `content` is the message as it will be delivered; `extra` are readings of its parts that a straightforward reader of
   * mail would not make, known a little later. Answers with what it found, or `not-looked`; nothing means: looked at all,
   * found nothing.
   */
  look(content: Content, extra: Promise<readonly ScanObject[]>): Promise<readonly ScanFact[]>
  /**
   * Which signatures it has: something that changes when they do; empty where it has no word for that. Undefined: not known
   * now. Nobody waits for it.
   */
  signatures?(): string | undefined
  /** Ends what it runs. */
  close?(): Promise<void>
}

/** One content in the hands of the reading threads. Neither promise rejects. */
export interface Reading {
  /** For the engines; undefined: they could not be made, and an engine that has seen the content has not seen all of it. */
  readonly extra: Promise<readonly ScanObject[] | undefined>
  /** What was found, and what could not be read. */
  readonly facts: Promise<readonly ScanFact[]>
}

/** Nobody could look: says nothing about the message. */
export interface NotSaid {
  readonly kind: 'not-said'
  readonly text: string
}

/** Takes messages apart beside the path of mail. */
export interface Reader {
  readonly name: string
  /** It also says what it finds: an engine of its own. */
  readonly examines: boolean
  /** `wantsExtra`: engines wait for what only some readers see. */
  read(content: Content, wantsExtra: boolean): Reading
  /** The parts that can be taken out. */
  parts(content: Content): Promise<Parts | NotSaid>
  close(): Promise<void>
}
