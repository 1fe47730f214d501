/** DKIM: the record of each key that signs, or waits to sign (RFC 6376 §3.6). */
import { type Published, publishedIn, recordName, recordText, zoneLine } from '#auth/dkim/keys.ts'
import type { Answer, Dns } from '#sys/dns/answer.ts'
import type { DeskFacts, DeskKey, Row } from './row.ts'

const WRONG: Readonly<Record<Exclude<Published, 'there' | 'missing'>, string>> = {
  revoked: 'it says that the key is revoked (p= is empty)',
  'another-key': 'it holds another key',
  'not-readable': 'what is there is no record for this key',
  several: 'there are several TXT records, of which receivers may take any',
}

export async function checkDkim(facts: DeskFacts, dns: Dns): Promise<Row[]> {
  const { domain, keys, sends } = facts
  const about = (state: Row['state'], text: string): Row[] => [
    { kind: 'DKIM', name: `_domainkey.${domain}`, state, text },
  ]
  if (!sends) return about('not-needed', 'its tenant does not send through this relay')
  if (keys === undefined)
    return about('unknown', 'the store with the keys cannot be read: ask as the user that runs the relay')
  const meant = keys.filter(({ state }) => state !== 'retired')
  if (meant.length === 0) return about('missing', `there is no key that signs: vorposten dkim create ${domain}`)
  return Promise.all(
    meant.map(async (key) => judgeKey(domain, key, await dns.lookup(recordName(domain, key.selector), 'TXT'))),
  )
}

export function judgeKey(domain: string, key: DeskKey, answer: Answer<'TXT'>): Row {
  const { selector, algorithm, publicKey, state } = key
  const about = { kind: 'DKIM' as const, name: recordName(domain, selector) }
  if (answer.kind === 'unknown') return { ...about, state: 'unknown', text: answer.text }
  const found = publishedIn(answer.kind === 'found' ? answer.records : [], algorithm, publicKey)
  const sign = state === 'active' ? 'the key signs' : 'the key signs as soon as it is seen'
  if (found === 'there') return { ...about, state: 'there', text: sign }
  const paste = [zoneLine(about.name, recordText(algorithm, publicKey))]
  if (found === 'missing') return { ...about, state: 'missing', text: sign, paste }
  return { ...about, state: 'wrong', text: WRONG[found], paste }
}
