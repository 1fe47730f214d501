/**
 * Every way in which some reader of mail may take a content apart. Mail programs disagree wherever a message bends the
 * rules (doubled fields, boundaries that overlap, padding in the middle of base64, a name given twice), and malware hides
 * where a scanner reads one way and the recipient's program the other. So nothing is decided here: a place that can be read
 * in two ways makes two readings, and scanners look at both.
 *
 * Where not even all readings could be made, a doubt says so: a limit was reached, or the rest of the message is elsewhere.
 */

/** Readings of one message, over all that is nested in it. Real mail has below 50; beyond it `cut` says so. */
export const READINGS_MAX = 2_000
/** Places that open a part. A digest of a busy list has a few hundred. */
export const PARTS_MAX = 1_000
/** Distinct boundaries, over all readings of all header fields. Each one costs a search through the text. */
export const BOUNDARIES_MAX = 64
/** Doubts of one message; more say nothing new. */
export const DOUBTS_MAX = 100
/** Messages whose encoding had to be undone to see them, inside each other. */
export const NESTING_MAX = 20
/** Octets of all readings together, for each octet of the message; views into the message itself do not count. */
export const DECODED_RATIO_MAX = 6
/** Below it the ratio is no matter. */
export const DECODED_OCTETS_FREE = 4 * 1024 * 1024

export interface Reading {
  /** For a person: `part 2`, `part 2 › part 1` for a part of a message that was encoded. */
  readonly where: string
  /** All names that some reader gives it; none where no field names it. */
  readonly names: readonly string[]
  /** Lower case; undefined where nothing declares one. */
  readonly declaredType?: string | undefined
  readonly octets: Buffer
  /** How a reader comes to this: the way of the transfer encoding, for the explanation. */
  readonly way: string
  /** A straightforward reader makes it: the scanners beside us see it for themselves. */
  readonly isPlain: boolean
}

export type DoubtSymbol =
  | 'too-many-parts'
  | 'too-many-boundaries'
  | 'too-many-readings'
  | 'nested-too-deep'
  | 'decoded-too-large'
  | 'header-too-large'
  | 'partial-message'
  | 'external-body'
  | 'unknown-encoding'

/** What could not be looked at, and where. */
export interface Doubt {
  readonly symbol: DoubtSymbol
  readonly where: string
  readonly text: string
}

export interface Readings {
  readonly readings: readonly Reading[]
  readonly doubts: readonly Doubt[]
}
