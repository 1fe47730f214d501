/**
 * Events as JSON records: one line each, in the trace files and, if so configured, in the log. Field names are stable;
 * docs/trace.md lists them. Addresses are in them: the files belong to the operator and end after their retention.
 */
import { mailboxText, pathText } from '#mail/address.ts'
import type { Recipient } from '#mail/envelope.ts'
import type { PathEvent } from '#mail/event.ts'
import { classOfOutcome } from '#mail/refusal-class.ts'
import { remoteReplyLine, replyLine } from '#mail/reply.ts'
import type { Session } from '#mail/session.ts'
import { outcomeText } from './log-lines.ts'
import { statusWord } from './measure.ts'

export interface TraceRecord {
  /** ISO 8601, UTC. */
  readonly time: string
  readonly event: string
  readonly id?: string
  readonly [field: string]: unknown
}

/** Of a message that was filtered: enough to judge it again by another policy. */
const SIGNS_MAX = 50

const to = (recipients: readonly Recipient[]): string[] => recipients.map((r) => pathText(r.forwardPath))

const client = (session: Session) => ({
  session: session.id,
  client: session.client.address,
  helo: session.greetingName,
  listener: session.listener,
  tls: session.tls?.protocol,
})

/** Undefined: the event is for the metrics only. */
export function traceRecord(event: PathEvent, time: string): TraceRecord | undefined {
  switch (event.kind) {
    case 'accepted':
      return acceptedRecord(event, time)
    case 'refused':
      return refusedRecord(event, time)
    case 'attempted':
      return attemptedRecord(event, time)
    case 'held':
    case 'dropped':
      return undeliveredRecord(event, time)
    case 'notice-queued':
      return {
        time,
        event: 'notice-queued',
        id: event.entry.id,
        tenant: event.entry.tenant,
        route: event.entry.route,
        to: to([event.recipient]),
        octets: event.entry.octets,
        about: event.about,
      }
    case 'operator':
      return operatorRecord(event, time)
    case 'quarantine':
      return quarantineRecord(event, time)
    case 'dsn-sent':
      return dsnRecord(event, time)
    case 'settled':
      return { time, event: 'settled', id: event.id, tenant: event.tenant }
    case 'alarm':
      return { time, event: 'alarm', symbol: event.symbol, text: event.text }
    case 'discarded':
      return discardedRecord(event, time)
    case 'scanned':
      return scannedRecord(event, time)
    case 'filtered':
      return filteredRecord(event, time)
    case 'split':
      return splitRecord(event, time)
    case 'authenticated':
      return authenticatedRecord(event, time)
    case 'feedback':
      return feedbackRecord(event, time)
    case 'governed':
    case 'probed':
    case 'takes-all-tested':
    case 'session-closed':
      return undefined
  }
}

function operatorRecord(event: Extract<PathEvent, { kind: 'operator' }>, time: string): TraceRecord {
  const { action, entry, text } = event
  return { time, event: action, id: entry.id, tenant: entry.tenant, by: 'operator', text }
}

function quarantineRecord(event: Extract<PathEvent, { kind: 'quarantine' }>, time: string): TraceRecord {
  const { id, tenant, class: of, action, who, text, part, recipients } = event
  const released = part === undefined ? {} : { part, to: to(recipients ?? []) }
  return { time, event: 'quarantine', id, tenant, class: of, action, who, text, ...released }
}

function scannedRecord(event: Extract<PathEvent, { kind: 'scanned' }>, time: string): TraceRecord {
  const { id, tenant, decision, facts, policy, cleanBy, durationMs, memory } = event
  return {
    time,
    event: 'scanned',
    id,
    tenant,
    decision,
    facts,
    policy,
    cleanBy,
    durationMs: Math.round(durationMs),
    memory,
  }
}

function filteredRecord(event: Extract<PathEvent, { kind: 'filtered' }>, time: string): TraceRecord {
  const { id, tenant, decision, policy, score, class: of, signs, silent, durationMs } = event
  const shown = signs.slice(0, SIGNS_MAX).map((sign) => ({ ...sign, weight: Number(sign.weight.toFixed(2)) }))
  return {
    ...{ time, event: 'filtered', id, tenant, decision, policy, score, class: of },
    ...{ signs: shown, silent, durationMs: Math.round(durationMs) },
  }
}

