/**
 * The right-hand side of a mailbox: a domain name or an address literal (RFC 5321 §4.1.2, §4.1.3).
 *
 * A domain name is kept in its A-label form, lower case (RFC 5890): that is what DNS and every comparison use.
 * Address literals are kept as canonical addresses. Limits: a label 63 octets, a name 255 octets (RFC 5321 §4.5.3.1.2).
 */
import { createRequire } from 'node:module'
import { isIPv4, isIPv6, SocketAddress } from 'node:net'

export type Domain =
  | { readonly kind: 'name' /** A-labels, lower case. */; readonly ascii: string }
  | { readonly kind: 'literal'; readonly family: 4 | 6; readonly address: string }

export const DOMAIN_OCTETS_MAX = 255
export const LABEL_OCTETS_MAX = 63

// Letters, digits, hyphen; and the underscore, which RFC 5321 does not allow but senders in the field use
// (docs/deviations.md). No empty label, no label that begins or ends with a hyphen.
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/

type Tr46 = typeof import('tr46')
let tr46: Tr46 | undefined
// The IDNA tables are large and most sessions never need them.
const idna = (): Tr46 => (tr46 ??= createRequire(import.meta.url)('tr46') as Tr46)

/** Reads a domain name in ASCII or Unicode form; undefined if it is not one. */
export function parseDomainName(text: string): string | undefined {
  // Punycode takes time that grows with the square of the length.
  if (text.length > DOMAIN_OCTETS_MAX) return undefined
  const ascii = isAscii(text) ? text.toLowerCase() : toAscii(text)
  if (ascii === undefined || ascii.length === 0 || ascii.length > DOMAIN_OCTETS_MAX) return undefined
  for (const label of ascii.split('.')) {
    if (label.length === 0 || label.length > LABEL_OCTETS_MAX || !LABEL.test(label)) return undefined
  }
  return ascii
}

/** Reads `[192.0.2.1]` or `[IPv6:2001:db8::1]` without the brackets; undefined for anything else (RFC 5321 §4.1.3). */
export function parseAddressLiteral(inside: string): Domain | undefined {
  if (isIPv4(inside)) return { kind: 'literal', family: 4, address: inside }
  if (/^ipv6:/i.test(inside)) {
    const address = inside.slice(5)
    // A zone index names an interface of this host; it has no meaning in a mailbox.
    if (isIPv6(address) && !address.includes('%')) {
      // RFC 5952: one address, one text.
      return { kind: 'literal', family: 6, address: new SocketAddress({ address, family: 'ipv6' }).address }
    }
  }
  return undefined
}

/** The domain as it goes on the wire. */
export function domainText(domain: Domain): string {
  if (domain.kind === 'name') return domain.ascii
  return domain.family === 6 ? `[IPv6:${domain.address}]` : `[${domain.address}]`
}

/** The domain as a person reads it: U-labels, unless they would not lead back to the same name. */
export function domainForReading(domain: Domain): string {
  if (domain.kind === 'literal' || !domain.ascii.includes('xn--')) return domainText(domain)
  const unicode = idna().toUnicode(domain.ascii).domain
  return parseDomainName(unicode) === domain.ascii ? unicode : domain.ascii
}

function toAscii(text: string): string | undefined {
  return (
    idna()
      .toASCII(text, {
        checkBidi: true,
        checkHyphens: false,
        checkJoiners: true,
        useSTD3ASCIIRules: false,
        verifyDNSLength: true,
      })
      ?.toLowerCase() ?? undefined
  )
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}
