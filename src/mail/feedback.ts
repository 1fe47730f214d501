/**
 * What comes back by mail of mail that left: failures (DSNs, RFC 3464) and complaints (feedback loops, RFC 5965), and what is
 * learned of them for the suppression list and for the signs of a stolen login.
 */

/** The header field that each outgoing message carries, so that what comes back can be told from what somebody made up. */
export const TOKEN_FIELD = 'X-Vorposten-Token'

/**
 * - `hard-bounce`: there is no such mailbox, for good
 * - `soft-bounce`: it was delayed, or refused for any other reason
 * - `complaint`: the recipient calls it spam
 */
export const FEEDBACK_ABOUT = ['hard-bounce', 'soft-bounce', 'complaint'] as const
export type FeedbackAbout = (typeof FEEDBACK_ABOUT)[number]

/** By what it is proved that the message left through us for this recipient. */
export type FeedbackProof = 'token' | 'sent-record'

/**
 * - `suppressed`: the address is on the list now; and counted
 * - `counted`: only counted
 * - `repeated`: it was said before of the same message and recipient
 * - `not-proven`: nothing proves that such a message left through us
 * - `not-trusted`: the report comes from nobody whose reports we take
 * - `no-complaint`: a report, of something else
 * - `over-limit`: its source has said too much within an hour
 * - `not-recorded`: nobody could write it down
 */
export const FEEDBACK_DECISIONS = [
  'suppressed',
  'counted',
  'repeated',
  'not-proven',
  'not-trusted',
  'no-complaint',
  'over-limit',
  'not-recorded',
] as const
export type FeedbackDecision = (typeof FEEDBACK_DECISIONS)[number]

/** Something that is proved, to be written down. */
export interface Lesson {
  readonly about: FeedbackAbout
  readonly tenant: string
  /** Who sent the message. Absent: one of the tenant's servers, or it is not known. */
  readonly login?: string
  /** `mailboxKey`. Absent: a complaint of one of several recipients. */
  readonly address?: string
  readonly proof: FeedbackProof
  /** What was said, one line. */
  readonly text: string
  /** For people: which message said it, and who wrote that. */
  readonly evidence: string
  /** The same text is learned once. */
  readonly once: string
}
