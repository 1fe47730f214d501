/**
 * Values as people write them: `5m`, `25MB`, `[::]:25`, `10.0.0.0/8`, `mail.bakery.example:25`. Each reader takes the
 * whole text and answers undefined for what it does not understand; ranges are the settings' business.
 */
import { isIP, isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'
import { parseDomainName } from '#mail/domain.ts'
import type { Endpoint } from '#mail/session.ts'

export const SECOND_MS = 1000
export const MINUTE_MS = 60 * SECOND_MS
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

const DURATION_UNITS = { d: DAY_MS, h: HOUR_MS, m: MINUTE_MS, s: SECOND_MS, ms: 1 } as const
const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/

/** `250ms`, `30s`, `5m`, `4h`, `5d` in ms. */
export function readDuration(text: string): number | undefined {
  const match = DURATION.exec(text)
  return match ? Number(match[1]) * DURATION_UNITS[match[2] as keyof typeof DURATION_UNITS] : undefined
}

/** The shortest exact form: 90000 is `90s`, 120000 is `2m`. */
export function durationText(ms: number): string {
  for (const [unit, unitMs] of Object.entries(DURATION_UNITS)) {
    if (ms !== 0 && ms % unitMs === 0) return `${ms / unitMs}${unit}`
  }
  return `${ms}s`
}

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/

/** `2026-11-24` in ms, the begin of that day in UTC. */
export function readDate(text: string): number | undefined {
  if (!DATE.test(text)) return undefined
  const ms = Date.parse(`${text}T00:00:00Z`)
  // 2026-02-30 would become a day of March.
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text ? undefined : ms
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  TiB: 2 ** 40,
  TB: 1e12,
  GiB: 2 ** 30,
  GB: 1e9,
  MiB: 2 ** 20,
  MB: 1e6,
  KiB: 1024,
  KB: 1000,
  kB: 1000,
  B: 1,
}
const SIZE = /^(\d{1,12})([KMGT]iB|[KMGT]B|kB|B)$/

/** `25MB` (25,000,000) or `64KiB` (65,536) in octets; undefined beyond 2^53. */
export function readSize(text: string): number | undefined {
  const match = SIZE.exec(text)
  if (match === null) return undefined
  const octets = Number(match[1]) * SIZE_UNITS[match[2]!]!
  return Number.isSafeInteger(octets) ? octets : undefined
}

/** The shortest exact form in binary units, else decimal ones. */
export function sizeText(octets: number): string {
  for (const [unit, unitOctets] of Object.entries(SIZE_UNITS)) {
    if (octets !== 0 && octets % unitOctets === 0) return `${octets / unitOctets}${unit}`
  }
  return `${octets}B`
}

/** One spelling for each address (RFC 5952 §4); IPv4 inside IPv6 (RFC 4291 §2.5.5.2) becomes the IPv4 address. */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text
  if (!isIPv6(text) || text.includes('%')) return undefined
  const address = ipaddr.process(text)
  return address.kind() === 'ipv4' ? address.toString() : (address as ipaddr.IPv6).toRFC5952String()
}

function readPort(text: string, portMin: number): number | undefined {
  if (!/^\d{1,5}$/.test(text)) return undefined
  const port = Number(text)
  return port >= portMin && port <= 65535 ? port : undefined
}

/** `192.0.2.1:25` or `[2001:db8::1]:25`: an address to listen on. Port 0 lets the system choose. */
export function readEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([^[\]]*)\]|([^[\]:]*)):(\d+)$/.exec(text)
  if (match === null) return undefined
  const [, inBrackets, bare, portText = ''] = match
  const address = inBrackets === undefined ? (isIPv4(bare!) ? bare : undefined) : ipv6Address(inBrackets)
  const port = readPort(portText, 0)
  return address === undefined || port === undefined ? undefined : { address, port }
}

// `::ffff:192.0.2.1` is kept as it is here: it is another socket than 192.0.2.1.
const ipv6Address = (text: string): string | undefined =>
  isIPv6(text) && !text.includes('%') ? ipaddr.IPv6.parse(text).toRFC5952String() : undefined

