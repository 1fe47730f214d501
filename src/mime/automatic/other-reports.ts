/**
 * Reports that are no bounces: feedback about abuse (RFC 5965), disposition notifications (RFC 8098), and the notifications
 * in JSON of Amazon SES, which may be either. Read from parts in the form the standards give them, or not at all.
 */
import type { Status } from '#mail/status.ts'
import { bodyOctets, partText } from '../decoded-text.ts'
import { fieldValue, type Part, readFields, type Structure, type TextField } from '../structure.ts'
import { addressesIn, fieldAddress } from './addresses.ts'
import {
  type Dsn,
  type DsnRecipient,
  type FeedbackReport,
  type Mdn,
  NO_RECIPIENT,
  printable,
} from './automatic-mail.ts'
import { deriveStatus } from './derived-status.ts'
import { type Notice, readNotice, returnedField, returnedTokens } from './notice.ts'
import { RECIPIENTS_MAX } from './status-fields.ts'

/** Reads a feedback report; undefined if it is none. */
export function readFeedback(text: string, structure: Structure, subject: string): FeedbackReport | undefined {
  const part = structure.parts.find(({ type }) => type === 'message/feedback-report')
  const notice = readNotice(text, structure)
  const isComplaint = /^complaint about message/i.test(subject)
  const fields = part !== undefined ? reportFields(text, part) : isComplaint ? hotmailFields(notice) : undefined
  if (fields === undefined) return undefined
  const type = /[a-z-]+/.exec((fieldValue(fields, 'feedback-type') ?? 'other').toLowerCase())?.[0] ?? 'other'
  const mailFrom = fieldAddress(fieldValue(fields, 'original-mail-from') ?? '')
  const sourceIp = fieldValue(fields, 'source-ip')
  const messageId = returnedField(notice, 'message-id')
  const recipients = fields.filter(({ name }) => name === 'original-rcpt-to').slice(0, RECIPIENTS_MAX)
  return {
    type,
    ...(mailFrom && { originalMailFrom: mailFrom }),
    originalRecipients: recipients.flatMap(({ value }) => fieldAddress(value) ?? []),
    ...(sourceIp && { sourceIp: printable(sourceIp, 60) }),
    ...(messageId && { originalMessageId: printable(messageId, 250) }),
    ...returnedTokens(notice),
    ...returnedRecipients(notice),
  }
}

const RECIPIENT_FIELDS: readonly string[] = ['delivered-to', 'x-original-to', 'x-envelope-to', 'to', 'cc']
const RETURNED_RECIPIENTS_MAX = 100

function returnedRecipients({ returnedFields }: Notice): { readonly returnedRecipients?: readonly string[] } {
  const fields = returnedFields.filter(({ name }) => RECIPIENT_FIELDS.includes(name)).slice(0, 10)
  const found = [...new Set(fields.flatMap(({ value }) => addressesIn(value).map(({ address }) => printable(address))))]
  return found.length === 0 ? {} : { returnedRecipients: found.slice(0, RETURNED_RECIPIENTS_MAX) }
}

// Outlook.com's complaints are older than the standard: the message comes back with two fields of theirs at its top.
function hotmailFields(notice: Notice): TextField[] | undefined {
  const recipient = fieldValue(notice.returnedFields, 'x-hmxmroriginalrecipient')
  if (recipient === undefined) return undefined
  return [
    { name: 'feedback-type', value: 'abuse' },
    { name: 'original-rcpt-to', value: recipient },
  ]
}

/** Reads a disposition notification; undefined if there is no part of that type. */
export function readMdn(text: string, structure: Structure): Mdn | undefined {
  const part = structure.parts.find(
    ({ type }) => type === 'message/disposition-notification' || type === 'message/global-disposition-notification',
  )
  if (part === undefined) return undefined
  const fields = reportFields(text, part)
  const disposition = fieldValue(fields, 'disposition')
  const recipient = addressesIn(fieldValue(fields, 'final-recipient') ?? '')[0]?.address
  const messageId = fieldValue(fields, 'original-message-id')
  return {
    ...(disposition && { disposition: printable(disposition, 200) }),
    ...(recipient && { recipient: printable(recipient) }),
    ...(messageId && { originalMessageId: printable(messageId, 250) }),
  }
}

function reportFields(text: string, part: Part): TextField[] {
  const body = bodyOctets(text, part)
  // Blank lines and stray MIME fields before the report's own fields are common.
  const fields: TextField[] = []
  let at = 0
  for (let i = 0; i < 4 && at < body.length; i++) {
    const read = readFields(body, at, body.length)
    fields.push(...read.fields)
    if (read.bodyStart <= at) break
    at = read.bodyStart
  }
  return fields
}

