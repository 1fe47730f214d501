/**
 * Which header fields a signature covers, and their relaxed form (RFC 6376 §3.4.2, §5.4).
 *
 * | fields | named in h= | because |
 * |---|---|---|
 * | From, To, Cc, Subject, Reply-To | as often as they occur, and once more | a second one, or a first one, added on the way would be shown in place of ours (RFC 6376 §8.15) |
 * | Date, Message-ID, MIME-Version, Content-Type, … | the same, if they occur | a relay on the way may add what is missing |
 * | Resent-…, List-…, References, … | as often as they occur | lists and forwarders add them by right |
 * | TLS-Report-… | as often as they occur | RFC 8460 §5.3: whose report it is |
 *
 * List-Unsubscribe and its companion are covered, without which one-click unsubscribing is not offered (RFC 8058 §4).
 */
import type { Field, HeaderSection } from '#mime/header-section.ts'

/** Once more than they occur, always. */
const SEALED = ['from', 'to', 'cc', 'subject', 'reply-to']
/** Once more than they occur, if they occur. */
const SEALED_IF_THERE = [
  'sender',
  'date',
  'message-id',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'in-reply-to',
  'references',
  'list-unsubscribe',
  'list-unsubscribe-post',
]
/** As often as they occur. */
const COVERED = [
  'content-id',
  'content-description',
  'resent-date',
  'resent-from',
  'resent-sender',
  'resent-to',
  'resent-cc',
  'resent-message-id',
  'list-id',
  'list-help',
  'list-subscribe',
  'list-post',
  'list-owner',
  'list-archive',
  'tls-report-domain',
  'tls-report-submitter',
]
const NAMES = [...SEALED, ...SEALED_IF_THERE, ...COVERED]

/** In all. A message has some twenty; one that has hundreds of them is not worth a signature. */
export const SIGNED_FIELDS_MAX = 200

export interface SignedFields {
  /** For h=, in order. */
  readonly names: readonly string[]
  /** The fields in relaxed form and in the order of `names`, each with its CRLF; one character per octet. */
  readonly text: string
}

/** Undefined: more than `SIGNED_FIELDS_MAX`. */
export function signedFields({ fields }: HeaderSection): SignedFields | undefined {
  const byName = new Map<string, Field[]>(NAMES.map((name) => [name, []]))
  let found = 0
  for (const field of fields) {
    const same = byName.get(field.name)
    if (same === undefined) continue
    same.push(field)
    found++
  }
  if (found > SIGNED_FIELDS_MAX) return undefined
  const names: string[] = []
  let text = ''
  for (const [name, same] of byName) {
    // RFC 6376 §5.4.2: of several the last comes first.
    for (let i = same.length - 1; i >= 0; i--) {
      names.push(name)
      text += `${relaxedField(name, same[i]!.value)}\r\n`
    }
    const isSealed = SEALED.includes(name) || (same.length > 0 && SEALED_IF_THERE.includes(name))
    if (isSealed) names.push(name)
  }
  return { names, text }
}

/** Without the CRLF. Only space and tab are white space here; a value in Latin-1 may have others. */
export function relaxedField(lowerName: string, value: string): string {
  const text = value.replace(/\r\n(?=[ \t]|$)/g, '').replace(/[ \t]+/g, ' ')
  const start = text.startsWith(' ') ? 1 : 0
  return `${lowerName}:${text.slice(start, text.length > start && text.endsWith(' ') ? -1 : undefined)}`
}
