/**
 * The PROXY protocol header, versions 1 and 2, as a proxy or load balancer puts it before the client's octets
 * (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt, sections 2.1 and 2.2).
 *
 * A pure function over what has arrived so far. Only asked for connections from networks that the operator named: for
 * all others the header would be the client's own claim. Limits: version 1 107 octets, version 2 as below.
 */
import type { Endpoint } from '#mail/session.ts'
import { canonicalAddress } from './networks.ts'

export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'invalid'; readonly fault: string }
  /** `octets`: length of the header; what follows is the client's. */
  | { readonly kind: 'proxied'; readonly client: Endpoint; readonly local: Endpoint; readonly octets: number }
  /** The proxy speaks for itself (a health check) or does not know: the connection's own addresses count. */
  | { readonly kind: 'local'; readonly octets: number }

/** Section 2.1: the longest line that version 1 can have, CRLF included. */
const V1_OCTETS_MAX = 107
/** Version 2 may declare 64 KB of extensions; nobody needs more than this for addresses, names and TLS facts. */
export const V2_OCTETS_MAX = 4096

const V1_START = Buffer.from('PROXY ')
const V2_START = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
const V2_FIXED_OCTETS = 16

const INCOMPLETE: ProxyHeader = { kind: 'incomplete' }
const invalid = (fault: string): ProxyHeader => ({ kind: 'invalid', fault })

/** Reads the header at the start of `bytes`. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsAlike(bytes, V2_START)) return bytes.length < V2_FIXED_OCTETS ? INCOMPLETE : parseV2(bytes)
  if (startsAlike(bytes, V1_START)) return parseV1(bytes)
  return invalid('no PROXY header')
}

// True as long as the two could still be the same.
function startsAlike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length)
  return bytes.compare(start, 0, length, 0, length) === 0
}

function parseV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, V1_OCTETS_MAX).indexOf('\r\n', 0, 'latin1')
  if (end < 0) return bytes.length < V1_OCTETS_MAX ? INCOMPLETE : invalid('version 1: no CRLF in 107 octets')
  const words = bytes.toString('latin1', 0, end).split(' ')
  const octets = end + 2
  // Section 2.1: whatever follows UNKNOWN up to the CRLF is ignored.
  if (words[1] === 'UNKNOWN') return { kind: 'local', octets }
  const [, family, from, to, fromPort, toPort, ...rest] = words
  if ((family !== 'TCP4' && family !== 'TCP6') || rest.length > 0) return invalid('version 1: not a TCP4 or TCP6 line')
  const client = endpoint(family, from, fromPort)
  const local = endpoint(family, to, toPort)
  return client && local ? { kind: 'proxied', client, local, octets } : invalid('version 1: bad address or port')
}

function endpoint(family: 'TCP4' | 'TCP6', text = '', portText = ''): Endpoint | undefined {
  if (text.includes(':') !== (family === 'TCP6') || !/^(?:0|[1-9]\d{0,4})$/.test(portText)) return undefined
  const address = canonicalAddress(text)
  const port = Number(portText)
  return address === undefined || port > 0xffff ? undefined : { address, port }
}

function parseV2(bytes: Buffer): ProxyHeader {
  const versionAndCommand = bytes[12]!
  const familyAndProtocol = bytes[13]!
  const octets = V2_FIXED_OCTETS + bytes.readUInt16BE(14)
  if (versionAndCommand >> 4 !== 2) return invalid('version 2: another version in its header')
  const command = versionAndCommand & 0x0f
  if (command > 1) return invalid('version 2: unknown command')
  if (octets > V2_OCTETS_MAX) return invalid(`version 2: longer than ${V2_OCTETS_MAX} octets`)
  if (bytes.length < octets) return INCOMPLETE
  // Section 2.2: LOCAL, and a family we cannot read, keep the connection's own addresses.
  if (command === 0 || familyAndProtocol === 0) return { kind: 'local', octets }
  const addressOctets = familyAndProtocol === 0x11 ? 4 : familyAndProtocol === 0x21 ? 16 : 0
  if (addressOctets === 0) return invalid('version 2: not TCP over IPv4 or IPv6')
  const ports = V2_FIXED_OCTETS + 2 * addressOctets
  if (octets < ports + 4) return invalid('version 2: too short for its addresses')
  return {
    kind: 'proxied',
    client: { address: addressAt(bytes, V2_FIXED_OCTETS, addressOctets), port: bytes.readUInt16BE(ports) },
    local: {
      address: addressAt(bytes, V2_FIXED_OCTETS + addressOctets, addressOctets),
      port: bytes.readUInt16BE(ports + 2),
    },
    octets,
  }
}

function addressAt(bytes: Buffer, start: number, octets: 4 | 16): string {
  const address = bytes.subarray(start, start + octets)
  if (octets === 4) return address.join('.')
  const groups = Array.from({ length: 8 }, (_, i) => address.readUInt16BE(2 * i).toString(16))
  return canonicalAddress(groups.join(':'))!
}
