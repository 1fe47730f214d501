/**
 * What is remembered of a message, and what a bounce says of the message that it is about; where the two agree in one
 * fact, the bounce is real. Several facts, because reporters leave out one or the other: the Message-ID, and
 * each pair of sender and recipient; and of each message each recipient, which says most.
 */
import { type Mailbox, mailboxKey, parseMailbox } from '#mail/address.ts'
import type { Envelope } from '#mail/envelope.ts'
import type { Dsn } from '#mime/automatic/automatic-mail.ts'

export function sentFacts({ reversePath, recipients }: Envelope, messageId: string | undefined): string[] {
  const facts = messageId === undefined ? [] : [messageIdFact(messageId)]
  if (reversePath.kind === 'null') return facts
  for (const { forwardPath } of recipients) {
    if (forwardPath.kind !== 'mailbox') continue
    const key = mailboxKey(forwardPath.mailbox)
    facts.push(pairFact(reversePath.mailbox, key))
    if (messageId !== undefined) facts.push(wentToFact(messageId, key))
  }
  return facts
}

/** Facts that the bounce claims; none, if it says nothing that could be on record. `to` are the bounce's recipients. */
export function claimedFacts(dsn: Dsn, to: readonly Mailbox[]): string[] {
  const facts = dsn.originalMessageId === undefined ? [] : [messageIdFact(dsn.originalMessageId)]
  for (const { recipient, originalRecipient } of dsn.recipients) {
    for (const text of [recipient, originalRecipient]) {
      const read = text === undefined ? undefined : parseMailbox(text)
      if (read?.ok) for (const sender of to) facts.push(pairFact(sender, mailboxKey(read.value)))
    }
  }
  return facts
}

/** Of mail that left: this message went to this `mailboxKey`. */
export const wentToFact = (messageId: string, recipient: string): string => `to ${bare(messageId)} ${recipient}`

/** Of mail that came in: which message, and its reversePath. Recorded only where that was verified. */
export const returnPathFact = (messageId: string, reversePath: Mailbox): string =>
  `from ${bare(messageId)} ${mailboxKey(reversePath)}`

const messageIdFact = (messageId: string): string => `id ${bare(messageId)}`
// Reporters write it with or without its brackets.
const bare = (messageId: string): string => messageId.trim().replace(/^<|>$/g, '')
const pairFact = (sender: Mailbox, recipient: string): string => `pair ${mailboxKey(sender)} ${recipient}`
