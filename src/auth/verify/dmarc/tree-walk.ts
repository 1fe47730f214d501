/**
 * The DNS tree walk (RFC 9989 §4.10): from a domain upwards, which names have a DMARC record, and which of them is the
 * organization. No list of public suffixes: what is above an organization says so itself (psd=y).
 */
import type { Dns } from '#sys/dns/answer.ts'
import { type DmarcRecord, readDmarc } from './record.ts'

/** §4.10: a domain with more labels is cut to so many for the second question: eight in all. */
const LABELS_MAX = 7

export interface FoundRecord {
  readonly domain: string
  readonly record: DmarcRecord
}

export type Walk =
  | {
      readonly ok: true
      /** From the longest name to the shortest. */
      readonly records: readonly FoundRecord[]
      readonly organization: string
    }
  /** DNS did not say. */
  | { readonly ok: false; readonly reason: string }

export type Asked =
  /** Undefined: there is none, or several, of which none counts. */
  { readonly ok: true; readonly record: DmarcRecord | undefined } | { readonly ok: false; readonly reason: string }

/** Walks once for each domain, however often it is asked. */
export class TreeWalks {
  readonly #dns: Dns
  readonly #walks = new Map<string, Promise<Walk>>()

  constructor(dns: Dns) {
    this.#dns = dns
  }

  from(domain: string): Promise<Walk> {
    const walk = this.#walks.get(domain) ?? this.#walk(domain)
    this.#walks.set(domain, walk)
    return walk
  }

  /** The record of the domain itself. */
  async at(domain: string): Promise<Asked> {
    const answer = await this.#dns.lookup(`_dmarc.${domain}`, 'TXT')
    if (answer.kind === 'unknown') return { ok: false, reason: answer.text }
    const found = answer.kind === 'none' ? [] : answer.records.flatMap((text) => readDmarc(text) ?? [])
    return { ok: true, record: found.length === 1 ? found[0] : undefined }
  }

  async #walk(start: string): Promise<Walk> {
    const records: FoundRecord[] = []
    for (let domain = start; domain !== ''; domain = above(domain)) {
      // What is right below a top level is an organization by its own record, whatever that one says.
      if (isTop(domain) && records.some((one) => isTop(above(one.domain)))) break
      const asked = await this.at(domain)
      if (!asked.ok) return asked
      // A top level that does not say that it is one is a mistake, and nobody's organization.
      if (asked.record === undefined || (isTop(domain) && asked.record.psd !== 'y')) continue
      records.push({ domain, record: asked.record })
      if (asked.record.psd !== 'u') break
    }
    return { ok: true, records, organization: organizationOf(start, records) }
  }
}

const isTop = (domain: string): boolean => domain !== '' && !domain.includes('.')

function above(domain: string): string {
  const labels = domain.split('.')
  return labels.slice(labels.length > LABELS_MAX ? -LABELS_MAX : 1).join('.')
}

// §4.10.2
function organizationOf(start: string, records: readonly FoundRecord[]): string {
  for (const { domain, record } of records) {
    if (record.psd === 'n') return domain
    if (record.psd === 'y' && domain !== start) return oneBelow(domain, start)
  }
  return records.at(-1)?.domain ?? start
}

function oneBelow(domain: string, start: string): string {
  const labels = start.split('.')
  return labels.slice(-(domain.split('.').length + 1)).join('.')
}
