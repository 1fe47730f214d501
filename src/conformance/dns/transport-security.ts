/** MTA-STS and TLS-RPT: the records with which a domain asks for TLS, and for reports about it (RFC 8461 §3.1, RFC 8460 §3). */

import { zoneLine } from '#auth/dkim/keys.ts'
import { reportPlaces } from '#report/tls/record.ts'
import type { Answer, Dns } from '#sys/dns/answer.ts'
import { type DeskFacts, NOT_RECEIVED, type Row } from './row.ts'
import { readTagList } from './tags.ts'

/** The fault, or undefined. */
export function mtaStsFault(text: string): string | undefined {
  const tags = readTagList(text)
  if (tags === undefined || [...tags.keys()][0] !== 'v' || tags.get('v') !== 'STSv1')
    return 'it does not begin with v=STSv1;'
  return /^[A-Za-z0-9]{1,32}$/.test(tags.get('id') ?? '') ? undefined : 'id= must be 1 to 32 letters and digits'
}

/** The fault, or undefined. Read as we read others' records before we report to them. */
export function tlsRptFault(text: string): string | undefined {
  if (!/^v=TLSRPTv1[ \t]*;/.test(text)) return 'it does not begin with v=TLSRPTv1;'
  return reportPlaces([text]) === undefined ? 'rua= must name mailto: or https: addresses, once' : undefined
}

export async function checkMtaSts({ domain, ownNames, receives }: DeskFacts, dns: Dns): Promise<Row[]> {
  const name = `_mta-sts.${domain}`
  if (!receives) return [{ kind: 'MTA-STS', name, state: 'not-needed', text: NOT_RECEIVED }]
  const answer = await dns.lookup(name, 'TXT')
  const policy = `version: STSv1, mode: testing, ${ownNames.map((one) => `mx: ${one}, `).join('')}max_age: 86400`
  const text = `optional; it counts only with a policy at https://mta-sts.${domain}/.well-known/mta-sts.txt (in lines: ${policy})`
  const judged = judgeOne({ kind: 'MTA-STS', name }, answer, /^v\s*=\s*STSv1/i, mtaStsFault)
  if (judged.state === 'advised') return [{ ...judged, text, paste: [zoneLine(name, 'v=STSv1; id=1')] }]
  if (judged.state !== 'there') return [judged]
  const host = `mta-sts.${domain}`
  const [four, six] = await Promise.all([dns.lookup(host, 'A'), dns.lookup(host, 'AAAA')])
  if (four.kind === 'found' || six.kind === 'found') return [judged]
  const unknown = [four, six].find(({ kind }) => kind === 'unknown')
  if (unknown?.kind === 'unknown') return [{ ...judged, state: 'unknown', text: unknown.text }]
  return [{ ...judged, state: 'wrong', text: `${host}, where the policy must be, has no address` }]
}

export async function checkTlsRpt({ domain, receives }: DeskFacts, dns: Dns): Promise<Row[]> {
  const name = `_smtp._tls.${domain}`
  if (!receives) return [{ kind: 'TLS-RPT', name, state: 'not-needed', text: NOT_RECEIVED }]
  const judged = judgeOne({ kind: 'TLS-RPT', name }, await dns.lookup(name, 'TXT'), /^v\s*=\s*TLSRPTv1/i, tlsRptFault)
  if (judged.state !== 'advised') return [judged]
  const paste = [zoneLine(name, `v=TLSRPTv1; rua=mailto:postmaster@${domain}`)]
  return [{ ...judged, text: 'optional; with it others report when TLS to you fails', paste }]
}

function judgeOne(
  about: Pick<Row, 'kind' | 'name'>,
  answer: Answer<'TXT'>,
  begins: RegExp,
  faultOf: (text: string) => string | undefined,
): Row {
  if (answer.kind === 'unknown') return { ...about, state: 'unknown', text: answer.text }
  const records = answer.kind === 'found' ? answer.records.filter((text) => begins.test(text)) : []
  if (records.length === 0) return { ...about, state: 'advised', text: 'there is none' }
  // RFC 8461 §3.1, RFC 8460 §3: several count as none.
  if (records.length > 1) return { ...about, state: 'wrong', text: `there are ${records.length}: they count as none` }
  const fault = faultOf(records[0]!)
  return fault === undefined
    ? { ...about, state: 'there', text: records[0]! }
    : { ...about, state: 'wrong', text: `${fault}: ${records[0]}` }
}
