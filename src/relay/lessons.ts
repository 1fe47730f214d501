/**
 * What live traffic teaches about recipients: every delivery is a callout that cost nothing. An acceptance teaches
 * "known". A 5yz to RCPT teaches "unknown" only where it speaks of the mailbox (law 4): unlike a callout, a
 * delivery has a real sender and a real size, and servers often refuse those at RCPT too.
 *
 * Mail that a tenant's own server hands to us shows that its sender exists: weaker, since nobody was asked. Only the
 * reversePath teaches; we refuse those of other tenants' domains before, and the From field is whatever the writer liked.
 */
import { mailboxKey } from '#mail/address.ts'
import type { PathEvent, Report } from '#mail/event.ts'
import type { Obstacle, Outcome } from '#mail/outcome.ts'
import { readTag } from '#policy/prvs.ts'
import type { Directory, ServedDomain } from '#tenant/directory.ts'

/** Of the mailbox, none of them of the sender (RFC 3463 §3.2, §3.3) or of a null MX (RFC 7505 §3). */
export const SAYS_NO_MAILBOX: ReadonlySet<string> = new Set(['5.1.0', '5.1.1', '5.1.6', '5.1.10', '5.2.1'])
/** Codes that speak of the mailbox where no status says more (RFC 5321 §4.2.3). */
const NO_MAILBOX: ReadonlySet<number> = new Set([550, 551, 553])

/** Was the recipient refused because there is no such mailbox, as far as the reply can tell? */
export function saysNoMailbox(outcome: Extract<Outcome, { kind: 'failed' }>): boolean {
  const { stage, reply } = outcome
  if (stage !== 'rcpt' || reply === undefined) return false
  return reply.status === undefined ? NO_MAILBOX.has(reply.code) : SAYS_NO_MAILBOX.has(reply.status)
}

export interface Learner {
  learn(key: string, state: 'known' | 'unknown', route: string): void
  /** The tenant wrote from this mailbox; mail to it takes this route. */
  wrote(key: string, route: string): void
  /** A server of this route answers: callouts need not wait any longer. */
  reached(routeId: string): void
  /** A delivery found no server of this route. That may be the network, or this one moment: unknown is not no. */
  missed(routeId: string): void
}

/** Nobody was there, or nobody spoke. Whoever says 4yz, or fails in TLS, is there. */
const NOBODY_THERE: ReadonlySet<Obstacle> = new Set(['connect', 'dns', 'timeout', 'closed'])

/** The report, with an ear for lessons. */
export function lessonsFor(learner: Learner, directory: () => Directory, report: Report): Report {
  return (event) => {
    if (event.kind === 'attempted') learnFrom(event, learner)
    else if (event.kind === 'accepted' && event.session.service !== 'inbound') {
      learnSender(event, directory(), learner)
    }
    report(event)
  }
}

function learnSender(
  { envelope: { reversePath }, tenant }: Extract<PathEvent, { kind: 'accepted' }>,
  directory: Directory,
  learner: Learner,
): void {
  if (reversePath.kind === 'null' || reversePath.mailbox.domain.kind !== 'name') return
  const domain = directory.domain(reversePath.mailbox.domain.ascii)
  // Law 7. With `senders: any` the path may be another tenant's, or a stranger's.
  if (domain === undefined || domain.tenant.name !== tenant || !asksServer(domain)) return
  const signed = domain.tenant.bounceProtection?.kind === 'batv' ? readTag(reversePath.mailbox) : undefined
  learner.wrote(mailboxKey(signed?.mailbox ?? reversePath.mailbox), domain.route.id)
}

// Where a list decides, or nobody, what was learned as good is never looked at.
const asksServer = ({ recipients }: ServedDomain): boolean =>
  recipients.kind === 'live' || (recipients.kind === 'directory' && recipients.otherwise === 'live')

function learnFrom({ recipients, attempt, route }: Extract<PathEvent, { kind: 'attempted' }>, learner: Learner): void {
  if (attempt.outcomes.some((outcome) => outcome.kind === 'delivered')) learner.reached(route)
  else if (attempt.outcomes.every((one) => one.kind === 'deferred' && NOBODY_THERE.has(one.obstacle)))
    learner.missed(route)
  recipients.forEach(({ forwardPath }, i) => {
    if (forwardPath.kind !== 'mailbox') return
    const outcome = attempt.outcomes[i]!
    const key = mailboxKey(forwardPath.mailbox)
    if (outcome.kind === 'delivered') learner.learn(key, 'known', route)
    else if (outcome.kind === 'failed' && saysNoMailbox(outcome)) learner.learn(key, 'unknown', route)
  })
}
