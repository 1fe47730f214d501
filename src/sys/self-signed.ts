/**
 * Makes one self-signed X.509 v3 certificate (RFC 5280) with a new ECDSA P-256 key.
 *
 * For the first start, when no certificate is configured: opportunistic TLS between mail servers verifies no name, so a
 * self-signed certificate still keeps listeners out (RFC 7435). Node reads certificates but makes none; the few DER
 * forms below (X.690) are all that one certificate needs.
 * Throws a TypeError for a name that is not plain ASCII of 1 to 253 octets.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

export interface SelfSignedOptions {
  /** DNS names, A-labels, wildcards allowed; the first is also the common name. */
  readonly names: readonly string[]
  /** Wall clock, ms. */
  readonly fromMs: number
  readonly days: number
}

export interface KeyAndCertificate {
  readonly keyPem: string
  readonly certificatePem: string
}

/** RFC 5280 appendix A.1: ub-common-name. */
const COMMON_NAME_OCTETS_MAX = 64
const DAY_MS = 86_400_000

export function selfSignedCertificate({ names, fromMs, days }: SelfSignedOptions): KeyAndCertificate {
  const first = names[0]
  if (first === undefined || !names.every(isDnsName)) throw new TypeError('a certificate needs DNS names in ASCII')
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(set(sequence(oid(COMMON_NAME), tagged(0x0c, first.slice(0, COMMON_NAME_OCTETS_MAX)))))
  const algorithm = sequence(oid(ECDSA_WITH_SHA256))
  const toBeSigned = sequence(
    explicit(0, integer(Buffer.from([2]))), // version 3
    integer(serialNumber()),
    algorithm,
    name,
    sequence(time(fromMs), time(fromMs + days * DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, extensions(names)),
  )
  const certificate = sequence(toBeSigned, algorithm, bitString(sign('sha256', toBeSigned, privateKey)))
  return {
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    certificatePem: pem(certificate),
  }
}

const isDnsName = (name: string): boolean => /^[A-Za-z0-9_.*-]{1,253}$/.test(name)

const COMMON_NAME = '550403'
const ECDSA_WITH_SHA256 = '2a8648ce3d040302'
const BASIC_CONSTRAINTS = '551d13'
const EXTENDED_KEY_USAGE = '551d25'
const SERVER_AUTH = '2b06010505070301'
const SUBJECT_ALT_NAME = '551d11'

function extensions(names: readonly string[]): Buffer {
  const dnsNames = names.map((name) => tagged(0x82, name))
  const critical = tagged(0x01, Buffer.from([0xff]))
  return sequence(
    sequence(oid(BASIC_CONSTRAINTS), critical, octetString(sequence())), // not an authority
    sequence(oid(EXTENDED_KEY_USAGE), octetString(sequence(oid(SERVER_AUTH)))),
    sequence(oid(SUBJECT_ALT_NAME), octetString(sequence(...dnsNames))),
  )
}

// RFC 5280 §4.1.2.2: positive, at most 20 octets. A leading 0x40 to 0x7f keeps it positive and in its shortest form.
function serialNumber(): Buffer {
  const serial = randomBytes(16)
  serial[0] = (serial[0]! & 0x3f) | 0x40
  return serial
}

// RFC 5280 §4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050 on.
function time(ms: number): Buffer {
  const digits = `${new Date(ms).toISOString().replace(/\.\d+/, '').replace(/[-:T]/g, '')}`
  return Number(digits.slice(0, 4)) < 2050 ? tagged(0x17, digits.slice(2)) : tagged(0x18, digits)
}

function tagged(tag: number, ...parts: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  const { length } = body
  // X.690 §8.1.3: short form below 128, else the number of length octets first.
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), body])
  const lengthOctets = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...lengthOctets]), body])
}

const sequence = (...parts: Buffer[]): Buffer => tagged(0x30, ...parts)
const set = (...parts: Buffer[]): Buffer => tagged(0x31, ...parts)
const explicit = (number: number, part: Buffer): Buffer => tagged(0xa0 + number, part)
const integer = (octets: Buffer): Buffer => tagged(0x02, octets)
const octetString = (part: Buffer): Buffer => tagged(0x04, part)
const bitString = (octets: Buffer): Buffer => tagged(0x03, Buffer.from([0]), octets)
const oid = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, 'hex'))

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
