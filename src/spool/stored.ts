/** Puts a message together again: what was written at reception, and its present state. */
import type { Content } from '#mail/content.ts'
import type { NewMessage, StoredMessage } from '#mail/stored.ts'
import { recipientStates } from './change.ts'
import type { Entry } from './entry.ts'

export function stored(entry: Entry, message: NewMessage, content: Content): StoredMessage {
  const { route, attempts, nextAttemptMs, lastText } = entry
  return {
    ...message,
    route,
    recipients: recipientStates(entry),
    attempts,
    nextAttemptMs,
    ...(lastText === undefined ? {} : { lastText }),
    content,
  }
}
