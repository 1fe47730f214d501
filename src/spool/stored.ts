/** Puts a message together again: what was written at reception, and its present state. */
import type { Content } from '#mail/content.ts'
import type { Envelope } from '#mail/envelope.ts'
import type { NewMessage, Redirect, Redirected, StoredMessage } from '#mail/stored.ts'
import { recipientStates } from './change.ts'
import type { Entry } from './entry.ts'

export function stored(entry: Entry, message: NewMessage, content: Content): StoredMessage {
  const { route, attempts, nextAttemptMs, lastText, redirects, delayTold } = entry
  return {
    ...message,
    route,
    recipients: recipientStates(entry),
    attempts,
    nextAttemptMs,
    ...(lastText === undefined ? {} : { lastText }),
    ...(delayTold && { delayTold }),
    ...(redirects && redirectedBy(redirects, message.envelope)),
    content,
  }
}

/** RFC 5321 §3.9.1: an alias replaces the address in the envelope; the reverse-path and everything else stay. */
export function redirectedBy(
  redirects: readonly Redirect[],
  envelope: Envelope,
): { envelope: Envelope; redirected: readonly Redirected[] } {
  const recipients = [...envelope.recipients]
  const redirected: Redirected[] = []
  for (const { recipient, forwardPath, atMs } of redirects) {
    const old = recipients[recipient]
    if (old === undefined) continue
    recipients[recipient] = { ...old, forwardPath }
    redirected.push({ recipient, original: old.forwardPath, atMs })
  }
  return { envelope: { ...envelope, recipients }, redirected }
}
