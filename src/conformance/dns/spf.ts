/** SPF: one record that can be read, within the limits, that lets our sending addresses pass and not everybody (RFC 7208). */

import { zoneLine } from '#auth/dkim/keys.ts'
import type { Dns } from '#sys/dns/answer.ts'
import type { DeskFacts, Row, SendingAddress } from './row.ts'
import { isSpf } from './spf-record.ts'
import { faultIn, fetchSpf, LOOKUPS_MAX, type SpfFetched, spfSays, VOID_LOOKUPS_MAX } from './spf-tree.ts'

/** Nobody sends from here (RFC 6890): a record that lets these pass lets everybody. */
const SOMEBODY: readonly string[] = ['198.18.0.1', '3fff::1']

export async function checkSpf(facts: DeskFacts, dns: Dns): Promise<Row[]> {
  const { domain, sources } = facts
  const row = (state: Row['state'], text: string, record?: string): Row => ({
    ...{ kind: 'SPF' as const, name: domain, state, text },
    ...(record !== undefined && { paste: [zoneLine(domain, record)] }),
  })
  if (!facts.sends) return [row('not-needed', 'its tenant does not send through this relay')]
  const answer = await dns.lookup(domain, 'TXT')
  if (answer.kind === 'unknown') return [row('unknown', answer.text)]
  const records = answer.kind === 'found' ? answer.records.filter(isSpf) : []
  const first = records[0]
  if (first === undefined) {
    const text = sources.length > 0 ? 'there is none' : `there is none${whoKnows(facts)}`
    return [row('missing', text, sources.length > 0 ? `v=spf1 ${mechanisms(sources)} ~all` : undefined)]
  }
  if (records.length > 1) {
    // RFC 7208 §3.2, §4.5.
    return [
      row(
        'wrong',
        `there are ${records.length}: receivers take none of them. Make one of them`,
        joined([withUs(first, sources), ...records.slice(1)]),
      ),
    ]
  }
  const fetched = await fetchSpf(domain, first, dns)
  const wrong = faultsOf(fetched).map((text) => row('wrong', text))
  const absent = sources.filter(({ address }) => spfSays(fetched.tree, address) !== '+')
  if (absent.length > 0 && fetched.unknown.length === 0) {
    const who = absent.map(({ address }) => address).join(', ')
    wrong.push(row('wrong', `it does not let ${who} pass`, withUs(first, absent)))
  }
  if (wrong.length > 0) return wrong
  if (fetched.unknown.length > 0) return [row('unknown', fetched.unknown[0]!)]
  return [
    row(
      'there',
      `${first} (${fetched.lookups} of ${LOOKUPS_MAX} look-ups)${sources.length > 0 ? '' : whoKnows(facts)}`,
    ),
  ]
}

function whoKnows({ carriers }: DeskFacts): string {
  return carriers.length > 0
    ? `; mail leaves through ${carriers.join(', ')}: ask there what it must include`
    : '; no sending address is known: name them with --source'
}

export function faultsOf({ tree, lookups, voids }: SpfFetched): string[] {
  const fault = faultIn(tree)
  const found = fault === undefined ? [] : [`receivers give up on it: ${fault}`]
  if (lookups > LOOKUPS_MAX) found.push(`it needs ${lookups} look-ups in DNS; receivers give up after ${LOOKUPS_MAX}`)
  if (voids > VOID_LOOKUPS_MAX)
    found.push(`${voids} of its names do not exist or have no such record; receivers give up after ${VOID_LOOKUPS_MAX}`)
  if (SOMEBODY.some((address) => spfSays(tree, address) === '+')) found.push('it lets everybody pass (+all)')
  return found
}

const mechanisms = (sources: readonly SendingAddress[]): string =>
  sources.map(({ address }) => `${address.includes(':') ? 'ip6' : 'ip4'}:${address}`).join(' ')

/** The record with our addresses right behind its version: what comes first decides. */
export function withUs(record: string, sources: readonly SendingAddress[]): string {
  const us = sources.length > 0 ? [mechanisms(sources)] : []
  return ['v=spf1', ...us, ...termsOf(record)].join(' ')
}

/** One record of several: all that they let pass, and the end of the first. */
export function joined(records: readonly string[]): string {
  const terms = records.flatMap(termsOf)
  const isEnd = (term: string): boolean => /^(?:[+?~-]?all|redirect=.*|exp=.*)$/i.test(term)
  const end = terms.find((term) => /^[?~-]all$/i.test(term)) ?? '~all'
  return ['v=spf1', ...new Set(terms.filter((term) => !isEnd(term))), end].join(' ')
}

const termsOf = (record: string): string[] => record.split(' ').slice(1).filter(Boolean)
