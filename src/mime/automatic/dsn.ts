/**
 * A bounce, put together from what there is: the report part of RFC 3464, lines of one in plain text, the field that Exim and
 * Google write, the words of the notice, the returned message. Each is asked only for what the better one did not say.
 */
import type { Status } from '#mail/status.ts'
import { bodyOctets, fromCharset } from '../decoded-text.ts'
import { contentType, fieldValue, readFields, readStructure, type Structure, type TextField } from '../structure.ts'
import { addressesIn, domainOf, fieldAddress, sameAddress } from './addresses.ts'
import {
  type Dsn,
  type DsnAction,
  type DsnFormat,
  type DsnRecipient,
  NO_RECIPIENT,
  printable,
} from './automatic-mail.ts'
import { deriveStatus, isVague, remoteStatus } from './derived-status.ts'
import { formatOf, isDelay } from './formats.ts'
import { type Notice, readNotice, returnedField, returnedTokens } from './notice.ts'
import { bareRecipient, type NamedRecipient, namedRecipients } from './notice-recipients.ts'
import { type ReportedRecipient, readStatusFields, type StatusReport } from './status-fields.ts'

export interface ReadDsn {
  readonly dsn: Dsn
  readonly notice: Notice
  readonly hasReportPart: boolean
  /** How the recipients were found. */
  readonly source: 'report' | 'text-fields' | 'failed-recipients-field' | 'notice' | 'returned-message' | 'none'
}

/** Reads a message as a bounce; whether it is one is for the caller to judge. */
export function readDsn(text: string, header: readonly TextField[], structure: Structure, subject: string): ReadDsn {
  const read = readOuter(text, header, structure, subject)
  if (read.source !== 'none' && read.source !== 'returned-message') return read
  const inner = wrapped(text, read, subject)
  return inner === undefined ? read : { ...read, dsn: inner.dsn, source: inner.source }
}

// A gateway that returns a bounce within a notice of its own, which then names nobody.
function wrapped(text: string, { dsn }: ReadDsn, subject: string): ReadDsn | undefined {
  const offset = dsn.returned?.offset
  if (offset === undefined || dsn.returned?.form !== 'message') return undefined
  const inner = text.slice(offset)
  const { fields, bodyStart } = readFields(inner, 0, Math.min(inner.length, WRAPPED_HEADER_OCTETS_MAX))
  const { type, parameters } = contentType(fieldValue(fields, 'content-type') ?? '')
  if (type !== 'multipart/report' || parameters.get('report-type')?.toLowerCase() !== 'delivery-status')
    return undefined
  const read = readOuter(inner, fields, readStructure(inner, fields, bodyStart), subject)
  if (read.dsn.recipients.length === 0) return undefined
  const { returned, ...rest } = read.dsn
  if (returned === undefined) return read
  const placed = returned.offset === undefined ? returned : { ...returned, offset: returned.offset + offset }
  return { ...read, dsn: { ...rest, returned: placed } }
}

/** Of a bounce in a bounce. */
const WRAPPED_HEADER_OCTETS_MAX = 64 * 1024

function readOuter(text: string, header: readonly TextField[], structure: Structure, subject: string): ReadDsn {
  const notice = readNotice(text, structure)
  const report = reportPart(text, structure)
  const inText = report === undefined ? readStatusFields(notice.lines.join('\n')) : undefined
  const said = notice.lines.join('\n')
  const action: DsnAction = isDelay(subject, said) ? 'delayed' : 'failed'
  const own = ownAddresses(header)
  const named = namedRecipients(notice.lines, own)
  const context: Context = { notice, named, said, action, header }
  const best = report ?? (inText?.recipients.length ? inText : undefined)
  const fromReport = best === undefined ? [] : reportedRecipients(best, context)
  const found = fromReport.length > 0 ? fromReport : wordedRecipients(context)
  const source =
    fromReport.length > 0
      ? report !== undefined
        ? 'report'
        : 'text-fields'
      : found.length > 0
        ? sourceOf(context)
        : 'none'
  const dsn: Dsn = {
    format: formatFor(report, inText, notice, header),
    recipients: found,
    ...originalOf(best, notice),
    ...(notice.returned && { returned: notice.returned }),
    ...noteFor(found, best, structure),
  }
  return { dsn, notice, hasReportPart: report !== undefined, source }
}

interface Context {
  readonly notice: Notice
  readonly named: readonly NamedRecipient[]
  /** The whole notice. */
  readonly said: string
  /** What a notice in words is about. */
  readonly action: DsnAction
  readonly header: readonly TextField[]
}

