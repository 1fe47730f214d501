/**
 * Mail that we write ourselves, to a tenant's postmaster, or a report about TLS: into the worker's own spool and out by a
 * tenant's route, with the null reverse-path, so that nobody answers it (RFC 5321 §4.5.5). The supervisor's clerks write the text and ask.
 *
 * It is never held and never makes another notice: when it cannot be delivered it is dropped, with a line in the log.
 */
import { NULL_PATH, parseMailbox } from '#mail/address.ts'
import { content } from '#mail/content.ts'
import type { Recipient } from '#mail/envelope.ts'
import type { Report } from '#mail/event.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { Queue } from '#queue/queue.ts'
import { type Spool, SpoolError } from '#spool/contract.ts'
import { towards } from '#tenant/destination.ts'
import type { Directory } from '#tenant/directory.ts'
import type { SignOwn } from '../relay/own-signing.ts'

/** Longer is no notice. A digest of a hundred messages has 50 KiB. */
export const NOTICE_OCTETS_MAX = 1024 * 1024
/** RFC 5321 §4.5.3.1.6, with the CRLF. */
const LINE_OCTETS_MAX = 1000

export interface NoticeQuestion {
  readonly tenant: string
  /** `tenant/name`: by which way it goes. */
  readonly route: string
  /** `postmaster@bakery.example`. */
  readonly recipient: string
  /** Header section and body, lines end in CRLF. */
  readonly content: Uint8Array
  /** The header section has octets above 127 (RFC 6532). */
  readonly smtputf8: boolean
  /** It goes whatever TLS with the recipient's servers says (RFC 8689 §3), and does not count in reports about it. */
  readonly tlsOptional?: true
  /** Without a signature of ours it is nothing worth (RFC 8460 §3) and does not go. */
  readonly onlySigned?: true
}

export type NoticeAnswer =
  | { readonly kind: 'queued'; readonly id: TraceId }
  /** Nothing was sent; why not. */
  | { readonly kind: 'refused'; readonly text: string }

export interface NoticeParts {
  readonly newTraceId: () => TraceId
  readonly directory: () => Directory
  /** Absent: notices leave as they are. */
  readonly sign?: SignOwn | undefined
  readonly spool: Pick<Spool, 'append' | 'get'>
  readonly queue: Pick<Queue, 'nowMs' | 'add'>
  readonly report: Report
}

export async function sendNotice(parts: NoticeParts, question: NoticeQuestion): Promise<NoticeAnswer> {
  const { tenant, route, smtputf8, tlsOptional } = question
  const mailbox = parseMailbox(question.recipient)
  if (!mailbox.ok) return refused(`${question.recipient} is no address`)
  const way = parts.directory().route(route)
  if (way === undefined) return refused(`no route ${route} in the configuration`)
  const octets = Buffer.from(question.content)
  const fault = contentFault(octets)
  if (fault !== undefined) return refused(fault)
  const recipient: Recipient = { forwardPath: { kind: 'mailbox', mailbox: mailbox.value } }
  const body = octets.some((octet) => octet > 127) ? '8bitmime' : '7bit'
  const nowMs = parts.queue.nowMs()
  const message = {
    id: parts.newTraceId(),
    tenant,
    route: towards(way, mailbox.value.domain),
    envelope: { reversePath: NULL_PATH, recipients: [recipient], body, smtputf8, ...(tlsOptional && { tlsOptional }) },
    reception: { clientAddress: '', greetingName: '', protocol: '', receivedMs: nowMs },
    notice: true,
  } as const
  try {
    const written = content([octets])
    const signed = (await parts.sign?.(written)) ?? written
    if (question.onlySigned && signed === written) return refused(UNSIGNED)
    await parts.spool.append(message, signed, nowMs)
  } catch (error) {
    if (error instanceof SpoolError) return refused(`the spool does not take it: ${error.message}`)
    throw error
  }
  const entry = parts.spool.get(message.id)
  if (entry !== undefined) {
    parts.report({ kind: 'notice-queued', entry, recipient })
    parts.queue.add(entry)
  }
  return { kind: 'queued', id: message.id }
}

const UNSIGNED = 'no DKIM key of its domain can sign it now: see vorposten dkim list'
const refused = (text: string): NoticeAnswer => ({ kind: 'refused', text })

function contentFault(octets: Buffer): string | undefined {
  if (octets.length > NOTICE_OCTETS_MAX) return `a notice has ${NOTICE_OCTETS_MAX} octets at most`
  const text = octets.toString('latin1')
  // RFC 5321 §2.3.8: CR and LF only together.
  if (/\r(?!\n)|(?<!\r)\n/.test(text) || !text.endsWith('\r\n')) return 'lines of a notice end in CRLF'
  const isTooLong = text.split('\r\n').some((line) => line.length + 2 > LINE_OCTETS_MAX)
  return isTooLong ? `a line of a notice has ${LINE_OCTETS_MAX} octets at most` : undefined
}
