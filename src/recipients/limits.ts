/** How long what is known about recipients holds, and what may be asked. Why these figures: docs/recipients.md. */

export interface KnowledgeLimits {
  /** Ask again after this; until the answer is there the old one holds. */
  readonly positiveRefreshMs: number
  /** Forget a good address that nothing has confirmed for so long. */
  readonly positiveValidMs: number
  /** A delivery confirms a good address; written down once in so long. */
  readonly confirmMs: number
  readonly negativeFirstMs: number
  readonly negativeMaxMs: number
  /** After a server could not be asked, or did not want to say, it is not asked again for this long. */
  readonly unreachableMs: number
  /** In any second, to the hosts of one route of a tenant: a flood of invented recipients must not become one there. */
  readonly probesPerSecondMax: number
  /** A session waits for a callout no longer; senders give RCPT five minutes (RFC 5321 §4.5.3.2.3), people less. */
  readonly calloutMsMax: number
  /** Whoever may ask and says nothing for so long has lost the right; longer than `calloutMsMax`. */
  readonly leaseMsMax: number
  /** Does a server take every address? Tested once in so long. */
  readonly takesAllTestMs: number
  /** Addresses that one tenant's outgoing mail teaches in 24 hours: whoever has stolen an account may invent millions. */
  readonly outgoingNewPerDayMax: number
  /** Addresses remembered in the store, some 100 octets each; the oldest go first, refusals before others. */
  readonly factsMax: number
  /** Kept in the memory of one process, some 200 octets each. */
  readonly inMemoryMax: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
export const KNOWLEDGE_LIMITS: KnowledgeLimits = {
  positiveRefreshMs: 24 * HOUR,
  positiveValidMs: 31 * 24 * HOUR,
  confirmMs: HOUR,
  negativeFirstMs: 15 * MINUTE,
  negativeMaxMs: 2 * HOUR,
  unreachableMs: MINUTE,
  probesPerSecondMax: 10,
  calloutMsMax: 30_000,
  leaseMsMax: 40_000,
  takesAllTestMs: 24 * HOUR,
  outgoingNewPerDayMax: 1_000,
  factsMax: 2_000_000,
  inMemoryMax: 200_000,
}
