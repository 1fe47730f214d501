/** For tests: one event of each kind, and one of each kind in which every text is hostile. */
import type { Recipient } from '#mail/envelope.ts'
import type { PathEvent } from '#mail/event.ts'
import { permanent } from '#mail/reply.ts'
import type { Transaction } from '#mail/session.ts'
import type { QueueEntry } from '#mail/stored.ts'
import {
  attempted,
  deferred,
  delivered,
  failed,
  mailbox,
  newTraceId,
  recipient,
  session,
  transaction,
  WALL_MS,
} from '#mail/testing.ts'
import type { TraceId } from '#mail/trace-id.ts'

const entry: QueueEntry = {
  id: newTraceId(),
  tenant: 'bakery',
  route: 'bakery/main',
  receivedMs: WALL_MS,
  octets: 1234,
  attempts: 1,
  nextAttemptMs: WALL_MS,
  state: 'held',
}

type Of<K extends PathEvent['kind']> = Extract<PathEvent, { kind: K }>

/** `text` stands wherever a peer has a say. */
export function oneOfEach(text = 'plain') {
  const one = transaction(['bob@bakery.test'], '', session({ greetingName: text }))
  const { id, envelope } = one
  const outcomes = [delivered(text), deferred('timeout', `450 4.2.0 ${text}`), failed(`550 5.1.1 ${text}`)]
  const recipients = ['bob@bakery.test', 'eve@bakery.test', 'joe@bakery.test'].map(recipient)
  const accepted: Of<'accepted'> = {
    kind: 'accepted',
    id,
    session: one.session,
    envelope,
    tenant: 'bakery',
    route: 'bakery/main',
    octets: 1234,
    messageId: text,
    custody: 'spool',
    receptionMs: 20,
    note: text,
  }
  const refused: Of<'refused'> = {
    kind: 'refused',
    id,
    at: 'rcpt',
    session: one.session,
    envelope,
    recipient: envelope.recipients[0]!,
    tenant: 'bakery',
    reply: permanent(550, '5.1.1', text),
    reasons: [{ symbol: 'unknown-recipient', text }],
  }
  const discarded = discardedFor(one, text)
  const attempt: Of<'attempted'> = {
    kind: 'attempted',
    id,
    tenant: 'bakery',
    route: 'bakery/main',
    recipients,
    attempt: attempted(...outcomes),
    ageMs: 210,
    inSession: false,
  }
  const alarm: Of<'alarm'> = { kind: 'alarm', symbol: 'spool-full', text }
  const probed: Of<'probed'> = {
    kind: 'probed',
    tenant: 'bakery',
    route: 'bakery/main',
    answer: { kind: 'unreachable', obstacle: 'connect', text },
  }
  return {
    accepted,
    refused,
    discarded,
    governed,
    scanned: scannedAs(one, text),
    attempt,
    ...keptFor(recipients, text),
    ...endsFor(one),
    alarm,
    probed,
  }
}

const scannedAs = ({ id, session: by }: Transaction, text: string): Of<'scanned'> => ({
  kind: 'scanned',
  id,
  tenant: 'bakery',
  session: by,
  decision: 'reject',
  facts: [{ kind: 'malware', engine: 'clamd', name: text, where: text }],
  policy: ['malware: reject, by default'],
  cleanBy: [],
  durationMs: 12,
})

const governed: Of<'governed'> = { kind: 'governed', tenant: 'bakery', subject: 'auto-reply', decision: 'discarded' }

function endsFor(one: Transaction) {
  const settled: Of<'settled'> = { kind: 'settled', id: one.id, tenant: 'bakery' }
  const split: Of<'split'> = {
    kind: 'split',
    id: one.id,
    part: newTraceId(),
    tenant: 'bakery',
    route: 'bakery/internet/far.test',
    recipients: one.envelope.recipients,
  }
  return { settled, split, sent: sentAbout(one.id), feedback: feedbackIn(one.id), closed: closedFor(one) }
}

const closedFor = ({ session: of }: Transaction): Of<'session-closed'> => ({
  kind: 'session-closed',
  session: of,
  why: 'quit',
})

function keptFor(recipients: readonly Recipient[], text: string) {
  const held: Of<'held'> = { kind: 'held', entry, reason: 'refused', recipients, text }
  const dropped: Of<'dropped'> = { kind: 'dropped', entry, reason: 'kept', recipients, text }
  const noticed: Of<'notice-queued'> = { kind: 'notice-queued', entry, recipient: recipients[0]! }
  const operator: Of<'operator'> = { kind: 'operator', entry, action: 'released', text }
  return { held, dropped, noticed, operator }
}

const feedbackIn = (id: TraceId): Of<'feedback'> => ({
  kind: 'feedback',
  id,
  tenant: 'bakery',
  about: 'complaint',
  decision: 'suppressed',
  login: 'anna@bakery.test',
  address: 'bob@far.test',
  proof: 'token',
  text: 'abuse report',
})

const sentAbout = (id: TraceId): Of<'dsn-sent'> => ({
  kind: 'dsn-sent',
  id,
  report: newTraceId(),
  tenant: 'bakery',
  class: 'submission',
  dsnKind: 'failure',
  to: mailbox('anna@bakery.test'),
})

const discardedFor = ({ id, session: of, envelope }: Transaction, text: string): Of<'discarded'> => ({
  kind: 'discarded',
  id,
  session: of,
  envelope,
  recipients: envelope.recipients,
  tenant: 'bakery',
  octets: 1234,
  messageId: text,
  reasons: [{ symbol: 'auto-reply-limit', text }],
})
