/**
 * What live traffic teaches about recipients: every delivery is a callout that cost nothing. Only acceptances, and 5yz
 * to RCPT, teach anything (law 4).
 */
import { mailboxKey } from '#mail/address.ts'
import type { PathEvent, Report } from '#mail/event.ts'

export interface Learner {
  learn(key: string, state: 'known' | 'unknown'): void
}

/** The report, with an ear for lessons. */
export function lessonsFor(learner: Learner, report: Report): Report {
  return (event) => {
    if (event.kind === 'attempted') learnFrom(event, learner)
    report(event)
  }
}

function learnFrom({ recipients, attempt }: Extract<PathEvent, { kind: 'attempted' }>, learner: Learner): void {
  recipients.forEach(({ forwardPath }, i) => {
    if (forwardPath.kind !== 'mailbox') return
    const outcome = attempt.outcomes[i]!
    const key = mailboxKey(forwardPath.mailbox)
    if (outcome.kind === 'delivered') learner.learn(key, 'known')
    else if (outcome.kind === 'failed' && outcome.stage === 'rcpt' && outcome.reply) learner.learn(key, 'unknown')
  })
}
