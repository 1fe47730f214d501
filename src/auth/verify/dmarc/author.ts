/**
 * The one domain that a message claims to be from (RFC 9989 §5.3.1). Strict: what readers could understand in two ways has no
 * author domain, so that it can never pass in the name of somebody whom only some of them see.
 */
import { addressList } from '#mime/address-list.ts'
import { type Field, unfolded } from '#mime/header-section.ts'

export type AuthorDomain =
  | { readonly ok: true /** A-labels, lower case. */; readonly domain: string }
  | { readonly ok: false; readonly reason: string }

/** Of a From field that is read; longer ones have hundreds of authors. */
const VALUE_CHARACTERS_MAX = 20_000

const none = (reason: string): AuthorDomain => ({ ok: false, reason })

/** `fields`: all From fields of the message. */
export function authorDomain(fields: readonly Field[]): AuthorDomain {
  if (fields.length !== 1) return none(fields.length === 0 ? 'there is no From field' : 'there are several From fields')
  const field = fields[0]!
  if (field.value.length > VALUE_CHARACTERS_MAX) return none('the From field is too long')
  const mailboxes = addressList(Buffer.from(unfolded(field), 'latin1').toString())
  if (mailboxes === undefined) return none('the From field cannot be read for certain')
  const domains = new Set<string>()
  for (const { domain } of mailboxes) {
    if (domain.kind !== 'name') return none('an author is at an address, not at a domain')
    domains.add(domain.ascii)
  }
  if (domains.size !== 1)
    return none(domains.size === 0 ? 'the From field names nobody' : 'the authors are of several domains')
  return { ok: true, domain: [...domains][0]! }
}
