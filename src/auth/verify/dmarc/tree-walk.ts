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

  async #walk(start: string): Promise<Walk> {
    const records: FoundRecord[] = []
    for (let domain = start; domain !== ''; domain = above(domain)) {
      const answer = await this.#dns.lookup(`_dmarc.${domain}`, 'TXT')
      if (answer.kind === 'unknown') return { ok: false, reason: answer.text }
      const found = answer.kind === 'none' ? [] : answer.records.flatMap((text) => readDmarc(text) ?? [])
      // Of several none counts.
      if (found.length !== 1) continue
      records.push({ domain, record: found[0]! })
      if (found[0]!.psd !== 'u') break
    }
    return { ok: true, records, organization: organizationOf(start, records) }
  }
}

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
