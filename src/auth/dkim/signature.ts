/**
 * A DKIM signature (RFC 6376), by RSA or Ed25519 (RFC 8463), relaxed/relaxed, over the whole body: the field that is
 * prepended to a message. Pure, but for the private key and the thread that computes with it.
 *
 * i= is left out (the domain speaks, not a user), l= is never written (RFC 6376 §8.2). RSA keys have 1024 bits at least
 * (RFC 8301 §3.2); `keys.ts` sees to that.
 */
import { createHash, type KeyObject, sign as nodeSign } from 'node:crypto'
import type { Content } from '#mail/content.ts'
import type { HeaderSection } from '#mime/header-section.ts'
import { RelaxedBodyHash } from './body-hash.ts'
import { relaxedField, type SignedFields, signedFields } from './signed-fields.ts'

export type Algorithm = 'rsa-sha256' | 'ed25519-sha256'

export interface SigningKey {
  /** A-labels, lower case. */
  readonly domain: string
  readonly selector: string
  readonly algorithm: Algorithm
  readonly privateKey: KeyObject
}

/** `malformed`: a verifier would not see the header section that we see (RFC 6376 §3.8). */
export type SignFault = 'malformed' | 'no-author'

export type Prepared =
  | { readonly ok: true; readonly fields: SignedFields; readonly bodyHash: string }
  | { readonly ok: false; readonly fault: SignFault }

/** What all signatures of a message have in common: its canonical fields, and the hash of its body. */
export function prepare(content: Content, header: HeaderSection): Prepared {
  const authors = header.fields.filter(({ name }) => name === 'from').length
  // RFC 5322 §3.6: exactly one. Receivers do not agree on which of several counts.
  if (authors !== 1) return { ok: false, fault: authors === 0 ? 'no-author' : 'malformed' }
  const fields = signedFields(header)
  const bodyHash = fields && hashOfBody(content, header.end)
  return bodyHash === undefined ? { ok: false, fault: 'malformed' } : { ok: true, fields: fields!, bodyHash }
}

// Undefined: what follows the last field is no empty line, which some would read as a field and some as the body; or the
// body has line ends that are none (RFC 6376 §3.8).
function hashOfBody({ chunks, octets }: Content, headerEnd: number): string | undefined {
  const hash = new RelaxedBodyHash()
  const start = headerEnd + 2
  let base = 0
  let separator = ''
  for (const chunk of chunks) {
    const end = base + chunk.length
    if (base < start && end > headerEnd) {
      separator += chunk.toString('latin1', Math.max(0, headerEnd - base), Math.min(chunk.length, start - base))
    }
    if (end > start) hash.update(base >= start ? chunk : chunk.subarray(start - base))
    base = end
  }
  if (hash.isLineEndAlone || (separator !== '\r\n' && octets !== headerEnd)) return undefined
  return hash.digest()
}

export interface Times {
  /** Seconds since 1970, for t=. */
  readonly signedSeconds: number
  /** For x=, if there is one. */
  readonly expiresSeconds?: number
}

/** The whole field, with its CRLF. Rejects if the key cannot sign. */
export async function signatureField(
  prepared: Extract<Prepared, { ok: true }>,
  key: SigningKey,
  times: Times,
): Promise<string> {
  const value = unsignedValue(prepared, key, times)
  // RFC 6376 §3.7: the field itself comes last, with an empty b= and without its CRLF.
  const text = Buffer.from(prepared.fields.text + relaxedField('dkim-signature', value), 'latin1')
  return `DKIM-Signature:${value}${folded((await signatureOf(text, key)).toString('base64'))}\r\n`
}

const LINE_CHARACTERS_MAX = 76

function unsignedValue(
  { fields, bodyHash }: Extract<Prepared, { ok: true }>,
  { domain, selector, algorithm }: SigningKey,
  { signedSeconds, expiresSeconds }: Times,
): string {
  const expires = expiresSeconds === undefined ? '' : ` x=${expiresSeconds};`
  return (
    ` v=1; a=${algorithm}; c=relaxed/relaxed;\r\n\td=${domain};\r\n\ts=${selector}; t=${signedSeconds};${expires}\r\n` +
    `\th=${namesText(fields.names)};\r\n\tbh=${bodyHash};\r\n\tb=`
  )
}

function namesText(names: readonly string[]): string {
  let text = ''
  let line = 4
  for (const [i, name] of names.entries()) {
    const word = i === 0 ? name : `:${name}`
    if (line + word.length > LINE_CHARACTERS_MAX) {
      text += '\r\n\t '
      line = 2
    }
    text += word
    line += word.length
  }
  return text
}

// What is folded into b= is not signed, so it may be folded anywhere.
function folded(base64: string): string {
  let text = base64.slice(0, LINE_CHARACTERS_MAX - 4)
  for (let at = text.length; at < base64.length; at += LINE_CHARACTERS_MAX - 2) {
    text += `\r\n\t ${base64.slice(at, at + LINE_CHARACTERS_MAX - 2)}`
  }
  return text
}

function signatureOf(text: Buffer, { algorithm, privateKey }: SigningKey): Promise<Buffer> {
  // RFC 8463 §3: Ed25519 signs the hash of the text.
  if (algorithm === 'ed25519-sha256') {
    return Promise.resolve(nodeSign(null, createHash('sha256').update(text).digest(), privateKey))
  }
  return new Promise((resolve, reject) => {
    nodeSign('sha256', text, privateKey, (error, signature) => (error ? reject(error) : resolve(signature)))
  })
}
