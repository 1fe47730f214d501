/**
 * Notices to a tenant's postmaster, as mail: facts in, a message in German or English out, as text and as HTML. Pure.
 *
 * The envelope is the caller's: from the null path, so that nothing comes back (RFC 3834 §3.3). What strangers wrote
 * (senders, subjects, replies) is quoted, shortened and made harmless; nothing of it becomes a tag, a line or a field.
 */
import { type Mailbox, parseMailbox } from '#mail/address.ts'
import type { Notice } from '#mail/notice.ts'
import { type Composed, compose } from '#mime/compose.ts'
import { addresses, structured, text } from '#mime/header-writing.ts'
import { dateTime } from '#mime/trace-fields.ts'
import { digestDocument } from './digest.ts'
import type { Document } from './document.ts'
import { ENGLISH } from './english.ts'
import { figures, type Language } from './figures.ts'
import { GERMAN } from './german.ts'
import { harmless } from './harmless.ts'
import { htmlOf } from './html.ts'
import { loginDocument } from './login-locked.ts'
import { maintenanceDocument } from './maintenance.ts'
import { textOf } from './plain-text.ts'
import { senderDomainDocument } from './sender-domain.ts'
import { serverDocument } from './server-state.ts'
import type { Telling } from './telling.ts'

export interface NoticeOptions {
  readonly language: Language
  /** Of the relay: in From and in the Message-ID. */
  readonly hostname: string
  /** With a local part in UTF-8 the message needs SMTPUTF8. */
  readonly to: Mailbox
  /** For the Date field. */
  readonly wallMs: number
  /** The left side of the Message-ID: never the same twice. */
  readonly newMessageId: () => string
  /** IANA name, in which moments are told. */
  readonly timeZone: string
}

export interface RenderedNotice {
  readonly subject: string
  readonly composed: Composed
}

export function renderNotice(notice: Notice, options: NoticeOptions): RenderedNotice {
  const { hostname, to, wallMs, newMessageId } = options
  const document = documentOf(notice, options)
  const subject = harmless(document.subject)
  const { language } = document
  const fields = [
    addresses('From', { displayName: 'Vorposten', mailbox: postmasterOf(hostname) }),
    addresses('To', { mailbox: to }),
    text('Subject', subject),
    structured('Date', dateTime(wallMs)),
    structured('Message-ID', messageId(newMessageId(), hostname)),
    // RFC 3834 §5
    structured('Auto-Submitted', 'auto-generated'),
  ]
  const composed = compose(
    fields,
    {
      kind: 'multipart',
      subtype: 'alternative',
      parts: [
        { kind: 'text', subtype: 'plain', text: textOf(document), language },
        { kind: 'text', subtype: 'html', text: htmlOf(document), language },
      ],
    },
    to.internationalized,
  )
  return { subject, composed }
}

/** Before it has a form. */
export function documentOf(
  notice: Notice,
  options: Pick<NoticeOptions, 'language' | 'hostname' | 'timeZone'>,
): Document {
  const { language, hostname, timeZone } = options
  const of = figures(language, timeZone)
  const count = (n: number) => ({ n, text: of.count(n) })
  const telling: Telling = { language, hostname, words: language === 'de' ? GERMAN : ENGLISH, figures: of, count }
  switch (notice.kind) {
    case 'held-digest':
      return digestDocument(notice, telling)
    case 'login-locked':
      return loginDocument(notice, telling)
    case 'sender-domain-going':
    case 'sender-domain-revoked':
      return senderDomainDocument(notice, telling)
    case 'primary-down':
    case 'still-down':
    case 'primary-up':
    case 'primary-drained':
      return serverDocument(notice, telling)
    case 'maintenance-began':
    case 'maintenance-ending':
    case 'maintenance-ended':
      return maintenanceDocument(notice, telling)
  }
}

function postmasterOf(hostname: string): Mailbox {
  const parsed = parseMailbox(`postmaster@${hostname}`)
  if (!parsed.ok) throw new Error(`not a host name: ${hostname}`)
  return parsed.value
}

// RFC 5322 §3.6.4
function messageId(left: string, hostname: string): string {
  if (!/^[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*$/.test(left))
    throw new Error(`not the left side of a Message-ID: ${left}`)
  return `<${left}@${hostname}>`
}
