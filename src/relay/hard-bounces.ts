/**
 * Recipients of what leaves of whom a next hop says that they do not exist: for the suppression list of their tenant. An ear
 * on the events. What the tenants' own servers say of mail that comes in is no business of this list.
 */
import { mailboxKey } from '#mail/address.ts'
import type { PathEvent, Report } from '#mail/event.ts'
import { saysNoMailbox } from './lessons.ts'

export interface HardBounce {
  readonly tenant: string
  /** `mailboxKey`. */
  readonly address: string
  /** The server's words, one line. */
  readonly text: string
  /** The message that was refused. */
  readonly evidence: string
}

/** `leaves`: mail of this route goes out into the world. */
export function hardBouncesFor(
  found: (bounce: HardBounce) => void,
  leaves: (routeId: string) => boolean,
  report: Report,
): Report {
  return (event) => {
    report(event)
    if (event.kind === 'attempted' && event.notice !== true && leaves(event.route)) tell(event, found)
  }
}

function tell(
  { id, tenant, recipients, attempt }: Extract<PathEvent, { kind: 'attempted' }>,
  found: (bounce: HardBounce) => void,
): void {
  for (const [i, outcome] of attempt.outcomes.entries()) {
    const path = recipients[i]?.forwardPath
    if (outcome.kind !== 'failed' || path?.kind !== 'mailbox' || !saysNoMailbox(outcome)) continue
    found({ tenant, address: mailboxKey(path.mailbox), text: outcome.text, evidence: id })
  }
}
