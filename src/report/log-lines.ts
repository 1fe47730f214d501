/**
 * Events as log lines in Postfix's grammar, so that a postmaster's eyes and tools read them:
 *
 *     ID: client=unknown[192.0.2.1]
 *     ID: from=<a@x.test>, size=1234, nrcpt=1 (queue active)
 *     ID: to=<b@y.test>, relay=mail.y.test[192.0.2.9]:25, delay=0.21, delays=0/0.05/0.1/0.06, dsn=2.0.0, status=sent (250 Ok)
 *     NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550 5.1.1 …; from=<…> to=<…> proto=ESMTP helo=<…> trace=ID
 *
 * Ours differ in one word: where Postfix says `bounced`, we say `held` (or `refused`, when the sender heard it himself).
 */
import { mailboxText, pathText } from '#mail/address.ts'
import type { PathEvent } from '#mail/event.ts'
import type { Outcome } from '#mail/outcome.ts'
import { classOfOutcome } from '#mail/refusal-class.ts'
import { remoteReplyLine, replyLine } from '#mail/reply.ts'
import { factText } from '#mail/scan.ts'
import { type Session, withProtocol } from '#mail/session.ts'
import { statusWord } from './measure.ts'

export interface LogLine {
  /** Postfix's name for the part that speaks. */
  readonly part: 'smtpd' | 'cleanup' | 'qmgr' | 'smtp' | 'bounce' | 'vorposten'
  readonly text: string
}

/** Of a message that was scanned; the trace has more. */
const FACTS_SHOWN = 3
const SIGNS_SHOWN = 5

const AT = {
  connect: 'CONNECT',
  command: 'COMMAND',
  mail: 'MAIL',
  rcpt: 'RCPT',
  data: 'DATA',
  content: 'END-OF-MESSAGE',
} as const

export function logLines(event: PathEvent): readonly LogLine[] {
  switch (event.kind) {
    case 'accepted':
      return acceptedLines(event)
    case 'refused':
      return [{ part: 'smtpd', text: refusedText(event) }]
    case 'attempted':
      return event.recipients.map((recipient, i) => ({
        part: 'smtp',
        text: `${event.id}: to=${pathText(recipient.forwardPath)}, ${attemptText(event, i)}`,
      }))
    case 'held':
      return event.recipients.map(({ forwardPath }) => ({
        part: 'qmgr',
        text: `${event.entry.id}: to=${pathText(forwardPath)}, status=held (${event.reason}: ${event.text})`,
      }))
    case 'dropped':
      return event.recipients.map(({ forwardPath }) => ({
        part: 'qmgr',
        text: `${event.entry.id}: to=${pathText(forwardPath)}, status=dropped (${event.reason}: ${event.text})`,
      }))
    case 'notice-queued':
      return [{ part: 'qmgr', text: noticeText(event) }]
    case 'operator':
      return [{ part: 'qmgr', text: `${event.entry.id}: ${event.action} by operator (${event.text})` }]
    case 'quarantine':
      return [{ part: 'qmgr', text: quarantineText(event) }]
    case 'dsn-sent':
      return [{ part: 'bounce', text: `${event.id}: ${NOTIFICATION[event.dsnKind]}: ${event.report}${dsnNote(event)}` }]
    case 'settled':
      return [{ part: 'qmgr', text: `${event.id}: removed` }]
    case 'alarm':
      return [{ part: 'vorposten', text: `warning: ${event.symbol}: ${event.text}` }]
    case 'takes-all-tested':
      return event.takesAll ? [{ part: 'vorposten', text: takesAllText(event) }] : []
    case 'discarded':
      return discardedLines(event)
    case 'scanned':
      return scannedLines(event)
    case 'filtered':
      return filteredLines(event)
    case 'split':
      return event.recipients.map(({ forwardPath }) => ({
        part: 'qmgr',
        text: `${event.id}: to=${pathText(forwardPath)}, goes on as ${event.part}`,
      }))
    case 'authenticated':
      return [{ part: 'smtpd', text: authText(event) }]
    case 'feedback':
      return [{ part: 'cleanup', text: feedbackText(event) }]
    case 'governed':
    case 'probed':
    case 'session-closed':
      return []
  }
}

