/**
 * What live traffic teaches about recipients: every delivery is a callout that cost nothing. An acceptance teaches
 * "known". A 5yz to RCPT teaches "unknown" only where its status speaks of the mailbox (law 4): unlike a callout, a
 * delivery has a real sender and a real size, and servers often refuse those at RCPT too.
 */
import { mailboxKey } from '#mail/address.ts'
import type { PathEvent, Report } from '#mail/event.ts'

/** Bad destination mailbox, moved without a new address (RFC 3463 §3.2), null MX (RFC 7505). */
const NO_SUCH_MAILBOX: ReadonlySet<string> = new Set(['5.1.1', '5.1.6', '5.1.10'])

export interface Learner {
  learn(key: string, state: 'known' | 'unknown'): void
  /** A server of this route answers: callouts need not wait any longer. */
  reached(routeId: string): void
}

/** The report, with an ear for lessons. */
export function lessonsFor(learner: Learner, report: Report): Report {
  return (event) => {
    if (event.kind === 'attempted') learnFrom(event, learner)
    report(event)
  }
}

function learnFrom({ recipients, attempt, route }: Extract<PathEvent, { kind: 'attempted' }>, learner: Learner): void {
  if (attempt.outcomes.some((outcome) => outcome.kind === 'delivered')) learner.reached(route)
  recipients.forEach(({ forwardPath }, i) => {
    if (forwardPath.kind !== 'mailbox') return
    const outcome = attempt.outcomes[i]!
    const key = mailboxKey(forwardPath.mailbox)
    if (outcome.kind === 'delivered') learner.learn(key, 'known')
    else if (
      outcome.kind === 'failed' &&
      outcome.stage === 'rcpt' &&
      NO_SUCH_MAILBOX.has(outcome.reply?.status ?? '')
    ) {
      learner.learn(key, 'unknown')
    }
  })
}
