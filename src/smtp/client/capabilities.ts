/**
 * What a server offers: the lines of its reply to EHLO or LHLO (RFC 5321 §4.1.1.1). Keywords are compared without case;
 * the first line is the greeting, never an extension.
 */
import type { RemoteReply } from '#mail/reply.ts'

export interface Capabilities {
  readonly pipelining: boolean
  readonly startTls: boolean
  readonly chunking: boolean
  readonly binaryMime: boolean
  readonly eightBitMime: boolean
  readonly smtpUtf8: boolean
  readonly dsn: boolean
  readonly requireTls: boolean
  readonly size: boolean
  /** SASL mechanisms, upper case (RFC 4954 §3); empty: none. */
  readonly auth: readonly string[]
  /** RFC 1870 §3: octets that the server takes; absent, zero and nonsense: it does not say. */
  readonly sizeOctetsMax?: number
}

export const NO_CAPABILITIES: Capabilities = {
  pipelining: false,
  startTls: false,
  chunking: false,
  binaryMime: false,
  eightBitMime: false,
  smtpUtf8: false,
  dsn: false,
  requireTls: false,
  size: false,
  auth: [],
}

export function capabilities(reply: RemoteReply): Capabilities {
  const offered = new Map<string, string>()
  for (let i = 1; i < reply.lines.length; i++) {
    const [keyword = '', ...parameters] = reply.lines[i]!.split(' ')
    offered.set(keyword.toUpperCase(), parameters.join(' '))
  }
  const sizeOctetsMax = sizeLimit(offered.get('SIZE')?.split(' ', 1)[0])
  return {
    pipelining: offered.has('PIPELINING'),
    startTls: offered.has('STARTTLS'),
    chunking: offered.has('CHUNKING'),
    // RFC 3030 §3: without CHUNKING there is no way to send it.
    binaryMime: offered.has('BINARYMIME') && offered.has('CHUNKING'),
    eightBitMime: offered.has('8BITMIME'),
    smtpUtf8: offered.has('SMTPUTF8'),
    dsn: offered.has('DSN'),
    requireTls: offered.has('REQUIRETLS'),
    size: offered.has('SIZE'),
    auth: mechanismsOf(offered.get('AUTH')),
    ...(sizeOctetsMax === undefined ? {} : { sizeOctetsMax }),
  }
}

// RFC 1870 §3: up to 20 digits.
function sizeLimit(parameter: string | undefined): number | undefined {
  if (parameter === undefined || !/^\d{1,20}$/.test(parameter)) return undefined
  const octets = Number(parameter)
  return octets > 0 ? octets : undefined
}

// RFC 4422 §3.1: 1 to 20 characters of A-Z, 0-9, hyphen and underscore. Whatever else stands there is none.
function mechanismsOf(parameter = ''): readonly string[] {
  return parameter
    .toUpperCase()
    .split(' ')
    .filter((word) => /^[A-Z0-9_-]{1,20}$/.test(word))
}