function feedbackText({ id, about, decision, address, login, tenant, text }: Extract<PathEvent, { kind: 'feedback' }>) {
  const to = address === undefined ? '' : ` to=<${address}>,`
  const by = login === undefined ? '' : ` sasl_username=${login},`
  return `${id}: feedback=${about},${to}${by} tenant=${tenant}, status=${decision} (${text})`
}

// Postfix's words: fail2ban and its like find the address by them.
function authText({
  session,
  mechanism,
  result,
  login = '',
  text,
}: Extract<PathEvent, { kind: 'authenticated' }>): string {
  const who = `${clientText(session)}: SASL ${mechanism.replace('-PLUS', '')}`
  const name = `sasl_username=${login.replace(/[^\x21-\x7e]/g, '?')}`
  if (result === 'right') return `${session.id}: client=${clientText(session)}, sasl_method=${mechanism}, ${name}`
  const failed = result === 'wrong' || result === 'malformed' || result === 'throttled'
  return `warning: ${who} authentication ${failed ? 'failed' : 'refused'}: ${text}, ${name}, trace=${session.id}`
}

const noticeText = ({ entry, recipient, about }: Extract<PathEvent, { kind: 'notice-queued' }>): string =>
  `${entry.id}: from=<>, to=${pathText(recipient.forwardPath)}, size=${entry.octets}, nrcpt=1 (${about === undefined ? 'notice of ours' : `report about ${about}`}, queue active)`

const takesAllText = ({ domain, route }: Extract<PathEvent, { kind: 'takes-all-tested' }>): string =>
  `warning: takes-all: the server of ${domain} (route ${route}) takes every address, so nobody can be refused in time`

const quarantineText = ({
  id,
  class: of,
  action,
  who,
  text,
  part,
}: Extract<PathEvent, { kind: 'quarantine' }>): string =>
  `${id}: quarantine=${action}, class=${of}, by=${who}${part === undefined ? '' : `, goes on as ${part}`} (${text})`

/** Where a message is that we answered 250. */
const WHERE = { spool: 'queue active', 'next-hop': 'delivered in session', quarantine: 'quarantine' } as const

/** Postfix's words. */
const NOTIFICATION = {
  failure: 'sender non-delivery notification',
  delay: 'sender delay notification',
  success: 'sender delivery status notification',
} as const

const dsnNote = ({ to, class: by }: Extract<PathEvent, { kind: 'dsn-sent' }>): string =>
  ` (to=<${mailboxText(to)}>, ${by})`

function acceptedLines(event: Extract<PathEvent, { kind: 'accepted' }>): LogLine[] {
  const { id, session, envelope } = event
  const lines: LogLine[] = [{ part: 'smtpd', text: `${id}: client=${clientText(session)}` }]
  if (event.messageId) lines.push({ part: 'cleanup', text: `${id}: message-id=${event.messageId}` })
  // As OpenDKIM says it.
  for (const { domain, selector } of event.signatures ?? []) {
    lines.push({ part: 'cleanup', text: `${id}: DKIM-Signature field added (s=${selector}, d=${domain})` })
  }
  const where = WHERE[event.custody]
  const note = event.note ? `; ${event.note}` : ''
  lines.push({
    part: 'qmgr',
    text: `${id}: from=${pathText(envelope.reversePath)}, size=${event.octets}, nrcpt=${envelope.recipients.length} (${where}${note})`,
  })
  return lines
}

// A clean one says nothing: its acceptance follows.
function scannedLines({ id, decision, facts, policy, durationMs }: Extract<PathEvent, { kind: 'scanned' }>): LogLine[] {
  if (decision === 'clean') return []
  const why = facts.slice(0, FACTS_SHOWN).map(factText).join('; ')
  const text = `${id}: scan=${decision}, delay=${seconds(durationMs)} (${why}) [${policy.join('; ')}]`
  return [{ part: 'cleanup', text }]
}

