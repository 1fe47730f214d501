/**
 * Application passwords: one for each program or device, made by us, shown once. With 128 random bits no guess ever hits,
 * so a plain digest is enough to keep, and a check costs microseconds.
 *
 * 26 letters and digits (base32, RFC 4648 §6, in lower case), shown in groups; hyphens, spaces and case are nobody's worry.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const OCTETS = 16
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const FORM = /^[a-z2-7]{26}$/
/** With all its hyphens and some spaces; whatever is longer is none. */
const TYPED_MAX = 64

/** As it is shown. */
export function newApplicationPassword(octets: Uint8Array = randomBytes(OCTETS)): string {
  const bits = [...octets].map((octet) => octet.toString(2).padStart(8, '0')).join('')
  const letters = (bits.match(/.{1,5}/g) ?? []).map((five) => ALPHABET[Number.parseInt(five.padEnd(5, '0'), 2)])
  return (letters.join('').match(/.{1,5}/g) ?? []).join('-')
}

/** What is kept of it. Undefined: what was typed is none. */
export function applicationDigest(typed: string): Buffer | undefined {
  if (typed.length > TYPED_MAX) return undefined
  const letters = typed.replace(/[\s-]/g, '').toLowerCase()
  return FORM.test(letters) ? createHash('sha256').update(letters).digest() : undefined
}

/** Looks at all of them, so that time does not tell which. */
export function matching<T extends { readonly digest: Uint8Array }>(kept: readonly T[], digest: Buffer): T | undefined {
  let found: T | undefined
  for (const one of kept) {
    if (one.digest.length === digest.length && timingSafeEqual(one.digest, digest)) found = one
  }
  return found
}
