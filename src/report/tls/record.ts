/**
 * Where a domain wants its TLS reports: the TXT record at `_smtp._tls` (RFC 8460 §3). What breaks its grammar, or stands there
 * twice, is no record; fields that we do not know are passed over. Never an exception. Places of other kinds than mailto: and https: are passed over.
 *
 * Limits: octets of a record, places of a record, characters of a place.
 */
import { type Mailbox, mailboxText, parseMailbox } from '#mail/address.ts'

/** Longer ones are not read: a TXT record of the field has some hundred. */
export const RECORD_CHARACTERS_MAX = 4096
/** Whoever names a hundred places wants to reach somebody else with them. */
export const PLACES_MAX = 5
const PLACE_CHARACTERS_MAX = 1024

// RFC 8460 §3: tlsrpt-version, tlsrpt-rua, tlsrpt-extension. White space stands around semicolons and commas only.
const VERSION = /^v=TLSRPTv1[ \t]*;/
const DELIMITER = /[ \t]*;[ \t]*/
const RUA = /^rua=(.*)$/
const EXTENSION = /^[a-z0-9][a-z0-9_.-]{0,31}=[\x21-\x3a\x3c\x3e-\x7e]+$/i

export type ReportPlace =
  | { readonly kind: 'mail'; readonly mailbox: Mailbox }
  | { readonly kind: 'https'; readonly url: URL }

/** Each record with its strings joined (RFC 8460 §3). Undefined: no reports are wanted, or nobody can say where. */
export function reportPlaces(records: readonly string[]): readonly ReportPlace[] | undefined {
  const ours = records.filter((text) => VERSION.test(text))
  const [record] = ours
  // RFC 8460 §3: several count as none.
  if (record === undefined || ours.length > 1 || record.length > RECORD_CHARACTERS_MAX) return undefined
  const [, ...fields] = record.split(DELIMITER)
  if (fields.at(-1) === '') fields.pop()
  const rua = fields.filter((field) => RUA.test(field))
  if (rua.length !== 1 || !fields.every((field) => RUA.test(field) || EXTENSION.test(field))) return undefined
  const written = RUA.exec(rua[0]!)![1]!
    .split(/[ \t]*,[ \t]*/)
    .slice(0, PLACES_MAX)
  const places = written.map(placeOf).filter((place) => place !== undefined)
  const once = new Map(places.map((place) => [placeText(place), place]))
  return once.size > 0 ? [...once.values()] : undefined
}

/** As it would stand in a record, without what else a URI may say. */
export const placeText = (place: ReportPlace): string =>
  place.kind === 'mail' ? `mailto:${encodeURI(mailboxText(place.mailbox))}` : place.url.href

export function placeOf(text: string): ReportPlace | undefined {
  if (text.length > PLACE_CHARACTERS_MAX || !/^[\x21-\x7e]+$/.test(text)) return undefined
  if (/^mailto:/i.test(text)) return mailPlace(text.slice('mailto:'.length))
  return /^https:\/\//i.test(text) ? httpsPlace(text) : undefined
}

// RFC 6068 §2: header fields behind `?` are nobody's to set in our mail.
function mailPlace(text: string): ReportPlace | undefined {
  try {
    const parsed = parseMailbox(decodeURIComponent(text.replace(/\?.*$/, '')))
    const isGood = parsed.ok && !parsed.value.internationalized && parsed.value.domain.kind === 'name'
    return isGood ? { kind: 'mail', mailbox: parsed.value } : undefined
  } catch {
    return undefined
  }
}

function httpsPlace(text: string): ReportPlace | undefined {
  const url = URL.parse(text)
  // Names and passwords would be sent to whoever the record names.
  if (url === null || url.protocol !== 'https:' || url.username !== '' || url.password !== '') return undefined
  return { kind: 'https', url }
}