// What passes says nothing, as above.
function filteredLines(event: Extract<PathEvent, { kind: 'filtered' }>): LogLine[] {
  const { id, decision, score, class: of, signs, policy, durationMs } = event
  if (decision === 'pass') return []
  const why = signs.slice(0, SIGNS_SHOWN).map(({ symbol }) => symbol)
  const judged = `spam=${decision}, score=${score.toFixed(2)}, class=${of}, delay=${seconds(durationMs)}`
  return [{ part: 'cleanup', text: `${id}: ${judged} (${why.join(', ')}) [${policy ?? ''}]` }]
}

function discardedLines(event: Extract<PathEvent, { kind: 'discarded' }>): LogLine[] {
  const { id, session, envelope, recipients } = event
  const why = event.reasons.map((reason) => reason.text).join('; ')
  return [
    { part: 'smtpd', text: `${id}: client=${clientText(session)}` },
    ...(event.messageId ? [{ part: 'cleanup' as const, text: `${id}: message-id=${event.messageId}` }] : []),
    ...recipients.map(({ forwardPath }) => ({
      part: 'cleanup' as const,
      text: `${id}: from=${pathText(envelope.reversePath)}, to=${pathText(forwardPath)}, relay=none, status=discarded (${why})`,
    })),
  ]
}

function refusedText(event: Extract<PathEvent, { kind: 'refused' }>): string {
  const { session, envelope, recipient, reply, reasons } = event
  const from = envelope ? ` from=${pathText(envelope.reversePath)}` : ''
  const to = recipient ?? envelope?.recipients[0]
  const toText = to ? ` to=${pathText(to.forwardPath)}` : ''
  const why = reasons.map((reason) => reason.text).join('; ')
  return (
    `NOQUEUE: reject: ${AT[event.at]} from ${clientText(session)}: ${replyLine(reply)};${from}${toText}` +
    ` proto=${withProtocol(session, false)} helo=<${session.greetingName ?? ''}> trace=${event.id}${why ? ` (${why})` : ''}`
  )
}

function attemptText(event: Extract<PathEvent, { kind: 'attempted' }>, at: number): string {
  const { ageMs, attempt } = event
  const outcome = attempt.outcomes[at]!
  const { connectMs, transferMs } = attempt.delays
  const queuedMs = Math.max(0, ageMs - connectMs - transferMs)
  const delays = `0/${seconds(queuedMs)}/${seconds(connectMs)}/${seconds(transferMs)}`
  const found = classOfOutcome(outcome)
  // Where Postfix has conn_use=, and as it says there, only if there is something to say.
  const verified = attempt.verifiedBy === undefined ? '' : `tls=${attempt.verifiedBy}-verified, `
  return (
    `relay=${attempt.relay}, ${verified}delay=${seconds(ageMs)}, delays=${delays}, dsn=${dsn(outcome)}, ` +
    `${found === undefined ? '' : `class=${found}, `}status=${statusWord(outcome, at, event)} (${outcomeText(outcome)})`
  )
}

export function outcomeText(outcome: Outcome): string {
  return outcome.kind === 'delivered' ? remoteReplyLine(outcome.receipt.reply) : outcome.text
}

function dsn(outcome: Outcome): string {
  if (outcome.kind === 'delivered') return outcome.receipt.reply.status ?? '2.0.0'
  if (outcome.kind === 'failed') return outcome.reply?.status ?? outcome.status ?? '5.0.0'
  return outcome.reply?.status ?? '4.4.0'
}

// Names of clients need the resolver; until then they are what Postfix calls a client without a name.
const clientText = (session: Session): string => `unknown[${session.client.address}]`

const seconds = (ms: number): string => String(Math.round(ms / 10) / 100)
