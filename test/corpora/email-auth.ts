/** Zones of the authentication corpora, as the resolver would answer them. */
import { existsSync, readFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { authenticate } from '#auth/verify/authenticate.ts'
import type { SpfQuestion } from '#auth/verify/spf/check-host.ts'
import type { Authentication } from '#mail/authentication.ts'
import { content } from '#mail/content.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import { systemClock } from '#sys/clock.ts'
import type { Answer, Dns, RecordType } from '#sys/dns/answer.ts'
import { ALIASES_MAX } from '#sys/dns/message.ts'
import { CORPORA } from './archive.ts'

export const AUTH = new URL('email-auth/', CORPORA)

/** A corpus that is not there is said to be missing, not called passed. */
export function has(t: TestContext, path: string): boolean {
  if (existsSync(new URL(path, AUTH))) return true
  t.diagnostic(`email-auth/${path} is not here: not measured; MAIL_CORPORA names the folder`)
  return false
}

/** Records by name in lower case and type; `timeout`: nobody answers. `CNAME` is followed. */
export type TestZone = ReadonlyMap<string, ReadonlyMap<string, readonly unknown[] | 'timeout'>>

export function zoneDns(zone: TestZone): Dns & { readonly asked: string[] } {
  const asked: string[] = []
  const answer = (given: string, type: RecordType): Answer<RecordType> => {
    let name = given.toLowerCase()
    for (let links = 0; links <= ALIASES_MAX; links++) {
      const types = zone.get(name)
      const none = { kind: 'none', name, secure: false, ttlMs: 1 } as const
      if (types === undefined) return { ...none, why: 'no-name' }
      const records = types.get(type)
      if (records === 'timeout') return { kind: 'unknown', text: 'no answer' }
      if (records !== undefined && records.length > 0)
        return { kind: 'found', records: records as never, name, secure: false, ttlMs: 1 }
      const alias = types.get('CNAME')
      if (alias === undefined || alias === 'timeout') return { ...none, why: 'no-record' }
      name = String(alias[0]).toLowerCase()
    }
    return { kind: 'unknown', text: 'too many aliases' }
  }
  return {
    asked,
    async lookup(name, type) {
      asked.push(`${type} ${name}`)
      return answer(name, type) as never
    },
  }
}

export const textZone = (records: Readonly<Record<string, string>>): TestZone =>
  new Map(Object.entries(records).map(([name, text]) => [name.toLowerCase(), new Map([['TXT', [text]]])]))

/** Line ends as they are in mail. */
export const crlf = (octets: Buffer): Buffer =>
  Buffer.from(octets.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')

const NOBODY: SpfQuestion = { clientAddress: '192.0.2.1', greetingName: 'mx.example', sender: undefined }

export function authenticated(octets: Buffer, zone: TestZone, session = NOBODY): Promise<Authentication> {
  const message = content([octets])
  const header = readHeaderSection(message)
  return authenticate({ session, content: message, header }, { clock: systemClock, dns: zoneDns(zone) })
}

interface RspamdRecord {
  readonly name: string
  readonly type: string
  readonly rcode: 'norec' | 'nxdomain' | 'timeout' | null
  readonly replies: readonly string[]
}

/** The resolver of Rspamd's test configuration. */
export function rspamdZone(): TestZone {
  const records = JSON.parse(readFileSync(new URL('dmarc-rspamd-dns.json', AUTH), 'utf8')) as RspamdRecord[]
  const zone = new Map<string, Map<string, readonly unknown[] | 'timeout'>>()
  for (const { name, type, rcode, replies } of records) {
    if (rcode === 'nxdomain') continue
    const types = zone.get(name.toLowerCase()) ?? new Map<string, readonly unknown[] | 'timeout'>()
    zone.set(name.toLowerCase(), types)
    const data = type === 'mx' ? replies.map(exchanger) : replies
    types.set(type.toUpperCase(), rcode === 'timeout' ? 'timeout' : data)
  }
  return zone
}

function exchanger(text: string) {
  const [preference, exchange] = text.split(' ')
  return { preference: Number(preference), exchange }
}
