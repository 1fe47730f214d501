/** For tests: zones in a Map, and mail that a foreign signer (mailauth) has signed. */
import type { KeyObject } from 'node:crypto'
import { dkimSign } from 'mailauth/lib/dkim/sign.js'
import { RECORDS, rsaPair } from '#auth/dkim/testing.ts'
import { content } from '#mail/content.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import { systemClock } from '#sys/clock.ts'
import type { Answer, Dns, RecordType } from '#sys/dns/answer.ts'
import { authenticate } from './authenticate.ts'
import type { SpfQuestion } from './spf/check-host.ts'

/** TXT records by name; `silent`: DNS does not know. Names not here do not exist; with `[]` they do. */
export type TextZone = Readonly<Record<string, string | readonly string[] | 'silent'>>

export function textDns(zone: TextZone): Dns & { readonly asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    async lookup<T extends RecordType>(name: string, type: T): Promise<Answer<T>> {
      asked.push(`${type} ${name}`)
      const found = zone[name]
      if (found === 'silent') return { kind: 'unknown', text: 'no answer' }
      const records = type === 'TXT' ? [found ?? []].flat() : []
      const none = { kind: 'none', name, secure: false, ttlMs: 1 } as const
      if (records.length === 0) return { ...none, why: found === undefined ? 'no-name' : 'no-record' }
      return { kind: 'found', records: records as never, name, secure: false, ttlMs: 1 }
    },
  }
}

/** `r1` and `e1` of bakery.test, which are the keys of #auth/dkim/testing.ts. */
export const KEYS: TextZone = Object.fromEntries(RECORDS)

export const NOBODY: SpfQuestion = { clientAddress: '192.0.2.1', greetingName: 'mx.sender.test', sender: undefined }

export function checked(
  message: string | Buffer,
  zone: TextZone = KEYS,
  session: SpfQuestion = NOBODY,
  budgetMs?: number,
) {
  const octets = content([typeof message === 'string' ? Buffer.from(message, 'latin1') : message])
  const parts = { clock: systemClock, dns: textDns(zone), ...(budgetMs !== undefined && { budgetMs }) }
  return authenticate({ session, content: octets, header: readHeaderSection(octets) }, parts)
}

export interface SignWith {
  readonly canonicalization?: string
  readonly maxBodyLength?: number
  readonly expires?: Date
  readonly privateKey?: KeyObject
  readonly algorithm?: string
  readonly selector?: string
}

/** The message with a signature of bakery.test on top. */
export async function signedElsewhere(message: string, how: SignWith = {}): Promise<string> {
  const { canonicalization = 'relaxed/relaxed', privateKey = rsaPair.privateKey, selector = 'r1' } = how
  const options = {
    canonicalization,
    ...(how.algorithm !== undefined && { algorithm: how.algorithm }),
    ...(how.expires !== undefined && { expires: how.expires }),
    signTime: new Date('2026-01-01T00:00:00Z'),
    signatureData: [
      {
        signingDomain: 'bakery.test',
        selector,
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
        ...(how.maxBodyLength !== undefined && { maxBodyLength: how.maxBodyLength }),
      },
    ],
  }
  const { signatures, errors } = await dkimSign(Buffer.from(message, 'latin1'), options as never)
  if (errors.length > 0) throw new Error(JSON.stringify(errors))
  return signatures + message
}
