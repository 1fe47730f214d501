/**
 * What the path shows the memory of the spam filter, beside verdicts: whom tenants write to, and what a client's network did that
 * nobody has to judge. An ear on the events.
 *
 * | event | lesson |
 * |---|---|
 * | mail of a tenant leaves, by its own address, not automatic, not to many | its recipients are correspondents, its Message-ID may be answered |
 * | an engine has named malware in mail that came in | against the client's network |
 * | `UNKNOWN_MIN` recipients of one session do not exist | against the client's network, once a session |
 */
import { mailboxKey } from '#mail/address.ts'
import type { PathEvent, Report } from '#mail/event.ts'
import type { Session } from '#mail/session.ts'
import { bareId, networkOf } from '#scan/spam/memory/facts.ts'
import { EVIDENCE, type EvidenceKind } from '#scan/spam/memory/reputation.ts'
import type { SenderEvidence, Written } from '#scan/spam/memory/spam-memory.ts'

/** An honest server has one or two old addresses in its queue. */
export const UNKNOWN_MIN = 5

export interface SpamLearner {
  wrote(written: Written): void
  evidence(evidence: SenderEvidence): void
}

/** The report, with an ear for the memory of the spam filter. */
export function spamLessonsFor(learner: SpamLearner, report: Report): Report {
  const unknown = new WeakMap<Session, number>()
  return (event) => {
    report(event)
    if (event.kind === 'accepted') {
      const written = writtenOf(event)
      if (written !== undefined) learner.wrote(written)
    } else if (event.kind === 'scanned') {
      if (event.session.service === 'inbound' && event.facts.some(({ kind }) => kind === 'malware'))
        learner.evidence({ tenant: event.tenant, ...against(event.session, 'malware') })
    } else if (event.kind === 'refused' && isUnknownRecipient(event)) {
      const count = (unknown.get(event.session) ?? 0) + 1
      unknown.set(event.session, count)
      if (count === UNKNOWN_MIN) learner.evidence(against(event.session, 'harvest'))
    }
  }
}

const isUnknownRecipient = ({ at, session, reasons }: Extract<PathEvent, { kind: 'refused' }>): boolean =>
  at === 'rcpt' && session.service === 'inbound' && reasons.some(({ symbol }) => symbol === 'unknown-recipient')

const against = ({ client }: Session, kind: EvidenceKind): Pick<SenderEvidence, 'sender' | 'evidence'> => ({
  sender: { kind: 'network', name: networkOf(client.address) },
  evidence: EVIDENCE[kind],
})

function writtenOf(event: Extract<PathEvent, { kind: 'accepted' }>): Written | undefined {
  const { session, submission, custody, envelope, tenant, messageId } = event
  if (session.service === 'inbound' || custody === 'quarantine') return undefined
  if (submission === undefined || submission.automatic || submission.bulk) return undefined
  const addresses = envelope.recipients.flatMap(({ forwardPath }) =>
    forwardPath.kind === 'mailbox' ? [mailboxKey(forwardPath.mailbox)] : [],
  )
  return { tenant, addresses, ...(messageId !== undefined && { messageId: bareId(messageId) }) }
}
