/** The token with which the owner of a sender domain lets a tenant send as it (docs/sender-domains.md); without it nothing leaves. */
import { zoneLine } from '#auth/dkim/keys.ts'
import { tokenIn, tokenRecordName, tokenRecordText } from '#auth/sender-token.ts'
import type { Dns } from '#sys/dns/answer.ts'
import type { DeskFacts, Row } from './row.ts'

export async function checkSenderToken({ domain, senderToken }: DeskFacts, dns: Dns): Promise<Row[]> {
  if (senderToken === undefined) return []
  const name = tokenRecordName(domain)
  const row = (state: Row['state'], text: string, paste?: string): Row[] => [
    { kind: 'sender token', name, state, text, ...(paste !== undefined && { paste: [zoneLine(name, paste)] }) },
  ]
  if (senderToken === 'not-readable')
    return row('unknown', 'the key that makes it is not there yet, or not ours to read: vorposten domains show')
  const answer = await dns.lookup(name, 'TXT')
  if (answer.kind === 'unknown') return row('unknown', answer.text)
  const isThere = answer.kind === 'found' && tokenIn(answer.records, [senderToken]) !== undefined
  return isThere
    ? row('there', 'the tenant may send as the domain')
    : row('missing', 'without it the tenant may not send as the domain', tokenRecordText(senderToken))
}
