/**
 * Fuzzes the authentication of senders with mail and DNS records made of tricks:
 *
 * - it never throws and always ends, with results that are results;
 * - a DMARC pass has a domain that has vouched, and one author.
 */
import { authenticate } from '#auth/verify/authenticate.ts'
import type { Authentication } from '#mail/authentication.ts'
import { content } from '#mail/content.ts'
import { authenticationResults } from '#mime/authentication-results.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import { systemClock } from '#sys/clock.ts'
import type { Answer, Dns, RecordType } from '#sys/dns/answer.ts'
import { type Chance, chances } from './made-mail.ts'

const PIECES = [
  ...'=;:/@.%{}()<>"\\, \t\0\xff',
  '\r\n',
  '\r\n ',
  'From: anna@a.test\r\n',
  'From: <b@b.test>, c@a.test\r\n',
  'Subject: x\r\n',
  'DKIM-Signature: v=1; a=rsa-sha256; d=a.test; s=s; h=from:from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=aaaa\r\n',
  'DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=a.test; s=e; l=0; h=from; bh=x; b=y\r\n',
  'ARC-Seal: i=1; a=rsa-sha256; cv=none; d=a.test; s=s; b=aaaa\r\n',
  'ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed; d=a.test; s=s; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=aaaa\r\n',
  'ARC-Authentication-Results: i=1; a.test; none\r\n',
  '\r\n\r\n',
  'body ',
]
const RECORD_PIECES = [
  'v=spf1 ',
  'a ',
  'mx/0 ',
  'ptr ',
  'include:a.test ',
  'exists:%{ir}.%{v}.%{d2}.a.test ',
  'redirect=%{h} ',
  'ip4:192.0.2.0/24 ',
  'ip6:::/0 ',
  '-all ',
  '%{p}',
  '%{L99r.-+}',
  'v=DMARC1; ',
  'p=reject; ',
  'psd=y; ',
  'sp=none; np=reject; t=y; ',
  'v=DKIM1; k=rsa; p=',
  'MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAL',
  'k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=',
  ';',
  '=',
  ' ',
  '\xff',
]
const PIECES_MAX = 25
const QUESTIONS_MAX = 300

export async function fuzz(seed: number, iterations: number): Promise<void> {
  const chance = chances(seed)
  for (let i = 0; i < iterations; i++) {
    const text = some(chance, PIECES)
    try {
      await check(text, chance)
    } catch (cause) {
      throw new Error(`${JSON.stringify(text)}: ${cause instanceof Error ? cause.message : cause}`, { cause })
    }
  }
}

/** A pass that nobody has vouched for must be seen. */
export function canary(): void {
  const found = { dmarc: { result: 'pass', domain: 'a.test', alignedBy: [] }, dkim: [], spf: { result: 'none' } }
  believable(found as unknown as Authentication)
}

const some = (chance: Chance, pieces: readonly string[]): string =>
  Array.from({ length: chance(PIECES_MAX) }, () => pieces[chance(pieces.length)]!).join('')

async function check(text: string, chance: Chance): Promise<void> {
  const message = content([Buffer.from(text, 'latin1')])
  const dns = madeDns(chance)
  const sender =
    chance(3) === 0
      ? undefined
      : { localPart: some(chance, PIECES), domain: chance(2) === 0 ? 'a.test' : some(chance, PIECES) }
  const session = {
    clientAddress: chance(2) === 0 ? '192.0.2.1' : '2001:db8::1',
    greetingName: some(chance, PIECES),
    sender,
  }
  const question = { session, content: message, header: readHeaderSection(message) }
  const found = await authenticate(question, { clock: systemClock, dns })
  believable(found)
  const field = authenticationResults('relay.test', found)
  const read = readHeaderSection(content([Buffer.from(`${field}\r\n`)]))
  if (read.fields.length !== 1 || read.end !== Buffer.byteLength(field)) throw new Error(`not one field: ${field}`)
  if (dns.questions > QUESTIONS_MAX) throw new Error(`${dns.questions} questions`)
}

function believable({ dmarc, spf, dkim }: Authentication): void {
  if (dmarc.result !== 'pass') return
  const vouched = spf.result === 'pass' || dkim.some(({ result }) => result === 'pass')
  if (dmarc.domain === undefined || dmarc.alignedBy.length === 0 || !vouched)
    throw new Error('a pass that nobody vouched for')
}

function madeDns(chance: Chance): Dns & { questions: number } {
  return {
    questions: 0,
    async lookup<T extends RecordType>(name: string, type: T): Promise<Answer<T>> {
      this.questions++
      const of = { name, secure: false, ttlMs: 1 }
      if (chance(8) === 0) return { kind: 'unknown', text: 'made' }
      if (chance(4) === 0) return { kind: 'none', why: chance(2) === 0 ? 'no-name' : 'no-record', ...of }
      return { kind: 'found', records: [recordOf(type, chance)] as never, ...of }
    },
  }
}

function recordOf(type: RecordType, chance: Chance): unknown {
  if (type === 'A') return chance(2) === 0 ? '192.0.2.1' : '198.51.100.1'
  if (type === 'AAAA') return '2001:db8::1'
  if (type === 'MX') return { preference: 1, exchange: chance(2) === 0 ? '' : 'a.test' }
  return type === 'TXT' ? some(chance, RECORD_PIECES) : 'a.test'
}
