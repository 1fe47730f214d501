/**
 * What a bounce that came by mail says of one recipient: no such mailbox (hard), anything else that failed or waits (soft),
 * or nothing bad. As strict as with a server that we talk to ourselves (relay/lessons.ts), and more: a reporter's status is a
 * word at second hand, so the words beside it must not speak of something else.
 */
import { refusalClass } from '#mail/refusal-class.ts'
import type { RemoteReply } from '#mail/reply.ts'
import type { DsnRecipient } from '#mime/automatic/automatic-mail.ts'
import { SAYS_NO_MAILBOX } from './lessons.ts'

/** A code of which nothing follows: the words alone decide (RFC 5321 §4.2.2). */
const SAYS_NOTHING = 554
const REFUSED = 550

/** Undefined: it was delivered, or expanded. */
export function bounceKind(recipient: DsnRecipient): 'hard' | 'soft' | undefined {
  const { action, status, replyCode, diagnostic = '' } = recipient
  if (action === 'delayed') return 'soft'
  if (action !== 'failed') return undefined
  const isPermanent = status.startsWith('5.') && (replyCode ?? REFUSED) >= 500
  if (!isPermanent) return 'soft'
  const isNamed = SAYS_NO_MAILBOX.has(status)
  // `5.0.0`: it failed, and why is only in the words.
  if (!isNamed && status !== '5.0.0') return 'soft'
  const reply: RemoteReply = isNamed
    ? { code: replyCode ?? REFUSED, status, lines: [diagnostic] }
    : { code: SAYS_NOTHING, lines: [diagnostic] }
  return refusalClass(reply) === 'recipient' ? 'hard' : 'soft'
}
