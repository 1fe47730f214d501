/**
 * Content that can be accounted for. Each message carries one field, first in the header section that the driver
 * writes: `X-Bench: NUMBER CHECKSUM`, the number in ten digits, the checksum (CRC-32, eight hex digits) over all that
 * follows the field, dots unstuffed (RFC 5321 §4.5.2). A relay only prepends to the header section (RFC 5321 §4.4), so the
 * sink finds both unchanged; a torn or mixed-up message shows as one whose checksum is wrong.
 *
 * Contents are prepared once as octets for the wire. Per message only the ten digits change.
 */
import { crc32 } from 'node:zlib'

export const NUMBER_DIGITS = 10
const FIELD = Buffer.from('X-Bench: ')
const CHECKSUM_DIGITS = 8
const LF = 0x0a
const DOT = 0x2e
const ZERO = 0x30
const LINE_OCTETS = 78
const HEADER =
  'Date: Tue, 24 Nov 2026 08:00:00 +0100\r\nFrom: Bench <bench@src.test>\r\nTo: user@dest.test\r\n' +
  'Subject: A message to count\r\nMessage-ID: <bench@src.test>\r\n\r\n'

/** `dots`: many lines begin with a dot, some are a dot only. `bare-lf`: one line ends with LF alone; to be refused. */
export type BodyKind = 'plain' | 'dots' | 'bare-lf'

export interface Template {
  /** Stuffed content with the final `CRLF.CRLF`, as written after 354. The number's digits are zeros. */
  readonly wire: Buffer
  readonly numberAt: number
  /** Of the content as RFC 1870 §3 counts it: unstuffed, without the final dot. */
  readonly octets: number
}

/** Content of about `octets` (never below the header section, some 230), with lines of 78 octets. */
export function contentTemplate(octets: number, kind: BodyKind = 'plain'): Template {
  const fieldOctets = FIELD.length + NUMBER_DIGITS + 1 + CHECKSUM_DIGITS + 2
  const lines: string[] = [HEADER]
  for (let left = octets - fieldOctets - HEADER.length, row = 0; left > 0; row++) {
    const line = bodyLine(Math.min(left, LINE_OCTETS), row, kind)
    lines.push(line)
    left -= line.length
  }
  const rest = lines.join('')
  const checksum = crc32(rest).toString(16).padStart(CHECKSUM_DIGITS, '0')
  const field = `${FIELD.toString()}${'0'.repeat(NUMBER_DIGITS)} ${checksum}\r\n`
  const stuffed = rest.replaceAll('\r\n.', '\r\n..')
  return {
    wire: Buffer.from(`${field}${stuffed}.\r\n`, 'latin1'),
    numberAt: FIELD.length,
    octets: fieldOctets + rest.length,
  }
}

function bodyLine(octets: number, row: number, kind: BodyKind): string {
  const end = kind === 'bare-lf' && row === 1 ? '\n' : '\r\n'
  const start = kind !== 'dots' ? '' : row % 3 === 0 ? '.' : row % 3 === 1 ? '..' : ''
  if (kind === 'dots' && row % 7 === 0) return `.${end}`
  return `${start.padEnd(Math.max(octets - end.length, 1), 'abcdefghijklmnopqrstuvwxyz 0123456789 ')}${end}`
}

/** Puts the number into a copy of the template's octets. Numbers: 1 to 9,999,999,999. */
export function writeNumber(into: Buffer, at: number, number: number): void {
  let rest = number
  for (let i = at + NUMBER_DIGITS - 1; i >= at; i--) {
    const next = Math.floor(rest / 10)
    into[i] = ZERO + (rest - next * 10)
    rest = next
  }
}

/** The number in the content, looked for in `octets` from `start`; 0 if there is none. */
export function readNumber(octets: Buffer, start: number, end: number): number {
  const field = octets.indexOf(FIELD, start)
  if (field < 0 || field + FIELD.length + NUMBER_DIGITS > end) return 0
  let number = 0
  for (let i = field + FIELD.length, last = i + NUMBER_DIGITS; i < last; i++) {
    const digit = octets[i]! - ZERO
    if (digit < 0 || digit > 9) return 0
    number = number * 10 + digit
  }
  return number
}

/** Is the content behind the field what the driver wrote? `stuffed`: as DATA carries it; BDAT does not stuff. */
export function isIntact(content: Buffer, stuffed: boolean): boolean {
  const field = content.indexOf(FIELD)
  if (field < 0) return false
  const checksumAt = field + FIELD.length + NUMBER_DIGITS + 1
  const told = Number.parseInt(content.toString('latin1', checksumAt, checksumAt + CHECKSUM_DIGITS), 16)
  const rest = content.subarray(checksumAt + CHECKSUM_DIGITS + 2)
  return told === (stuffed ? unstuffedChecksum(rest) : crc32(rest))
}

// RFC 5321 §4.5.2: the first dot of a line that begins with one goes.
function unstuffedChecksum(octets: Buffer): number {
  let sum = 0
  let from = 0
  for (let lf = octets.indexOf(LF); lf >= 0; lf = octets.indexOf(LF, lf + 1)) {
    if (octets[lf + 1] !== DOT) continue
    sum = crc32(octets.subarray(from, lf + 1), sum)
    from = lf + 2
  }
  return crc32(octets.subarray(from), sum)
}
