/**
 * What a message is when no person wrote it: the kinds of automatic mail, with the evidence that decided.
 *
 * A relay must know them: a bounce is never bounced (RFC 5321 §6.1), an auto-reply is never answered and has its own limits
 * (RFC 3834), a complaint is for people. `ordinary` is what is left, mailing lists among it. Every text in here was written
 * by strangers: bounded in length, free of control characters, and never to be trusted.
 */
import type { Status } from '#mail/status.ts'

export type AutomaticMail =
  | { readonly kind: 'ordinary'; readonly reasons: readonly Reason[] }
  | { readonly kind: 'dsn'; readonly reasons: readonly Reason[]; readonly dsn: Dsn }
  | { readonly kind: 'mdn'; readonly reasons: readonly Reason[]; readonly mdn: Mdn }
  | { readonly kind: 'out-of-office'; readonly reasons: readonly Reason[]; readonly author?: string }
  | { readonly kind: 'auto-reply'; readonly reasons: readonly Reason[]; readonly author?: string }
  | { readonly kind: 'challenge'; readonly reasons: readonly Reason[]; readonly author?: string }
  | { readonly kind: 'feedback-report'; readonly reasons: readonly Reason[]; readonly feedback: FeedbackReport }

export type AutomaticKind = AutomaticMail['kind']

export interface Reason {
  readonly evidence: Evidence
  /** What was seen, for the trace. */
  readonly detail: string
}

export type Evidence =
  | 'null-reverse-path'
  | 'sender'
  | 'subject'
  | 'auto-submitted'
  | 'header-field'
  | 'report-type'
  | 'report-part'
  | 'notice-text'
  | 'words'
  | 'failed-recipient'
  | 'returned-message'
  | 'mailing-list'
  | 'list-or-bulk'
  | 'no-evidence'
  | 'limit'

/** A delivery status notification, whether it follows RFC 3464 or is a notice in somebody's own words. */
export interface Dsn {
  readonly format: DsnFormat
  /** May be empty: it is a bounce, but nobody can say of which recipient. Then `note` says why. */
  readonly recipients: readonly DsnRecipient[]
  readonly reportingMta?: string
  /** Of the message that the report is about. */
  readonly originalMessageId?: string
  /** In the message that came back, topmost first (mail/feedback.ts). Nothing in here says that they are genuine. */
  readonly originalTokens?: readonly string[]
  /** RFC 3464 §2.2.1: what the sender gave as ENVID. */
  readonly originalEnvelopeId?: string
  readonly returned?: ReturnedMessage
  readonly note?: string
}

/** The note of a bounce without recipients. */
export const NO_RECIPIENT = 'it names no recipient that could be read'

export interface DsnRecipient {
  /** The recipient whose delivery it is about, as the reporter wrote it; without a domain if it gave none. */
  readonly recipient: string
  /** What the sender wrote, where the report says that it is something else (RFC 3464 §2.3.1). */
  readonly originalRecipient?: string
  readonly action: DsnAction
  readonly status: Status
  /**
   * Where the status comes from: the report's own field; what a remote server said; a well-known phrase; or nothing but
   * the action, which gives the class (`5.0.0`). All but `report` is derived.
   */
  readonly statusSource: 'report' | 'diagnostic' | 'phrase' | 'action'
  /** What the remote server or the reporter said, in one line. */
  readonly diagnostic?: string
  /** The code of the SMTP reply in the diagnostic. */
  readonly replyCode?: number
  readonly remoteMta?: string
}

/** RFC 3464 §2.3.3; a notice in words is `failed` or `delayed`. */
export type DsnAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded'

/** The format that was recognised; `text` is a notice in words that no format of a known product fits. */
export type DsnFormat =
  | 'rfc3464'
  | 'status-fields-in-text'
  | 'amazon-sns'
  | 'qmail'
  | 'postfix'
  | 'exim'
  | 'sendmail'
  | 'exchange'
  | 'domino'
  | 'google'
  | 'yahoo'
  | 'gmx'
  | 'imail'
  | 'opensmtpd'
  | 'dragonfly'
  | 'courier'
  | 'interscan'
  | 'mdaemon'
  | 'text'

/** Where the returned message or its header section begins, as an offset into the content; absent where it lies encoded. */
export interface ReturnedMessage {
  readonly form: 'message' | 'header'
  readonly offset?: number
}

export interface Mdn {
  /** RFC 8098 §3.2.6, for example `manual-action/MDN-sent-manually; displayed`. */
  readonly disposition?: string
  readonly recipient?: string
  readonly originalMessageId?: string
}

export interface FeedbackReport {
  /** RFC 5965 §3.1 and §7.3: `abuse`, `fraud`, `virus`, `other`, `not-spam`, `auth-failure`; lower case. */
  readonly type: string
  readonly originalMailFrom?: string
  readonly originalRecipients: readonly string[]
  readonly sourceIp?: string
  readonly originalMessageId?: string
  /** As of a `Dsn`. */
  readonly originalTokens?: readonly string[]
  /** Whom the message that came back says it was for. */
  readonly returnedRecipients?: readonly string[]
}

/** Of a text in a result, in characters. */
export const TEXT_CHARACTERS_MAX = 500

/** A stranger's text in one printable line of bounded length. */
export function printable(text: string, charactersMax: number = TEXT_CHARACTERS_MAX): string {
  return text
    .slice(0, charactersMax * 4)
    .replace(/[\s\x00-\x1f\x7f-\x9f]+/g, ' ')
    .trim()
    .slice(0, charactersMax)
}

export const reason = (evidence: Evidence, detail: string): Reason => ({ evidence, detail: printable(detail, 120) })
