/**
 * MAIL and RCPT (RFC 5321 §4.1.1.2, §4.1.1.3): read, checked, put to the path as a question, and answered. The envelope
 * gets a recipient only after the path has accepted it.
 *
 * Spaces behind `FROM:` and `TO:` are tolerated (RFC 5321 §3.3 forbids them; old Windows clients send them). Addresses
 * without angle brackets are not.
 */
import { parseForwardPath, parseReversePath } from '#mail/address.ts'
import { type NegativeReply, type PermanentReply, permanent, transient } from '#mail/reply.ts'
import type { Gate } from '#mail/verdict.ts'
import { mechanismsNow } from './auth-commands.ts'
import type { Question } from './contract.ts'
import {
  type MailDraft,
  type ParameterFault,
  type RcptDraft,
  readMailParameters,
  readRcptParameters,
} from './parameters.ts'
import type { SessionState } from './session-state.ts'

const BAD_REVERSE_PATH = permanent(501, '5.1.7', 'Bad reverse-path syntax')
const BAD_FORWARD_PATH = permanent(501, '5.1.3', 'Bad forward-path syntax')
const NEEDS_SMTPUTF8 = permanent(553, '5.6.7', 'Address with characters outside ASCII needs SMTPUTF8')
const UNKNOWN_PARAMETER = permanent(555, '5.5.4', 'Parameter not recognized or not announced')
const BAD_PARAMETER = permanent(501, '5.5.4', 'Bad parameter value')
const TOO_LARGE = permanent(552, '5.3.4', 'Message size exceeds the limit')
const TOO_MANY_RECIPIENTS = transient(452, '4.5.3', 'Too many recipients')
const TOO_MANY_TRANSACTIONS = transient(421, '4.7.0', 'Too many transactions in this session')

const SENDER_OK = { code: 250, status: '2.1.0', text: 'Ok' } as const
const RECIPIENT_OK = { code: 250, status: '2.1.5', text: 'Ok' } as const

const FROM = 'FROM:'
const TO = 'TO:'
export const hasReversePath = (argument: string): boolean => startsWithWord(argument, FROM)
export const hasForwardPath = (argument: string): boolean => startsWithWord(argument, TO)

export function mail(state: SessionState, argument: string): NegativeReply | undefined {
  const { limits } = state.settings
  // Announced as MAILMAX (RFC 9422).
  if (state.session.tally.transactions >= limits.transactionsMax) {
    state.closeWith(TOO_MANY_TRANSACTIONS, 'refused')
    return undefined
  }
  const text = afterSpaces(argument, FROM.length)
  const path = parseReversePath(text)
  if (!path.ok) return BAD_REVERSE_PATH
  const draft: MailDraft = { reversePath: path.value, recipients: [], body: '7bit', smtputf8: false }
  const parameters = text.slice(path.end)
  const announced = { auth: mechanismsNow(state).length > 0, requireTls: state.session.tls !== undefined }
  const fault = parametersAllowed(state, parameters) ? readMailParameters(parameters, draft, announced) : UNANNOUNCED
  const refusal = fault === undefined ? mailRefusal(state, draft, text) : parameterRefusal(fault)
  if (refusal !== undefined) return refusal
  state.ask({ kind: 'mail', transaction: state.newTransaction(draft) })
  return undefined
}

export function mailAnswered(state: SessionState, gate: Gate): void {
  if (gate.kind === 'accept') {
    state.enter('mail')
    state.say(SENDER_OK)
    return
  }
  // The path ended it itself: it need not be told that the transaction is over.
  state.endTransaction()
  state.decline(gate.reply)
}

export function rcpt(state: SessionState, argument: string): NegativeReply | undefined {
  const transaction = state.transaction
  if (transaction === undefined) throw new Error('RCPT without a transaction')
  const { recipients, smtputf8 } = transaction.envelope
  const text = afterSpaces(argument, TO.length)
  const path = parseForwardPath(text)
  if (!path.ok) return BAD_FORWARD_PATH
  const recipient: RcptDraft = { forwardPath: path.value }
  const parameters = text.slice(path.end)
  const fault = parametersAllowed(state, parameters) ? readRcptParameters(parameters, recipient, smtputf8) : UNANNOUNCED
  if (fault !== undefined) return parameterRefusal(fault)
  if (!smtputf8 && !isAscii(text)) return NEEDS_SMTPUTF8
  // RFC 5321 §4.5.3.1.10: the client sends the rest in another transaction. Not an error of its own.
  if (recipients.length >= state.settings.limits.recipientsMax) state.turnAway(TOO_MANY_RECIPIENTS)
  else state.ask({ kind: 'rcpt', transaction, recipient })
  return undefined
}

export function rcptAnswered(state: SessionState, question: Question & { kind: 'rcpt' }, gate: Gate): void {
  if (gate.kind === 'accept') {
    question.transaction.envelope.recipients.push(question.recipient)
    if (state.phase === 'mail') state.enter('rcpt')
    state.say(RECIPIENT_OK)
    return
  }
  if (gate.kind === 'reject') state.session.tally.recipientsRefused++
  state.decline(gate.reply)
}

const UNANNOUNCED: ParameterFault = { kind: 'unknown', keyword: '' }

// HELO announces nothing, so nothing may be used (RFC 5321 §4.1.1.11).
const parametersAllowed = (state: SessionState, parameters: string): boolean =>
  parameters === '' || state.session.extended

const parameterRefusal = (fault: ParameterFault): PermanentReply =>
  fault.kind === 'unknown' ? UNKNOWN_PARAMETER : BAD_PARAMETER

function mailRefusal(state: SessionState, draft: MailDraft, text: string): PermanentReply | undefined {
  // RFC 6531 §3.5. A U-label in the domain needs the extension too, although we could make it an A-label.
  if (!draft.smtputf8 && !isAscii(text)) return NEEDS_SMTPUTF8
  // RFC 1870 §6.1: no need to let the client send what is too large.
  return (draft.declaredOctets ?? 0) > state.settings.limits.contentOctetsMax ? TOO_LARGE : undefined
}

const startsWithWord = (argument: string, word: string): boolean =>
  argument.length > word.length && argument.slice(0, word.length).toUpperCase() === word

function afterSpaces(text: string, from: number): string {
  let at = from
  while (text.charCodeAt(at) === 0x20) at++
  return text.slice(at)
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}
