/**
 * Mail that we write ourselves, reports and notices, is signed like all other mail that leaves, when the domain in its From
 * or one above it has keys: whichever tenant has that domain here. It is never put off for it: a report that comes late or
 * unsigned is better than none, so what cannot be signed leaves as it is, and is counted.
 */
import { authorDomains } from '#auth/dkim/author.ts'
import { prepare, signatureField } from '#auth/dkim/signature.ts'
import { type Content, withTrace } from '#mail/content.ts'
import type { Report } from '#mail/event.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import type { Clock } from '#sys/clock.ts'
import type { Directory } from '#tenant/directory.ts'
import type { KeysAnswer, KeysOf } from './signing.ts'

export interface OwnSigningParts {
  readonly clock: Clock
  readonly directory: () => Directory
  readonly keysOf: KeysOf
  readonly report: Report
}

/** Of mail that we write: the content with its signatures. Never rejects. */
export type SignOwn = (content: Content) => Promise<Content>

interface Found {
  readonly tenant: string
  readonly answer: KeysAnswer
}

export function ownSigning({ clock, directory, keysOf, report }: OwnSigningParts): SignOwn {
  return async (content) => {
    const header = readHeaderSection(content)
    const from = header.fields.find(({ name }) => name === 'from')
    const found = from && keysFor(authorDomains(from), directory(), keysOf)
    if (found === undefined) return content
    const { tenant, answer } = found
    const count = (decision: string) => report({ kind: 'governed', tenant, subject: 'dkim', decision })
    const prepared = prepare(content, header)
    if (answer.kind !== 'keys' || !prepared.ok) {
      count(prepared.ok ? 'unavailable' : prepared.fault)
      return content
    }
    try {
      const signedSeconds = Math.floor(clock.wall() / 1000)
      const fields = await Promise.all(answer.keys.map((key) => signatureField(prepared, key, { signedSeconds })))
      count('signed')
      return withTrace(Buffer.from(fields.join(''), 'latin1'), content)
    } catch {
      count('unavailable')
      return content
    }
  }
}

/** Of the closest domain that has keys. What is another tenant's is not signed by the domain above it. */
function keysFor(authors: readonly string[], directory: Directory, keysOf: KeysOf): Found | undefined {
  for (const author of authors) {
    let owner: string | undefined
    for (let domain = author; domain.includes('.'); domain = domain.slice(domain.indexOf('.') + 1)) {
      const tenant = directory.domain(domain)?.tenant.name
      if (tenant === undefined) continue
      if (owner !== undefined && tenant !== owner) break
      owner = tenant
      const answer = keysOf(tenant, domain)
      if (answer.kind !== 'none') return { tenant, answer }
    }
  }
  return undefined
}
