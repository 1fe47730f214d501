/**
 * The questions that a receiving session asks of the path. The protocol machine asks, `relay.ts` answers, `accept/`
 * carries the answer back. Answers may come at once or later; until then the session executes nothing further.
 */

import type { Content } from './content.ts'
import type { Custody, DiscardRecord } from './custody.ts'
import type { Recipient } from './envelope.ts'
import type { PositiveReply } from './reply.ts'
import type { Authenticated, Session, Transaction } from './session.ts'
import type { Defer, Gate, Reject } from './verdict.ts'

export type Soon<T> = T | Promise<T>

/**
 * Law 1 as a type: no acceptance of content without custody, no discard without a record. `vanish`: nobody can say whether we have the message (a
 * sync failed half-way), so neither a 2yz nor a 4yz would be true; the connection closes without a reply.
 */
export type ContentAnswer =
  | { readonly kind: 'accept'; readonly custody: Custody }
  | Discarded
  | Reject
  | Defer
  | { readonly kind: 'vanish' }

/** Answered 250 like an acceptance; nobody has the message any more, and the report knows why. */
export interface Discarded {
  readonly kind: 'discard'
  readonly record: DiscardRecord
}

/** RFC 1985 §5: the acceptance has a code of its own for what was found. */
export type EtrnAnswer = { readonly kind: 'accept'; readonly reply: PositiveReply } | Reject | Defer

/** One line of an exchange (RFC 4954 §4), decoded. A `start` ends whatever exchange was open before. */
export type AuthStep =
  | { readonly kind: 'start'; readonly mechanism: string; readonly initial?: Uint8Array }
  | { readonly kind: 'response'; readonly response: Uint8Array }

export type AuthAnswer =
  | { readonly kind: 'challenge'; readonly challenge: Uint8Array }
  | { readonly kind: 'authenticated'; readonly as: Authenticated }
  | Reject
  | Defer

export interface Decisions {
  /** Before the greeting. */
  connect(session: Session): Soon<Gate>
  /** After MAIL was understood; the transaction exists, without recipients. */
  mail(transaction: Transaction): Soon<Gate>
  /** For each RCPT; the recipient is added to the envelope after an acceptance, by the machine. */
  rcpt(transaction: Transaction, recipient: Recipient): Soon<Gate>
  /** Before 354, or before the first BDAT is executed: may there be content at all? */
  data(transaction: Transaction): Soon<Gate>
  /** After the final dot, before its reply. */
  content(transaction: Transaction, content: Content): Soon<ContentAnswer>
  /** RFC 1985. Absent: 502. */
  etrn?(session: Session, argument: string): Soon<EtrnAnswer>
  /** AUTH, one line of it. Absent: no password is right. */
  auth?(session: Session, step: AuthStep): Soon<AuthAnswer>
  /** A transaction ended without content: RSET, EHLO, STARTTLS, QUIT or loss of the connection. */
  abandoned(transaction: Transaction): void
  /** The session is over. */
  closed(session: Session, why: 'quit' | 'lost' | 'timeout' | 'refused' | 'shutdown' | 'error'): void
}
