/**
 * What the address records in a list's answer mean. Outside 127.0.0.0/8 nothing is a listing: so answers a zone that has been
 * given up and sold, or a name server that makes something up for names that do not exist.
 *
 * | code | means | who says so |
 * |---|---|---|
 * | 127.255.255.0/24 | error: wrong zone, public resolver, too many questions | Spamhaus and others |
 * | 127.0.0.1 | refused | URIBL, SURBL; RFC 5782 §5 has no use for it as a listing |
 * | 127.0.0.255 | refused | DNSWL; only if the configuration does not name the code |
 */
import type { SpamListCode, SpamListSettings } from '#mail/spam-list.ts'

export type CodeReading =
  /** `codes`: `127.0.0.2 (known spammers)`, the weightiest first. */
  | { readonly kind: 'listed'; readonly weight: number; readonly codes: readonly string[] }
  /** It lists it for something that the configuration gives no weight. */
  | { readonly kind: 'of-no-weight' }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'no-list'; readonly code: string }

const LOOPBACK = 127
const ERRORS_OF_SPAMHAUS: Readonly<Record<string, string>> = {
  '127.255.255.252': 'there is no such zone: a typing error',
  '127.255.255.254': 'asked through a public resolver, whose questions the list refuses',
  '127.255.255.255': 'too many questions',
}
/** Codes are shown to people; nobody reads more. */
const CODES_SHOWN_MAX = 4

/** 32 bits, unsigned. `address`: IPv4. */
export const codeNumber = (address: string): number => Buffer.from(address.split('.').map(Number)).readUInt32BE(0)

/** Never a listing, whatever somebody writes into the configuration. */
export const isError = (address: string): boolean => address === '127.0.0.1' || address.startsWith('127.255.255.')

/** `addresses`: at least one. */
export function readCodes(addresses: readonly string[], list: SpamListSettings): CodeReading {
  const strange = addresses.find((address) => !address.startsWith(`${LOOPBACK}.`))
  if (strange !== undefined) return { kind: 'no-list', code: strange }
  const refused = addresses.find((address) => isError(address) || isUnnamedRefusal(address, list.codes))
  if (refused !== undefined) return { kind: 'refused', code: refused }
  const meant = addresses.flatMap((address) => meaningsOf(address, list))
  if (meant.length === 0) return { kind: 'of-no-weight' }
  // Name servers turn the order of records round.
  meant.sort((a, b) => b.weight - a.weight || (a.text < b.text ? -1 : 1))
  const codes = [...new Set(meant.map(({ text }) => text))].slice(0, CODES_SHOWN_MAX)
  return { kind: 'listed', weight: meant[0]!.weight, codes }
}

/** In words, if it is known. */
export const refusalMeaning = (code: string): string => ERRORS_OF_SPAMHAUS[code] ?? 'it refuses to answer us'

const isUnnamedRefusal = (address: string, codes: readonly SpamListCode[]): boolean =>
  address === '127.0.0.255' && !codes.some(({ written }) => written === address)

// One record may have several bits; everything else is one code.
function meaningsOf(address: string, { codes, weight }: SpamListSettings): { weight: number; text: string }[] {
  const code = codeNumber(address)
  const meant = codes.filter(({ mask, value }) => (code & mask) >>> 0 === value)
  const bits = meant.filter(({ written }) => written.startsWith('bit-'))
  const counted = bits.length > 0 ? bits : meant.slice(0, 1)
  if (counted.length === 0) return weight === undefined ? [] : [{ weight, text: address }]
  return counted.map((one) => ({
    weight: one.weight,
    text: one.meaning === undefined ? address : `${address} (${one.meaning})`,
  }))
}
