/**
 * The machine's part of a report: the fields of RFC 3464 §2.2 and §2.3, and their forms for UTF-8 (RFC 6533 §3, §4).
 */
import { type ForwardPath, mailboxText, parseMailbox } from '#mail/address.ts'
import type { RecipientReport } from '#mail/dsn.ts'
import type { Recipient } from '#mail/envelope.ts'
import type { StoredMessage } from '#mail/stored.ts'
import { exact, type OutgoingField, structured } from '#mime/header-writing.ts'
import { dateTime } from '#mime/trace-fields.ts'
import { decodeUtf8Address, decodeXtext, encodeUtf8Address } from '#smtp/server/xtext.ts'

export interface StatusFacts {
  readonly message: Pick<StoredMessage, 'id' | 'envelope' | 'reception'>
  readonly hostname: string
  readonly utf8: boolean
  /** The report goes to the tenant who sent the message from its own server. */
  readonly isOwn: boolean
  /** What may be shown of a server's words. */
  readonly said: (report: RecipientReport) => string
}

/** The groups: one of the message, then one for each recipient. */
export function statusGroups(facts: StatusFacts, reports: readonly RecipientReport[]): readonly OutgoingField[][] {
  return [messageFields(facts), ...reports.map((report) => recipientFields(facts, report))]
}

function messageFields({ message, hostname, isOwn }: StatusFacts): OutgoingField[] {
  const { envelope, reception } = message
  // RFC 3461 §4.4: what the sender gave; he knows it in its decoded form.
  const id = envelope.envid === undefined ? undefined : decodeXtext(envelope.envid)
  const client = reception.greetingName.replace(/[^\w.:[\]-]/g, '?').slice(0, 255)
  return [
    ...(id === undefined ? [] : [exact('Original-Envelope-Id', id)]),
    structured('Reporting-MTA', `dns; ${hostname}`),
    ...(isOwn && client !== '' ? [structured('Received-From-MTA', `dns; ${client}`)] : []),
    structured('Arrival-Date', dateTime(reception.receivedMs)),
  ]
}

function recipientFields(facts: StatusFacts, report: RecipientReport): OutgoingField[] {
  const { message, hostname, utf8, isOwn, said } = facts
  const { recipient, action, status, remoteMta, lastAttemptMs, willRetryUntilMs } = report
  const original = originalRecipient(recipient, utf8)
  const words = said(report)
  return [
    ...(original === undefined ? [] : [exact('Original-Recipient', original)]),
    exact('Final-Recipient', finalRecipient(recipient.forwardPath, hostname, utf8)),
    structured('Action', action),
    structured('Status', status),
    ...(isOwn && remoteMta !== undefined ? [structured('Remote-MTA', `dns; ${remoteMta}`)] : []),
    ...(words === '' ? [] : [structured('Diagnostic-Code', `${isReply(words) ? 'smtp' : 'x-vorposten'}; ${words}`)]),
    ...(lastAttemptMs === undefined ? [] : [structured('Last-Attempt-Date', dateTime(lastAttemptMs))]),
    structured('Final-Log-Id', message.id),
    // RFC 3464 §2.3.9: only with "delayed".
    ...(action === 'delayed' && willRetryUntilMs !== undefined
      ? [structured('Will-Retry-Until', dateTime(willRetryUntilMs))]
      : []),
  ]
}

/** Words of a server, not ours (RFC 3464 §2.3.6: `smtp` is for replies). */
export const isReply = (words: string): boolean => /^[2-5]\d\d(?: |$)/.test(words)

/** The mailbox of a recipient; `<Postmaster>` is ours (RFC 5321 §4.1.1.3). */
export const recipientText = (path: ForwardPath, hostname: string): string =>
  path.kind === 'postmaster' ? `Postmaster@${hostname}` : mailboxText(path.mailbox)

function finalRecipient(path: ForwardPath, hostname: string, utf8: boolean): string {
  const text = recipientText(path, hostname)
  if (path.kind === 'postmaster' || !path.mailbox.internationalized) return `rfc822; ${text}`
  return `utf-8; ${utf8 ? text : encodeUtf8Address(text)}`
}

// RFC 3461 §4.2: the type as given, the address decoded from xtext.
function originalRecipient({ orcpt }: Recipient, utf8: boolean): string | undefined {
  if (orcpt === undefined) return undefined
  const semicolon = orcpt.indexOf(';')
  const type = orcpt.slice(0, semicolon)
  const given = orcpt.slice(semicolon + 1)
  if (!/^[A-Za-z0-9-]+$/.test(type) || given === '') return undefined
  if (type.toLowerCase() === 'utf-8') {
    const address = decodeUtf8Address(given, true)
    return address === undefined ? undefined : `${type}; ${utf8Address(address, utf8)}`
  }
  const address = decodeXtext(given)
  return address === undefined ? undefined : `${type}; ${address}`
}

// RFC 6533 §3: as it is only where it is a mailbox and the report may have UTF-8; else escaped.
const utf8Address = (address: string, utf8: boolean): string =>
  utf8 && parseMailbox(address).ok ? address : encodeUtf8Address(address)