function feedbackRecord(event: Extract<PathEvent, { kind: 'feedback' }>, time: string): TraceRecord {
  const { id, tenant, about, decision, address, login, proof, text } = event
  const to = address === undefined ? {} : { to: [`<${address}>`] }
  return { time, event: 'feedback', id, tenant, about, decision, ...to, login, proof, text }
}

function splitRecord(event: Extract<PathEvent, { kind: 'split' }>, time: string): TraceRecord {
  const { id, part, tenant, route, recipients } = event
  return { time, event: 'split', id, part, tenant, route, to: to(recipients) }
}

function acceptedRecord(event: Extract<PathEvent, { kind: 'accepted' }>, time: string): TraceRecord {
  return {
    time,
    event: 'accepted',
    id: event.id,
    tenant: event.tenant,
    route: event.route,
    from: pathText(event.envelope.reversePath),
    to: to(event.envelope.recipients),
    octets: event.octets,
    messageId: event.messageId,
    custody: event.custody,
    receptionMs: Math.round(event.receptionMs),
    note: event.note,
    signatures: event.signatures,
    login: event.session.authenticated?.login,
    ...client(event.session),
  }
}

function authenticatedRecord(event: Extract<PathEvent, { kind: 'authenticated' }>, time: string): TraceRecord {
  const { session, tenant, mechanism, result, login, text } = event
  return { time, event: 'authenticated', id: session.id, tenant, mechanism, result, login, text, ...client(session) }
}

function undeliveredRecord(event: Extract<PathEvent, { kind: 'held' | 'dropped' }>, time: string): TraceRecord {
  return {
    time,
    event: event.kind,
    id: event.entry.id,
    tenant: event.entry.tenant,
    to: to(event.recipients),
    reason: event.reason,
    text: event.text,
    ...(event.kind === 'held' && { stage: event.stage, reply: event.reply && remoteReplyLine(event.reply) }),
  }
}

function dsnRecord(event: Extract<PathEvent, { kind: 'dsn-sent' }>, time: string): TraceRecord {
  const { id, tenant, report, class: by, dsnKind, to: mailbox } = event
  return { time, event: 'dsn-sent', id, tenant, report, class: by, kind: dsnKind, to: [`<${mailboxText(mailbox)}>`] }
}

function refusedRecord(event: Extract<PathEvent, { kind: 'refused' }>, time: string): TraceRecord {
  return {
    time,
    event: 'refused',
    id: event.id,
    tenant: event.tenant,
    at: event.at,
    from: event.envelope && pathText(event.envelope.reversePath),
    to: event.recipient ? to([event.recipient]) : event.envelope && to(event.envelope.recipients),
    reply: replyLine(event.reply),
    reasons: event.reasons,
    ...client(event.session),
  }
}

function discardedRecord(event: Extract<PathEvent, { kind: 'discarded' }>, time: string): TraceRecord {
  return {
    time,
    event: 'discarded',
    id: event.id,
    tenant: event.tenant,
    from: pathText(event.envelope.reversePath),
    to: to(event.recipients),
    octets: event.octets,
    messageId: event.messageId,
    reasons: event.reasons,
    ...client(event.session),
  }
}

function attemptedRecord(event: Extract<PathEvent, { kind: 'attempted' }>, time: string): TraceRecord {
  const { attempt } = event
  return {
    time,
    event: 'attempted',
    id: event.id,
    tenant: event.tenant,
    route: event.route,
    relay: attempt.relay,
    tls: attempt.tls,
    ...(attempt.verifiedBy && { verifiedBy: attempt.verifiedBy }),
    inSession: event.inSession,
    ageMs: Math.round(event.ageMs),
    connectMs: Math.round(attempt.delays.connectMs),
    transferMs: Math.round(attempt.delays.transferMs),
    recipients: event.recipients.map((recipient, i) => {
      const outcome = attempt.outcomes[i]!
      const found = classOfOutcome(outcome)
      return {
        to: pathText(recipient.forwardPath),
        status: statusWord(outcome, i, event),
        ...(found && { class: found }),
        text: outcomeText(outcome),
      }
    }),
  }
}
