/** DNS as a table, and the facts of a bakery, for the tests of the checks. */
import type { Answer, Dns, RecordData, RecordType } from '#sys/dns/answer.ts'
import type { DeskFacts, Row } from './row.ts'

/** `{'TXT bakery.example': ['v=spf1 -all'], 'A host.example': 'unknown'}`; what is not there does not exist. */
export type Table = Readonly<Record<string, readonly unknown[] | 'unknown'>>

export function tableDns(table: Table, options: { readonly secure?: boolean } = {}): Dns {
  const about = { secure: options.secure ?? false, ttlMs: 1 }
  return {
    async lookup<T extends RecordType>(name: string, type: T): Promise<Answer<T>> {
      const aliases = table[`CNAME ${name}`]
      const end = Array.isArray(aliases) && type !== 'CNAME' ? String(aliases[0]) : name
      const found = table[`${type} ${end}`]
      if (found === 'unknown') return { kind: 'unknown', text: 'SERVFAIL' }
      if (found === undefined) return { kind: 'none', why: 'no-name', name: end, ...about }
      return { kind: 'found', records: found as readonly RecordData[T][], name: end, ...about }
    },
  }
}

export const facts = (more: Partial<DeskFacts> = {}): DeskFacts => ({
  domain: 'bakery.example',
  hostname: 'mx.relay.example',
  ownNames: ['mx.relay.example', 'mx2.relay.example'],
  receives: true,
  fallback: false,
  sends: true,
  sources: [{ address: '192.0.2.25', greetingName: 'mx.relay.example' }],
  carriers: [],
  keys: [],
  publicKeyDigests: [],
  notPublic: (address) => (address.startsWith('10.') ? 'private' : undefined),
  ...more,
})

/** `wrong: text`, for each row. */
export const seen = (rows: readonly Row[]): string[] => rows.map(({ state, text }) => `${state}: ${text}`)

export const exchanger = (preference: number, exchange: string) => ({ preference, exchange })
