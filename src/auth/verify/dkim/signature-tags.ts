/**
 * The tags of a signature field (RFC 6376 §3.5; RFC 8617 §4.1.2 for an ARC-Message-Signature). What cannot be read, or may
 * not be taken, comes back as a fault with the result that it gives.
 */
import type { DkimResult } from '#mail/authentication.ts'
import { parseDomainName } from '#mail/domain.ts'
import { compact, readTags, type Tags } from '../tag-list.ts'
import type { Canonicalization } from './body.ts'

/** Of one field. An RSA signature of 4096 bits with a long h= has 2,000. */
const FIELD_CHARACTERS_MAX = 16 * 1024
/** In h=. Oversigning doubles what a message has. */
const NAMES_MAX = 200
const NAME_OCTETS_MAX = 253
/** A moment: ten digits until the year 2286. */
const SECONDS = /^\d{1,12}$/
const SELECTOR = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?){0,20}$/
const BASE64 = /^[A-Za-z0-9+/]{1,3000}={0,2}$/

export type Algorithm = 'rsa-sha256' | 'ed25519-sha256'

/** Who has signed, and with what: common to DKIM-Signature, ARC-Message-Signature and ARC-Seal. */
export interface SignerTags {
  readonly domain: string
  readonly selector: string
  readonly algorithm: Algorithm
  readonly signature: Buffer
}

export interface SignatureTags extends SignerTags {
  readonly header: Canonicalization
  readonly body: Canonicalization
  /** h=, lower case. */
  readonly names: readonly string[]
  /** bh=, Base64. */
  readonly bodyHash: string
  /** l=: octets of the canonical body. */
  readonly length: number | undefined
  /** Of i=: the signing domain, or one below it. */
  readonly identityDomain: string
  /** Seconds since 1970. */
  readonly expires: number | undefined
}

export interface TagFault {
  readonly ok: false
  readonly result: Exclude<DkimResult, 'pass'>
  readonly reason: string
  /** As far as it could be read. */
  readonly domain: string | undefined
}

type Read<T> = { readonly ok: true; readonly tags: T } | TagFault

/** A value that is no tag-list is a fault. */
export function fieldTags(value: string): Tags | undefined {
  return value.length > FIELD_CHARACTERS_MAX ? undefined : readTags(value)
}

export function readDkimSignature(value: string): Read<SignatureTags> {
  const tags = fieldTags(value)
  if (tags === undefined) return faulty('the field is no list of tags')
  if (tags.get('v') !== '1') return faulty('v= is not 1')
  const read = readMessageSignature(tags)
  if (!read.ok) return read
  const { domain, names } = read.tags
  if (!names.includes('from')) return faulty('From is not signed', domain)
  const identity = identityOf(tags.get('i'), domain)
  if (identity === undefined) return faulty('i= is not of the signing domain', domain)
  return { ok: true, tags: { ...read.tags, identityDomain: identity } }
}

/** What DKIM-Signature and ARC-Message-Signature have in common; `otherwise`: the canonicalisation if c= does not say. */
export function readMessageSignature(tags: Tags, otherwise = 'simple'): Read<SignatureTags> {
  const signer = readSigner(tags)
  if (!signer.ok) return signer
  const { domain } = signer.tags
  const canonicalization = /^(simple|relaxed)(?:\/(simple|relaxed))?$/.exec(tags.get('c') ?? otherwise)
  if (canonicalization === null) return faulty('c= is unknown', domain)
  const bodyHash = compact(tags.get('bh') ?? '')
  if (!BASE64.test(bodyHash)) return faulty('bh= is no hash', domain)
  const names = namesOf(tags.get('h'))
  if (names === undefined) return faulty('h= is missing, or too long', domain)
  const length = tags.get('l')
  if (length !== undefined && !/^\d{1,76}$/.test(length)) return faulty('l= is no number', domain)
  const times = timesOf(tags)
  if (times === undefined) return faulty('t= or x= is no moment, or x= is not after t=', domain)
  const [, header, body = 'simple'] = canonicalization as unknown as [string, Canonicalization, Canonicalization?]
  return {
    ok: true,
    tags: {
      ...signer.tags,
      header,
      body,
      names,
      bodyHash,
      length: length === undefined ? undefined : Number(length),
      identityDomain: domain,
      expires: times.expires,
    },
  }
}

export function readSigner(tags: Tags): Read<SignerTags> {
  const domain = nameOf(tags.get('d'))
  if (domain === undefined) return faulty('d= is no domain')
  const selector = compact(tags.get('s') ?? '').toLowerCase()
  if (!SELECTOR.test(selector)) return faulty('s= is no selector', domain)
  if (`${selector}._domainkey.${domain}`.length > NAME_OCTETS_MAX)
    return faulty('the name of its key is too long', domain)
  const algorithm = tags.get('a')
  // RFC 8301 §3.1
  if (algorithm === 'rsa-sha1') return faulty('rsa-sha1 proves nothing any more', domain)
  if (algorithm !== 'rsa-sha256' && algorithm !== 'ed25519-sha256') return faulty('a= is unknown', domain)
  const queries = tags.get('q')?.split(':').map(compact)
  if (queries !== undefined && !queries.includes('dns/txt')) return faulty('q= wants no DNS', domain)
  const base64 = compact(tags.get('b') ?? '')
  if (!BASE64.test(base64)) return faulty('b= is no signature', domain)
  return { ok: true, tags: { domain, selector, algorithm, signature: Buffer.from(base64, 'base64') } }
}

const faulty = (reason: string, domain?: string): TagFault => ({ ok: false, result: 'permerror', reason, domain })

// RFC 8616 §4: with U-labels in messages that may have them; read one character per octet.
function nameOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const name = parseDomainName(Buffer.from(compact(value), 'latin1').toString())
  return name?.includes('.') ? name : undefined
}

function namesOf(value: string | undefined): string[] | undefined {
  if (value === undefined) return undefined
  const names = value.split(':', NAMES_MAX + 1).map((name) => compact(name).toLowerCase())
  return names.length > NAMES_MAX ? undefined : names
}

function timesOf(tags: Tags): { readonly expires: number | undefined } | undefined {
  const [signed, expires] = [tags.get('t'), tags.get('x')]
  if (signed !== undefined && !SECONDS.test(signed)) return undefined
  if (expires === undefined) return { expires: undefined }
  if (!SECONDS.test(expires) || (signed !== undefined && Number(expires) <= Number(signed))) return undefined
  return { expires: Number(expires) }
}

// The local part may be anything, and quoted; its domain stands behind the last @.
function identityOf(value: string | undefined, domain: string): string | undefined {
  if (value === undefined) return domain
  const at = value.lastIndexOf('@')
  const name = at < 0 ? undefined : nameOf(value.slice(at + 1))
  return name === domain || name?.endsWith(`.${domain}`) ? name : undefined
}
