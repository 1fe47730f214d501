/** DMARC: a policy that can be read, at the domain or above it (RFC 9989 §4.7, §4.10). */

import { zoneLine } from '#auth/dkim/keys.ts'
import type { Dns } from '#sys/dns/answer.ts'
import type { DeskFacts, Row } from './row.ts'
import { readTagList } from './tags.ts'

/** RFC 9989 §4.10: so many names are asked on the way up. */
const NAMES_MAX = 8
const POLICIES = ['none', 'quarantine', 'reject']
const VALUES: Readonly<Record<string, RegExp>> = {
  p: /^(?:none|quarantine|reject)$/i,
  sp: /^(?:none|quarantine|reject)$/i,
  np: /^(?:none|quarantine|reject)$/i,
  adkim: /^[rs]$/i,
  aspf: /^[rs]$/i,
  fo: /^[01ds](?:\s*:\s*[01ds])*$/i,
  psd: /^[ynu]$/i,
  t: /^[yn]$/i,
  rua: /^mailto:[^\s,]+(?:\s*,\s*mailto:[^\s,]+)*$/i,
  ruf: /^mailto:[^\s,]+(?:\s*,\s*mailto:[^\s,]+)*$/i,
}

export type DmarcRecord =
  | { readonly ok: true; readonly policy: string; readonly reportsTo: string | undefined }
  | { readonly ok: false; readonly fault: string }

export const isDmarc = (text: string): boolean => /^v\s*=\s*DMARC1\s*(?:;|$)/.test(text)

export function readDmarc(text: string): DmarcRecord {
  if (!isDmarc(text)) return { ok: false, fault: 'it does not begin with v=DMARC1;' }
  const tags = readTagList(text)
  if (tags === undefined) return { ok: false, fault: 'it is no list of tag=value; with each tag once' }
  for (const [tag, value] of tags) {
    if (VALUES[tag]?.test(value) === false) return { ok: false, fault: `${tag}=${value} is no value of this tag` }
  }
  const policy = tags.get('p')?.toLowerCase()
  if (policy === undefined || !POLICIES.includes(policy)) return { ok: false, fault: 'it has no policy (p=)' }
  return { ok: true, policy, reportsTo: tags.get('rua') }
}

export async function checkDmarc(facts: DeskFacts, dns: Dns): Promise<Row[]> {
  const { domain } = facts
  const name = `_dmarc.${domain}`
  const row = (state: Row['state'], text: string, record?: string): Row[] => [
    { kind: 'DMARC', name, state, text, ...(record !== undefined && { paste: [zoneLine(name, record)] }) },
  ]
  if (!facts.sends) return row('not-needed', 'its tenant does not send through this relay')
  for (const place of wayUp(domain)) {
    const answer = await dns.lookup(`_dmarc.${place}`, 'TXT')
    if (answer.kind === 'unknown') return row('unknown', answer.text)
    const records = answer.kind === 'found' ? answer.records.filter((text) => /^v\s*=\s*DMARC1/i.test(text)) : []
    if (records.length === 0) continue
    const at = place === domain ? '' : ` at ${place}`
    if (records.length > 1) return row('wrong', `there are ${records.length}${at}: receivers take none of them`)
    const read = readDmarc(records[0]!)
    if (!read.ok) return row('wrong', `${read.fault}${at}: ${records[0]}`)
    const more = read.policy === 'none' ? ', which protects nobody yet' : ''
    return row(
      'there',
      `p=${read.policy}${more}${at}${read.reportsTo === undefined ? '; nobody gets reports (rua=)' : ''}`,
    )
  }
  return row(
    'missing',
    'there is none; begin with p=none, and read the reports',
    `v=DMARC1; p=none; rua=mailto:postmaster@${domain}`,
  )
}

// A policy of a top level is nobody's: two labels at least.
function wayUp(domain: string): string[] {
  const labels = domain.split('.')
  const names = labels.slice(0, -1).map((_, i) => labels.slice(i).join('.'))
  return names.length <= NAMES_MAX ? names : [names[0]!, ...names.slice(1 - NAMES_MAX)]
}
