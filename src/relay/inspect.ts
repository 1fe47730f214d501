/**
 * What the path itself must know of a content before anyone commits to it: its size for this recipient, whether it is
 * running in a circle (RFC 5321 §6.3), its trace fields, and what a submitted message lacks (RFC 6409 §8).
 */
import { mailboxText } from '#mail/address.ts'
import type { Authentication } from '#mail/authentication.ts'
import { type Content, withTrace } from '#mail/content.ts'
import type { Transaction } from '#mail/session.ts'
import type { Reject } from '#mail/verdict.ts'
import { type HeaderSection, readHeaderSection, withoutFields } from '#mime/header-section.ts'
import { forgedResults, hops, messageId, receivedField } from '#mime/trace-fields.ts'
import type { Way } from '#tenant/directory.ts'
import * as refusals from './refusals.ts'
import { missingFields, ownMessageId } from './submission.ts'

/** Our own Received fields for one recipient: the first is a forwarder's detour, the second is a circle. */
export const OWN_HOPS_FOR_RECIPIENT_MAX = 1
/** Our own Received fields in all: a message may come in, go on a list and come back, but not for ever. */
export const OWN_HOPS_MAX = 5

export interface Inspected {
  readonly kind: 'inspected'
  /** With our trace fields, without results that others forged in our name. */
  readonly content: Content
  /** Of our trace fields, at its beginning. */
  readonly ownOctets: number
  readonly messageId: string | undefined
  readonly header: HeaderSection
  /** Who has vouched for it; absent: nobody has looked (authenticating.ts). */
  readonly authentication?: Authentication
}

export function inspect(
  transaction: Transaction,
  content: Content,
  way: Pick<Way, 'contentOctetsMax'>,
  own: { hostname: string; hopsMax: number; wallMs: number },
): Inspected | Reject {
  if (content.octets > way.contentOctetsMax) return refusals.tooLarge(way.contentOctetsMax)
  const header = readHeaderSection(content)
  if (header.tooLarge) return refusals.oversizedHeader()
  const loop = loopIn(transaction, header, own)
  if (loop !== undefined) return refusals.looping(loop)
  const isSubmitted = transaction.session.service === 'submission'
  const added = isSubmitted ? missingFields(header, transaction, own.hostname, own.wallMs) : ''
  const trace = Buffer.from(receivedField(transaction, own.hostname, own.wallMs) + added)
  return {
    kind: 'inspected',
    content: withTrace(trace, withoutFields(content, forgedResults(header, own.hostname))),
    ownOctets: trace.length,
    messageId: messageId(header) ?? (isSubmitted ? ownMessageId(transaction, own.hostname) : undefined),
    header,
  }
}

function loopIn(
  { envelope }: Transaction,
  header: HeaderSection,
  { hostname, hopsMax }: { hostname: string; hopsMax: number },
): string | undefined {
  const only = envelope.recipients.length === 1 ? envelope.recipients[0]!.forwardPath : undefined
  const recipient = only?.kind === 'mailbox' ? mailboxText(only.mailbox) : undefined
  const seen = hops(header, hostname, recipient)
  if (seen.all > hopsMax) return `${seen.all} Received fields, ${hopsMax} allowed`
  if (seen.ownForRecipient > OWN_HOPS_FOR_RECIPIENT_MAX)
    return `${seen.ownForRecipient} passes through here for this recipient`
  if (seen.own > OWN_HOPS_MAX) return `${seen.own} passes through here`
  return undefined
}
