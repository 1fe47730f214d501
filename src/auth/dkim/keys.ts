/**
 * Keys that sign, and the TXT records that show their public halves (RFC 6376 §3.6.1; RFC 8463 §4 for Ed25519).
 *
 * RSA: made with 2048 bits, taken from 1024 to 4096 (RFC 8301 §3.2: what a verifier must be able to check). What is handed
 * in is bounded and comes back as a fault, never as an exception.
 */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { Algorithm } from './signature.ts'

/** RFC 8301 §3.2. */
export const RSA_BITS_MIN = 1024
export const RSA_BITS_MAX = 4096
/** RFC 8301 §3.2: signers should use this at least. */
export const RSA_BITS = 2048
/** A key of 4096 bits has 3.3 KB. */
export const PEM_CHARACTERS_MAX = 16 * 1024
/** RFC 1035 §3.3: a character-string. */
export const TXT_STRING_OCTETS_MAX = 255
/** Longer records are not read. */
export const RECORD_CHARACTERS_MAX = 4096

const makePair = promisify(generateKeyPair)

export async function makeKey(algorithm: Algorithm): Promise<KeyObject> {
  const pair =
    algorithm === 'rsa-sha256' ? await makePair('rsa', { modulusLength: RSA_BITS }) : await makePair('ed25519', {})
  return pair.privateKey
}

export type ReadKey =
  | { readonly ok: true; readonly algorithm: Algorithm; readonly privateKey: KeyObject }
  | { readonly ok: false; readonly fault: string }

// PKCS#8 around the 32 octets of an Ed25519 key (RFC 8410 §7).
const ED25519_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** A private key in PEM (PKCS#8 or PKCS#1, not encrypted), or the bare Base64 of an Ed25519 key, as some tools write it. */
export function readKey(text: string): ReadKey {
  const trimmed = text.slice(0, PEM_CHARACTERS_MAX + 1).trim()
  if (trimmed.length > PEM_CHARACTERS_MAX) return fault('this is no key: it is too long')
  if (/^-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(trimmed))
    return fault('the key is encrypted: decrypt it first')
  if (/^-----BEGIN (?:RSA )?PUBLIC KEY/m.test(trimmed)) return fault('this is a public key; the private one is needed')
  try {
    return checked(privateKeyOf(trimmed))
  } catch {
    return fault('this is no private key in PEM')
  }
}

function privateKeyOf(text: string): KeyObject {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) return createPrivateKey(text)
  const key = Buffer.concat([ED25519_PREFIX, Buffer.from(text, 'base64')])
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}

function checked(privateKey: KeyObject): ReadKey {
  if (privateKey.asymmetricKeyType === 'ed25519') return { ok: true, algorithm: 'ed25519-sha256', privateKey }
  if (privateKey.asymmetricKeyType !== 'rsa') return fault(`a ${privateKey.asymmetricKeyType} key cannot sign mail`)
  const bits = bitsOf(privateKey)
  if (bits < RSA_BITS_MIN)
    return fault(`the key has ${bits} bits; receivers ignore less than ${RSA_BITS_MIN} (RFC 8301)`)
  if (bits > RSA_BITS_MAX)
    return fault(`the key has ${bits} bits; receivers need not check more than ${RSA_BITS_MAX} (RFC 8301)`)
  return { ok: true, algorithm: 'rsa-sha256', privateKey }
}

const fault = (text: string): ReadKey => ({ ok: false, fault: text })

/** Of an RSA key; 256 for Ed25519. */
export const bitsOf = (key: KeyObject): number => key.asymmetricKeyDetails?.modulusLength ?? 256

/** What stands in p=: for RSA the SubjectPublicKeyInfo, for Ed25519 the key alone (RFC 8463 §4), in Base64. */
export function publicText(privateKey: KeyObject): string {
  const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return (privateKey.asymmetricKeyType === 'ed25519' ? der.subarray(-32) : der).toString('base64')
}

export const recordName = (domain: string, selector: string): string => `${selector}._domainkey.${domain}`

export const recordText = (algorithm: Algorithm, publicKey: string): string =>
  `v=DKIM1; k=${algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519'}; p=${publicKey}`

/** A line of a zone file: the text in strings of 255 octets at most, which receivers join again (RFC 6376 §3.6.2.2). */
export function zoneLine(name: string, text: string): string {
  const strings: string[] = []
  for (let at = 0; at < text.length; at += TXT_STRING_OCTETS_MAX)
    strings.push(text.slice(at, at + TXT_STRING_OCTETS_MAX))
  return `${name}. IN TXT ${strings.length > 1 ? '( ' : ''}${strings.map((one) => `"${one}"`).join(' ')}${strings.length > 1 ? ' )' : ''}`
}

export type Published =
  | 'there'
  /** The domain says that the key is not to be used any more (an empty p=). */
  | 'revoked'
  | 'another-key'
  | 'not-readable'
  /** RFC 6376 §3.6.2.2: what receivers do with several is undefined. */
  | 'several'
  | 'missing'

/** What the TXT records at the name of a key say of it. */
export function publishedIn(records: readonly string[], algorithm: Algorithm, publicKey: string): Published {
  if (records.length === 0) return 'missing'
  if (records.length > 1) return 'several'
  const tags = readTags(records[0]!)
  const version = tags?.get('v')
  // RFC 6376 §3.6.1: v= comes first if it is there, and has this one value.
  if (tags === undefined || (version !== undefined && version !== 'DKIM1')) return 'not-readable'
  if (version !== undefined && [...tags.keys()][0] !== 'v') return 'not-readable'
  const key = tags.get('p')?.replace(/\s+/g, '')
  if (key === undefined) return 'not-readable'
  if (key === '') return 'revoked'
  const type = tags.get('k') ?? 'rsa'
  const hashes = tags
    .get('h')
    ?.split(':')
    .map((hash) => hash.trim())
  const services = tags
    .get('s')
    ?.split(':')
    .map((service) => service.trim())
  if (hashes !== undefined && !hashes.includes('sha256')) return 'not-readable'
  if (services !== undefined && !services.includes('*') && !services.includes('email')) return 'not-readable'
  return type === (algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519') && key === publicKey ? 'there' : 'another-key'
}

/** A tag-list (RFC 6376 §3.2); undefined if it is none, or has a tag twice. */
function readTags(text: string): ReadonlyMap<string, string> | undefined {
  if (text.length > RECORD_CHARACTERS_MAX) return undefined
  const tags = new Map<string, string>()
  const parts = text.split(';')
  if (parts.at(-1)?.trim() === '') parts.pop()
  for (const part of parts) {
    const equals = part.indexOf('=')
    const name = part.slice(0, Math.max(0, equals)).trim()
    if (!/^[A-Za-z]\w*$/.test(name) || tags.has(name)) return undefined
    tags.set(name, part.slice(equals + 1).trim())
  }
  return tags
}
