/**
 * What the spam filter says about a message: signs, each a named symbol that spoke for or against, and all of them together
 * as one probability.
 *
 * A weight is a natural logarithm of odds: +1 makes spam e times as likely, -1 makes it e times less likely; 0 informs and
 * counts nothing. The score is their sum as it is calibrated, so that 0 is even odds, 5 a probability of 99.3 %, and 10 of
 * 99.995 %. What could not be asked has a sign of its own with weight 0 (`unknown`); it is never "no".
 */

/** Of a detail, in characters; longer ones are cut. */
export const DETAIL_LENGTH_MAX = 120
/** Signs of one message; what is beyond has the least weight and is dropped. */
export const SIGNS_MAX = 100

export interface SpamSign {
  /** `LINK_TEXT_DECEIVES`: stable, documented, one for each kind of evidence. */
  readonly symbol: string
  readonly weight: number
  /** Out of this message: a host, a word, a list; printable. */
  readonly detail?: string
}

/**
 * What kind of message it is, beside how likely it is spam. `bulk`: to many who asked for it, or could have; `backscatter`: a
 * bounce or an automatic answer to mail that the recipient never sent.
 */
export type SpamClass = 'ordinary' | 'bulk' | 'backscatter' | 'phishing'

/** What becomes of it, the gravest last. */
export const SPAM_DECISIONS = ['pass', 'tag', 'greylist', 'defer', 'quarantine', 'reject'] as const
export type SpamDecision = (typeof SPAM_DECISIONS)[number]

export interface SpamResult {
  readonly score: number
  /** Between 0 and 1, both excluded. */
  readonly probability: number
  readonly class: SpamClass
  /** The heaviest first. */
  readonly signs: readonly SpamSign[]
  /** What did not answer: an engine, a list, the thread that reads; empty: all did. */
  readonly silent: readonly string[]
  readonly durationMs: number
}

export const probabilityOf = (score: number): number => 1 / (1 + Math.exp(-score))
