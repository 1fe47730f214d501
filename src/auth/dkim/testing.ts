/** For tests: keys, signed messages, and mailauth as the receiver that judges them. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { type Content, content } from '#mail/content.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import { type Algorithm, prepare, type SigningKey, signatureField } from './signature.ts'

export const rsaPair = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const ed25519Pair = generateKeyPairSync('ed25519')

export const key = (algorithm: Algorithm, more: Partial<SigningKey> = {}): SigningKey => ({
  domain: 'bakery.test',
  selector: algorithm === 'rsa-sha256' ? 'r1' : 'e1',
  algorithm,
  privateKey: (algorithm === 'rsa-sha256' ? rsaPair : ed25519Pair).privateKey,
  ...more,
})
export const BOTH = [key('rsa-sha256'), key('ed25519-sha256')]

/** The TXT record of a public key (RFC 6376 §3.6.1; RFC 8463 §4: of Ed25519 only the 32 octets of the key). */
function recordOf(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' })
  return publicKey.asymmetricKeyType === 'rsa'
    ? `v=DKIM1; k=rsa; p=${der.toString('base64')}`
    : `v=DKIM1; k=ed25519; p=${der.subarray(-32).toString('base64')}`
}

export const RECORDS: ReadonlyMap<string, string> = new Map([
  ['r1._domainkey.bakery.test', recordOf(rsaPair.publicKey)],
  ['e1._domainkey.bakery.test', recordOf(ed25519Pair.publicKey)],
])

/** Signed by all keys; undefined: it is no message that gets a signature. */
export async function signed(of: Content, keys = BOTH, signedSeconds = 1_790_000_000): Promise<Content | undefined> {
  const prepared = prepare(of, readHeaderSection(of))
  if (!prepared.ok) return undefined
  const fields = await Promise.all(keys.map((one) => signatureField(prepared, one, { signedSeconds })))
  return content([Buffer.from(fields.join(''), 'latin1'), ...of.chunks])
}

/** What mailauth says of each signature: `pass`, or the result and its comment. */
export async function judged(
  message: Content | string,
  records: ReadonlyMap<string, string> = RECORDS,
): Promise<string[]> {
  const octets = typeof message === 'string' ? Buffer.from(message, 'latin1') : Buffer.concat(message.chunks)
  const resolver = async (name: string) => {
    const record = records.get(name)
    if (record === undefined) throw Object.assign(new Error('no record'), { code: 'ENOTFOUND' })
    return [[record]]
  }
  const { results } = await dkimVerify(octets, { resolver } as never)
  return results.map(({ status }) => `${status.result}${status.comment ? ` (${status.comment})` : ''}`)
}

/** In pieces of so many octets. */
export const inPieces = (text: string | Buffer, octets = Number.POSITIVE_INFINITY): Content => {
  const whole = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
  const chunks: Buffer[] = []
  for (let at = 0; at < whole.length; at += octets) chunks.push(whole.subarray(at, at + octets))
  return content(chunks)
}

/** Any message with a From field that its parser and ours see alike. */
const someText = fc.string({
  unit: fc.constantFrom('a', 'B', ' ', '\t', ':', ';', '=', '\xe4', '.', '-'),
  maxLength: 30,
})
const foldedValue = fc.array(someText, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('\r\n '))
const fieldName = fc.constantFrom(
  'To',
  'CC',
  'subject',
  'Reply-To',
  'DATE',
  'List-Id',
  'X-Odd',
  'MIME-Version',
  'Received',
)
const fields = fc.array(
  fc.tuple(fieldName, fc.constantFrom(':', ': ', ':\t ', ':\r\n '), foldedValue).map((parts) => parts.join('')),
  { maxLength: 12 },
)
const body = fc.array(fc.constantFrom('\r\n', '\r\n', ' ', '\t', 'word', '.', '\xfc', 'two  words'), {
  maxLength: 60,
})
export const someMessage = fc
  .tuple(fields, fields, body)
  .map(([before, after, text]) => [...before, 'From: anna@bakery.test', ...after, '', text.join('')].join('\r\n'))