/** Amazon SES tells of bounces and complaints in JSON, by mail from its notification service. */
export function readSesNotification(
  text: string,
  structure: Structure,
): { dsn: Dsn } | { feedback: FeedbackReport } | undefined {
  const part = structure.parts.find(({ type }) => type === 'text/plain')
  if (part === undefined || !/notificationType|eventType/.test(text.slice(part.bodyStart, part.bodyStart + 4000))) {
    return undefined
  }
  const outer = json(partText(text, part))
  const message = typeof outer?.['Message'] === 'string' ? json(outer['Message']) : outer
  const kind = String(message?.['notificationType'] ?? message?.['eventType'] ?? '')
  const body = record(message?.[kind.toLowerCase()])
  if (message === undefined || body === undefined) return undefined
  const mail = record(message['mail'])
  const id = typeof mail?.['messageId'] === 'string' ? { originalMessageId: printable(mail['messageId'], 250) } : {}
  if (kind === 'Complaint') {
    const originalRecipients = list(body['complainedRecipients']).flatMap((one) => string(one['emailAddress']) ?? [])
    return { feedback: { type: 'abuse', originalRecipients, ...id } }
  }
  if (kind !== 'Bounce' && kind !== 'Delivery') return undefined
  const recipients = kind === 'Bounce' ? bounced(body) : delivered(body)
  const note = recipients.length === 0 && { note: NO_RECIPIENT }
  return { dsn: { format: 'amazon-sns', recipients, ...note, ...id } }
}

function bounced(body: JsonRecord): DsnRecipient[] {
  return list(body['bouncedRecipients']).flatMap((one): DsnRecipient[] => {
    const recipient = string(one['emailAddress'])
    if (recipient === undefined) return []
    const diagnostic = string(one['diagnosticCode'])?.replace(/^smtp; ?/i, '')
    const action = string(one['action']) === 'delayed' ? 'delayed' : 'failed'
    const derived = deriveStatus(diagnostic ?? '', action)
    const given = /^[245]\.\d{1,3}\.\d{1,3}$/.exec(string(one['status']) ?? '')?.[0] as Status | undefined
    const known: DsnRecipient = {
      recipient,
      action,
      status: given ?? derived.status,
      statusSource: given === undefined ? derived.source : 'report',
      ...(diagnostic !== undefined && { diagnostic }),
      ...(derived.replyCode !== undefined && { replyCode: derived.replyCode }),
    }
    return [known]
  })
}

function delivered(body: JsonRecord): DsnRecipient[] {
  const addresses = items(body['recipients'])
  const response = string(body['smtpResponse']) ?? ''
  const said = /\b2\.\d{1,3}\.\d{1,3}\b/.exec(response)?.[0] as Status | undefined
  const status: Status = said ?? '2.0.0'
  const statusSource = said === undefined ? 'action' : 'report'
  return addresses.flatMap((address): DsnRecipient[] => {
    const recipient = string(address)
    if (recipient === undefined) return []
    return [{ recipient, action: 'delivered', status, statusSource, ...(response && { diagnostic: response }) }]
  })
}

type JsonRecord = Readonly<Record<string, unknown>>

const record = (value: unknown): JsonRecord | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonRecord) : undefined
const list = (value: unknown): JsonRecord[] =>
  items(value).flatMap((one): JsonRecord[] => {
    const found = record(one)
    return found === undefined ? [] : [found]
  })
const items = (value: unknown): unknown[] => (Array.isArray(value) ? value.slice(0, RECIPIENTS_MAX) : [])
const string = (value: unknown): string | undefined =>
  typeof value === 'string' ? printable(value) || undefined : undefined

// The JSON object at the top of a text; the footer behind it is not JSON, and long lines were folded on the way.
function json(text: string): JsonRecord | undefined {
  const from = text.indexOf('{')
  const footer = text.search(/\n--\s/)
  const to = text.slice(0, footer < 0 ? undefined : footer).lastIndexOf('}')
  if (from < 0 || to < from) return undefined
  const object = text.slice(from, to + 1)
  for (const candidate of [object, object.replace(/\r?\n ?/g, '')]) {
    try {
      return record(JSON.parse(candidate))
    } catch {
      // The next candidate, or none.
    }
  }
  return undefined
}

/** The text that a person reads first, for those who look for words in it. */
export function openingText(text: string, structure: Structure): string {
  const part = structure.parts.find(({ type }) => type.startsWith('text/'))
  return part === undefined ? '' : partText(text, part).slice(0, 4000)
}
