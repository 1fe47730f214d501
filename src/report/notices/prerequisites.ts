/**
 * Which prerequisite for the use of the relay a held message touches, as far as the words of the server tell. A guess for the
 * reader's advice, no finding: findings need evidence, and are made elsewhere.
 */
import type { HeldRecipient } from '#mail/notice.ts'
import { parseStatus } from '#mail/status.ts'

/** R1, R3 and R5 of the prerequisites. */
export type Prerequisite = 'unknown-recipients' | 'content-rejection' | 'availability'

// RFC 3463 §3.2, §3.3: the mailbox is none, moved, ambiguous, disabled. Not 5.1.7 and 5.1.8, which speak of the sender.
const UNKNOWN = /^5\.(?:1\.(?:0|1|2|3|4|6|10)|2\.1)$/
// RFC 3463 §3.7, §3.8: security or policy, and content or media.
const CONTENT = /^5\.[67]\./

export function touches({ reason, text }: HeldRecipient): Prerequisite | 'other-refusal' | 'loop' | undefined {
  switch (reason) {
    case 'expired':
      return 'availability'
    case 'loop':
      return 'loop'
    case 'refused': {
      const status = /^5\d\d /.test(text) ? parseStatus(text.slice(4).split(' ')[0] ?? '') : undefined
      if (status !== undefined && UNKNOWN.test(status)) return 'unknown-recipients'
      return status !== undefined && CONTENT.test(status) ? 'content-rejection' : 'other-refusal'
    }
    case 'operator':
    case 'policy':
    case 'locked':
      return undefined
  }
}