const REPORT_TYPES = new Set(['message/delivery-status', 'message/global-delivery-status'])

export const isReportType = (type: string): boolean => REPORT_TYPES.has(type)

function reportPart(text: string, structure: Structure): StatusReport | undefined {
  const parts = structure.parts.filter(({ type }) => isReportType(type))
  if (parts.length === 0) return undefined
  const reports = parts.map((part) => readStatusFields(fromCharset(bodyOctets(text, part), '')))
  const whole = reports.filter((report) => report !== undefined)
  // Some write one part per recipient.
  return { ...whole[0], recipients: whole.flatMap(({ recipients }) => recipients), cut: whole.some(({ cut }) => cut) }
}

function formatFor(
  report: StatusReport | undefined,
  inText: StatusReport | undefined,
  notice: Notice,
  header: readonly TextField[],
): DsnFormat {
  if (report !== undefined) return 'rfc3464'
  if (inText?.recipients.length) return 'status-fields-in-text'
  return formatOf(notice.lines, header)
}

// The reader of the notice and who wrote it.
function ownAddresses(header: readonly TextField[]): string[] {
  const names = ['to', 'from', 'reply-to', 'sender', 'return-path', 'delivered-to']
  return header
    .filter(({ name }) => names.includes(name))
    .slice(0, 20)
    .flatMap(({ value }) => addressesIn(value).map(({ address }) => address))
}

function originalOf(report: StatusReport | undefined, notice: Notice): Partial<Dsn> {
  const messageId = returnedField(notice, 'message-id')
  return {
    ...(report?.reportingMta && { reportingMta: report.reportingMta }),
    ...(report?.originalEnvelopeId && { originalEnvelopeId: report.originalEnvelopeId }),
    ...(messageId && { originalMessageId: printable(messageId, 250) }),
    ...returnedTokens(notice),
  }
}

function noteFor(found: readonly DsnRecipient[], report: StatusReport | undefined, structure: Structure): Partial<Dsn> {
  if (found.length === 0) return { note: NO_RECIPIENT }
  if (report?.cut || structure.cut) return { note: 'more than the limits allow; the rest was not read' }
  return {}
}

function reportedRecipients(report: StatusReport, context: Context): DsnRecipient[] {
  const { named } = context
  const only = report.recipients.length === 1
  return report.recipients.flatMap((reported) => {
    const match = namedFor(reported, named) ?? (only && named.length === 1 ? named[0] : undefined)
    // Some name nobody in the report, but do in the words above it.
    const recipient = bestName(reported, match)
    if (recipient === undefined) return []
    return [completed(recipient, reported, match?.diagnostic ?? (only ? context.said : ''))]
  })
}

function bestName(reported: ReportedRecipient, match: NamedRecipient | undefined): string | undefined {
  if (reported.recipient?.includes('@')) return reported.recipient
  return reported.originalRecipient ?? match?.recipient ?? reported.recipient
}

const namedFor = (reported: ReportedRecipient, named: readonly NamedRecipient[]): NamedRecipient | undefined => {
  const wanted = [reported.recipient, reported.originalRecipient].map((address) => address?.toLowerCase())
  return named.find(({ recipient }) => wanted.includes(recipient.toLowerCase()))
}

function completed(recipient: string, reported: ReportedRecipient, words: string): DsnRecipient {
  const action = reported.action ?? (reported.status?.[0] === '4' ? 'delayed' : 'failed')
  const { replyCode, ...known } = statusOf(reported, action, words)
  const original = reported.originalRecipient
  return {
    recipient,
    ...(original !== undefined && original !== recipient && { originalRecipient: original }),
    action,
    ...known,
    ...(reported.diagnostic ? { diagnostic: reported.diagnostic } : words && { diagnostic: printable(words) }),
    ...(replyCode !== undefined && { replyCode }),
    ...(reported.remoteMta && { remoteMta: reported.remoteMta }),
  }
}

