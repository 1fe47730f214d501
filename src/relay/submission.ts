/**
 * What a user's own mail program may send (RFC 6409): as whom, and what it forgot that every message must have. Mail of other
 * servers is never touched (RFC 5321 §6.4).
 *
 * Two addresses are looked at: the reverse-path, and every author in From (RFC 5322 §3.6.2), since the second is what people
 * see. A From that our reader cannot read as a whole is refused: what a receiver would show in its place is anybody's guess.
 */
import { type Mailbox, mailboxText } from '#mail/address.ts'
import { domainText } from '#mail/domain.ts'
import type { Session, Transaction } from '#mail/session.ts'
import type { Defer, Reject } from '#mail/verdict.ts'
import { addressList } from '#mime/address-list.ts'
import { type HeaderSection, unfolded } from '#mime/header-section.ts'
import { dateTime } from '#mime/trace-fields.ts'
import * as refusals from './refusals.ts'

/** `isOwn`: of a domain of the tenant's. */
export function mayUse(mailbox: Mailbox, { authenticated }: Session, isOwn: (mailbox: Mailbox) => boolean): boolean {
  if (!isOwn(mailbox)) return false
  const senders = authenticated?.senders ?? []
  if (senders.length === 0) return true
  const [address, domain] = [mailboxText(mailbox).toLowerCase(), `@${domainText(mailbox.domain)}`.toLowerCase()]
  return senders.some((sender) => sender.toLowerCase() === address || sender.toLowerCase() === domain)
}

/** Undefined: every author is the user's to use. `refusal` says so of one of them. */
export function authorsRefusal(
  header: HeaderSection,
  refusal: (mailbox: Mailbox) => Reject | Defer | undefined,
): Reject | Defer | undefined {
  const fields = header.fields.filter(({ name }) => name === 'from')
  // RFC 5322 §3.6: exactly one.
  if (fields.length !== 1) return refusals.authorsUnreadable(`${fields.length} From fields`)
  const authors = addressList(Buffer.from(unfolded(fields[0]!), 'latin1').toString())
  if (authors === undefined || authors.length === 0) return refusals.authorsUnreadable('From cannot be read')
  for (const author of authors) {
    const refused = refusal(author)
    if (refused !== undefined) return refused
  }
  return undefined
}

/** RFC 6409 §8.1, §8.2: what the message lacks, as fields with CRLF. */
export function missingFields(
  header: HeaderSection,
  transaction: Pick<Transaction, 'id'>,
  hostname: string,
  wallMs: number,
): string {
  const has = (name: string) => header.fields.some((field) => field.name === name)
  const date = has('date') ? '' : `Date: ${dateTime(wallMs)}\r\n`
  return has('message-id') ? date : `${date}Message-ID: ${ownMessageId(transaction, hostname)}\r\n`
}

export const ownMessageId = ({ id }: Pick<Transaction, 'id'>, hostname: string): string => `<${id}@${hostname}>`