/** `host:port`, an IPv6 address in brackets. */
export const endpointText = ({ address, port }: Endpoint): string => hostPortText(address, port)
export const hostPortText = (host: string, port: number): string =>
  isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`

/** `10.0.0.0/8`, `2001:db8::/32`, or one address; in canonical form. Undefined if bits are set behind the prefix. */
export function readNetwork(text: string): string | undefined {
  const network = looseNetwork(text)
  return network !== undefined && network.address === network.base ? network.text : undefined
}

/** What was probably meant by a network with bits behind its prefix: 10.1.2.3/8 is meant as 10.0.0.0/8. */
export function networkMeant(text: string): string | undefined {
  const network = looseNetwork(text)
  return network === undefined || network.address === network.base ? undefined : network.text
}

function looseNetwork(text: string): { address: string; base: string; text: string } | undefined {
  const [addressText = '', prefixText, ...more] = text.split('/')
  const v4 = isIPv4(addressText)
  const address = v4 ? addressText : ipv6Address(addressText)
  if (address === undefined || more.length > 0) return undefined
  if (prefixText === undefined) return { address, base: address, text: address }
  if (!/^\d{1,3}$/.test(prefixText) || Number(prefixText) > (v4 ? 32 : 128)) return undefined
  const cidr = `${address}/${Number(prefixText)}`
  const base = v4
    ? ipaddr.IPv4.networkAddressFromCIDR(cidr).toString()
    : ipaddr.IPv6.networkAddressFromCIDR(cidr).toRFC5952String()
  return { address, base, text: `${base}/${Number(prefixText)}` }
}

/**
 * A host name in its A-labels. The last label may not be a number: then the text is a mistyped address
 * (RFC 1123 §2.1).
 */
export function readHostName(text: string): string | undefined {
  const ascii = parseDomainName(text)
  return ascii !== undefined && !/(?:^|\.)\d+$/.test(ascii) ? ascii : undefined
}

/** A domain name with at least two labels: mail has fully-qualified names only (RFC 5321 §2.3.5). */
export function readFullDomain(text: string): string | undefined {
  const ascii = readHostName(text)
  return ascii?.includes('.') ? ascii : undefined
}

/**
 * A domain, or what is below one at any depth: `*.example.org` and, as others write it, `.example.org`; also of a top-level
 * domain. Comes out as `*.example.org`.
 */
export function readDomainPattern(text: string): string | undefined {
  const above = /^\*?\.(.+)$/.exec(text)?.[1]
  if (above === undefined) return readFullDomain(text)
  const name = readHostName(above)
  return name === undefined ? undefined : `*.${name}`
}

/** SHA-256 in hex, with or without colons; comes out without, in lower case. */
export function readFingerprint(text: string): string | undefined {
  const isOne = /^(?:[0-9a-f]{64}|[0-9a-f]{2}(?::[0-9a-f]{2}){31})$/i.test(text)
  return isOne ? text.replaceAll(':', '').toLowerCase() : undefined
}

export interface HostPort {
  /** A-labels, or a canonical address. */
  readonly name: string
  readonly port?: number
}

/** `mail.bakery.example`, `mail.bakery.example:25`, `192.0.2.1:25`, `[2001:db8::1]:25`, `2001:db8::1`. */
export function readHostPort(text: string): HostPort | undefined {
  const whole = canonicalAddress(text)
  if (whole !== undefined) return { name: whole }
  const match = /^(?:\[([^[\]]*)\]|([^[\]:]*))(?::(\d+))?$/.exec(text)
  if (match === null) return undefined
  const [, inBrackets, bare, portText] = match
  const name =
    inBrackets === undefined ? bareHost(bare!) : isIPv6(inBrackets) ? canonicalAddress(inBrackets) : undefined
  if (name === undefined) return undefined
  if (portText === undefined) return { name }
  const port = readPort(portText, 1)
  return port === undefined ? undefined : { name, port }
}

const DNS_PORT = 53

/** An address of a name server, with its port if that is not 53. */
export function nameServer(text: string): Endpoint | undefined {
  const read = readHostPort(text)
  if (read === undefined || isIP(read.name) === 0) return undefined
  return { address: read.name, port: read.port ?? DNS_PORT }
}

const bareHost = (text: string): string | undefined => (isIPv4(text) ? text : readHostName(text))