function statusOf(
  reported: ReportedRecipient,
  action: DsnAction,
  words: string,
): { status: Status; statusSource: DsnRecipient['statusSource']; replyCode?: number } {
  const byDiagnostic = deriveStatus(reported.diagnostic ?? '', action)
  const byWords = byDiagnostic.source === 'action' ? deriveStatus(words, action) : byDiagnostic
  const replyCode = byDiagnostic.replyCode ?? byWords.replyCode
  const code = replyCode === undefined ? {} : { replyCode }
  // Nearer to the cause: reporters write 4.4.7 or 5.1.1 for many things, the remote server knew which.
  const remote = remoteStatus(reported.diagnostic ?? '')
  if (remote !== undefined && remote !== reported.status) return { status: remote, statusSource: 'diagnostic', ...code }
  if (reported.status !== undefined && !isVague(reported.status)) {
    return { status: reported.status, statusSource: 'report', ...code }
  }
  const derived = [byDiagnostic, byWords].find(({ status, source }) => source !== 'action' && !isVague(status))
  // A phrase is an opinion, and no reason to doubt the reporter who says no more than "failed".
  const isBetter = reported.status === undefined || derived?.source === 'diagnostic'
  if (derived?.status !== undefined && isBetter)
    return { status: derived.status, statusSource: derived.source, ...code }
  if (reported.status !== undefined) return { status: reported.status, statusSource: 'report', ...code }
  return { status: byWords.status, statusSource: byWords.source, ...code }
}

function sourceOf({ header, named }: Context): ReadDsn['source'] {
  if (failedRecipients(header).length > 0) return 'failed-recipients-field'
  return named.length > 0 ? 'notice' : 'returned-message'
}

// X-Failed-Recipients: Exim's, also written by Google.
function failedRecipients(header: readonly TextField[]): string[] {
  const values = header.filter(({ name }) => name === 'x-failed-recipients').map(({ value }) => value)
  return [...new Set(values.flatMap((value) => addressesIn(value).map(({ address }) => address)))]
}

function wordedRecipients(context: Context): DsnRecipient[] {
  const { header, named, said, action } = context
  const listed = failedRecipients(header)
  if (listed.length > 0) {
    return listed.map((recipient) => {
      const match = named.find((one) => one.recipient.toLowerCase() === recipient.toLowerCase())
      return worded({ recipient, diagnostic: '', ...match }, action, listed.length === 1 ? said : '')
    })
  }
  if (named.length > 0) return named.map((one) => worded(one, action, named.length === 1 ? said : ''))
  const other = bareWithDomain(context) ?? returnedRecipient(context)
  return other === undefined ? [] : [worded({ recipient: other, diagnostic: '' }, action, said)]
}

function worded(named: NamedRecipient, action: DsnAction, said: string): DsnRecipient {
  const own = deriveStatus(named.diagnostic, action)
  const derived = own.source === 'action' ? deriveStatus(said, action) : own
  const diagnostic = printable(named.diagnostic) || printable(said)
  return {
    recipient: printable(named.recipient),
    ...(named.generatedFrom !== undefined && { originalRecipient: printable(named.generatedFrom) }),
    action,
    status: derived.status,
    statusSource: derived.source,
    ...(diagnostic && { diagnostic }),
    ...(derived.replyCode !== undefined && { replyCode: derived.replyCode }),
    ...remoteMtaIn(named.diagnostic),
  }
}

function remoteMtaIn(diagnostic: string): { remoteMta?: string } {
  const host = /\b(?:host:? |remote host |Server )([\w.-]{3,255}\.[\w-]{1,60})/i.exec(diagnostic.slice(0, 4000))?.[1]
  return host === undefined ? {} : { remoteMta: host }
}

function bareWithDomain({ notice, header }: Context): string | undefined {
  const word = bareRecipient(notice.lines)
  const from = fieldAddress(header.find(({ name }) => name === 'from')?.value ?? '')
  return word === undefined || from === undefined ? word : `${word}@${domainOf(from)}`
}

// Who the returned message was for, if it was for one: its envelope fields, a Received clause, or To. Not who gets the
// notice: he sent it.
function returnedRecipient({ notice, header }: Context): string | undefined {
  const sender = fieldAddress(fieldValue(header, 'to') ?? '')
  const isOther = (address: string): boolean => sender === undefined || !sameAddress(address, sender)
  for (const name of ['x-envelope-to', 'delivered-to', 'x-original-to', 'received']) {
    for (const { value } of notice.returnedFields.filter((field) => field.name === name)) {
      const clause = name === 'received' ? /\bfor <?([^\s<>;]{3,300}@[^\s<>;]{1,255})/.exec(value)?.[1] : value
      const address = clause === undefined ? undefined : fieldAddress(clause)
      if (address !== undefined && isOther(address)) return address
    }
  }
  const to =
    returnedField(notice, 'to') ?? notice.lines.map((line) => /^\s{0,5}To:(.{3,300})$/.exec(line)?.[1]).find(Boolean)
  const addresses = addressesIn(to ?? '').filter(({ address }) => isOther(address))
  return addresses.length === 1 ? addresses[0]!.address : undefined
}
