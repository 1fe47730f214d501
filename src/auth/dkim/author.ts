/**
 * Whose a message claims to be: the domains of the mailboxes in its From field (RFC 5322 §3.6.2, §3.4). DMARC compares
 * the signing domain with them (RFC 9989).
 */
import { parseDomainName } from '#mail/domain.ts'
import type { Field } from '#mime/header-section.ts'

/** Of the field; a longer one has hundreds of authors. */
const VALUE_CHARACTERS_MAX = 20_000
/** More authors than anybody compares. */
const AUTHORS_MAX = 20

/** In their order, A-labels in lower case, each once. A group without mailboxes (RFC 6854) has none. */
export function authorDomains({ value }: Field): string[] {
  const plain = withoutQuotesAndComments(Buffer.from(value.slice(0, VALUE_CHARACTERS_MAX), 'latin1').toString())
  const domains = new Set<string>()
  for (const mailbox of plain.split(/[,;]/, AUTHORS_MAX)) {
    const inside = /<([^<>]*)>/.exec(mailbox)?.[1] ?? mailbox
    const at = inside.lastIndexOf('@')
    const domain = at < 0 ? undefined : parseDomainName(inside.slice(at + 1).replace(/\s+/g, ''))
    if (domain !== undefined) domains.add(domain)
  }
  return [...domains]
}

// What stands in quotes or parentheses is text, however much it looks like an address.
function withoutQuotesAndComments(value: string): string {
  let plain = ''
  let depth = 0
  let isQuoted = false
  for (let i = 0; i < value.length; i++) {
    const c = value[i]!
    if (c === '\\' && (isQuoted || depth > 0)) i++
    else if (isQuoted) isQuoted = c !== '"'
    else if (c === '(') depth++
    else if (c === ')' && depth > 0) depth--
    else if (depth > 0) continue
    else if (c === '"') isQuoted = true
    else plain += c
  }
  return plain
}
