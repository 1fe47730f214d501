/**
 * How the owner of a domain says in DNS that a tenant of this relay may send as it: a TXT record at `_vorposten.DOMAIN` (an
 * underscored name, RFC 8552) with a token that stands for this relay, this tenant and this domain. Several such records may
 * stand there, one for each relay or tenant; other texts are nobody's business and are passed over.
 */
import { createHash } from 'node:crypto'

const LABEL = '_vorposten'
const PREFIX = 'vorposten-sender='
const TOKEN = /^[0-9a-f]{32}$/
/** Records at one name, and characters of each; what is beyond is not looked at. */
export const RECORDS_MAX = 64
export const RECORD_CHARACTERS_MAX = 512

export const tokenRecordName = (domain: string): string => `${LABEL}.${domain}`
export const tokenRecordText = (token: string): string => `${PREFIX}${token}`

/** `mac`: of a key that the relay has, over what it is about. 128 bits in hexadecimal. */
export function senderToken(mac: (about: readonly string[]) => Uint8Array, tenant: string, domain: string): string {
  return createHash('sha256')
    .update(mac(['sender-domain', tenant, domain]))
    .digest('hex')
    .slice(0, 32)
}

/** The first of `tokens` that a record holds. */
export function tokenIn(records: readonly string[], tokens: readonly string[]): string | undefined {
  const published = new Set(records.slice(0, RECORDS_MAX).flatMap(readToken))
  return tokens.find((token) => published.has(token))
}

// Spaces around it and capitals are what forms for DNS records make of a pasted text.
function readToken(record: string): string[] {
  if (record.length > RECORD_CHARACTERS_MAX) return []
  const text = record.trim().toLowerCase()
  const token = text.slice(PREFIX.length)
  return text.startsWith(PREFIX) && TOKEN.test(token) ? [token] : []
}
