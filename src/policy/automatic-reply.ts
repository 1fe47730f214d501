/**
 * R2: which counter an automatic reply is taken from, and what is said when it is used up. One counter for each absent
 * mailbox and correspondent, or for the mailbox alone.
 */
import { type ForwardPath, type Mailbox, mailboxKey, parseMailbox, type ReversePath } from '#mail/address.ts'
import type { AutoReplyLimit } from '#tenant/directory.ts'
import { readTag } from './prvs.ts'

/** Replies whose author nobody can tell are counted together: a fault of the server must not make them unlimited. */
const UNKNOWN_AUTHOR = 'unknown'

/**
 * Who is absent: the author of the reply as its header says (RFC 3834 §3.1.2), else the reversePath, which is often `<>`
 * (RFC 3834 §3.3) or has a tag.
 */
export function absentMailbox(author: string | undefined, reversePath: ReversePath): string {
  const written = author === undefined ? undefined : parseMailbox(author)
  if (written?.ok) return plainKey(written.value)
  return reversePath.kind === 'mailbox' ? plainKey(reversePath.mailbox) : UNKNOWN_AUTHOR
}

const plainKey = (mailbox: Mailbox): string => mailboxKey(readTag(mailbox)?.mailbox ?? mailbox)

export const correspondentKey = (path: ForwardPath): string =>
  path.kind === 'mailbox' ? plainKey(path.mailbox) : 'postmaster'

/** The name of a counter within its tenant. A space cannot stand in both halves unquoted, and nobody parses it. */
export function replyCounter(absent: string, correspondent: string, { per }: AutoReplyLimit): string {
  return per === 'mailbox' ? absent : `${absent} ${correspondent}`
}

export function overLimitText(absent: string, correspondent: string, { limit, windowMs, per }: AutoReplyLimit): string {
  const to = per === 'mailbox' ? '' : ` to ${correspondent}`
  return `automatic reply of ${absent}${to}: more than ${limit} within ${windowText(windowMs)}`
}

const HOUR_MS = 3_600_000
const windowText = (ms: number): string => (ms % HOUR_MS === 0 ? `${ms / HOUR_MS} h` : `${Math.round(ms / 60_000)} min`)
