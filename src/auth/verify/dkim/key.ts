/**
 * The public key of a signer, out of its TXT record (RFC 6376 §3.6.1; RFC 8463 §4 for Ed25519). Keys are made into objects of
 * the crypto library once and kept for a while: that costs as much as the verification.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { bitsOf, RECORD_CHARACTERS_MAX, RSA_BITS_MAX, RSA_BITS_MIN, recordName } from '#auth/dkim/keys.ts'
import type { DkimResult } from '#mail/authentication.ts'
import type { Dns } from '#sys/dns/answer.ts'
import { compact, readTags, type Tags } from '../tag-list.ts'
import type { SignerTags } from './signature-tags.ts'

/** A larger one makes each verification as slow as a signature. Honest keys have 65537. */
const EXPONENT_MAX = 2n ** 64n
/** Of one worker; a key object has some 2 KB. */
export const KEYS_KEPT_MAX = 1_000

export type FoundKey =
  | {
      readonly ok: true
      readonly key: KeyObject
      /** t=y: the domain only tries (RFC 6376 §3.6.1). */
      readonly isTest: boolean
      /** t=s: i= must be exactly of this domain. */
      readonly isStrict: boolean
    }
  | { readonly ok: false; readonly result: Exclude<DkimResult, 'pass'>; readonly reason: string }

const unusable = (reason: string, result: 'permerror' | 'policy' = 'permerror'): FoundKey => ({
  ok: false,
  result,
  reason,
})

export async function findKey({ domain, selector, algorithm }: SignerTags, dns: Dns): Promise<FoundKey> {
  const answer = await dns.lookup(recordName(domain, selector), 'TXT')
  if (answer.kind === 'unknown') return { ok: false, result: 'temperror', reason: answer.text }
  if (answer.kind === 'none') return unusable('there is no key')
  // RFC 6376 §3.6.2.2: what several mean is undefined. What is no key at all stands there by mistake.
  const records = answer.records.flatMap((text) => keyTags(text) ?? [])
  if (records.length !== 1)
    return unusable(records.length === 0 ? 'there is no key that can be read' : 'there are several keys')
  return keyOf(records[0]!, algorithm)
}

function keyTags(text: string): Tags | undefined {
  const tags = text.length > RECORD_CHARACTERS_MAX ? undefined : readTags(text)
  if (tags === undefined || !tags.has('p')) return undefined
  // v= comes first if it is there, and has this one value.
  const version = tags.get('v')
  return version === undefined || (version === 'DKIM1' && [...tags.keys()][0] === 'v') ? tags : undefined
}

const listOf = (value: string | undefined): string[] | undefined => value?.split(':').map(compact)

function keyOf(tags: Tags, algorithm: SignerTags['algorithm']): FoundKey {
  const text = compact(tags.get('p')!)
  if (text === '') return unusable('the key is revoked')
  const type = tags.get('k') ?? 'rsa'
  if (type !== (algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519')) return unusable('the key is of another kind')
  if (listOf(tags.get('h'))?.includes('sha256') === false) return unusable('the key is not for sha256')
  const services = listOf(tags.get('s'))
  if (services !== undefined && !services.includes('*') && !services.includes('email'))
    return unusable('the key is not for mail')
  const key = kept(type, text)
  if (key === undefined) return unusable('the key cannot be read')
  if (typeof key === 'string') return unusable(key, 'policy')
  const flags = listOf(tags.get('t')) ?? []
  return { ok: true, key, isTest: flags.includes('y'), isStrict: flags.includes('s') }
}

/** A text: why it is not taken. */
type Made = KeyObject | string | undefined
const keys = new Map<string, Made>()

function kept(type: string, text: string): Made {
  const name = `${type} ${text}`
  if (keys.has(name)) return keys.get(name)
  const made = type === 'rsa' ? rsaKey(text) : ed25519Key(text)
  if (keys.size >= KEYS_KEPT_MAX) keys.delete(keys.keys().next().value!)
  keys.set(name, made)
  return made
}

// RFC 6376 §3.6.1 says RSAPublicKey, its examples and the world have SubjectPublicKeyInfo (erratum 3017).
function rsaKey(text: string): Made {
  const der = Buffer.from(text, 'base64')
  const key = asKey(der, 'spki') ?? asKey(der, 'pkcs1')
  if (key?.asymmetricKeyType !== 'rsa') return undefined
  const bits = bitsOf(key)
  // RFC 8301 §3.2
  if (bits < RSA_BITS_MIN) return `the key has ${bits} bits`
  if (bits > RSA_BITS_MAX) return `the key has ${bits} bits`
  return (key.asymmetricKeyDetails?.publicExponent ?? 0n) > EXPONENT_MAX ? 'the exponent of the key is too large' : key
}

// SubjectPublicKeyInfo around the 32 octets (RFC 8410 §4).
const ED25519_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
const ED25519_OCTETS = 32

function ed25519Key(text: string): Made {
  const octets = Buffer.from(text, 'base64')
  return octets.length === ED25519_OCTETS ? asKey(Buffer.concat([ED25519_PREFIX, octets]), 'spki') : undefined
}

function asKey(key: Buffer, type: 'spki' | 'pkcs1'): KeyObject | undefined {
  try {
    return createPublicKey({ key, format: 'der', type })
  } catch {
    return undefined
  }
}
