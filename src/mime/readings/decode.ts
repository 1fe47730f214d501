/**
 * Transfer encodings undone (RFC 2045 §6), in every way that readers undo them. Clean base64 and quoted-printable have one
 * reading and cost one native call. In damaged base64 readers differ: some skip what is no letter of the alphabet, some end
 * there; some end at the padding, some begin a new quantum behind it, some do not see it (RFC 4648 §3.3, RFC 2045 §6.8).
 *
 * Never throws. The output is smaller than the input, but for nothing: each reading is at most as long as the input.
 */
export type Encoding = 'identity' | 'base64' | 'quoted-printable'

export interface Decoded {
  readonly octets: Buffer
  /** For the explanation: `base64`, `base64, padding ignored`. */
  readonly way: string
}

export function decodings(body: Buffer, encoding: Encoding): Decoded[] {
  switch (encoding) {
    case 'identity':
      return [{ octets: body, way: 'as it stands' }]
    case 'quoted-printable':
      return quotedPrintable(body)
    case 'base64':
      return base64(body)
  }
}

function base64(body: Buffer): Decoded[] {
  const text = body.toString('latin1')
  if (isClean(text)) return [{ octets: Buffer.from(text, 'base64'), way: 'base64' }]
  const found: Decoded[] = [{ octets: requantized(text), way: 'base64, what is no letter skipped' }]
  const add = (octets: Buffer, way: string): void => {
    if (octets.length > 0 && !found.some((one) => one.octets.equals(octets))) found.push({ octets, way })
  }
  const letters = text.replace(/[^A-Za-z0-9+/]+/g, '')
  add(Buffer.from(letters, 'base64'), 'base64, padding ignored')
  const padding = text.indexOf('=')
  if (padding >= 0) add(native(text.slice(0, padding)), 'base64 to the first padding')
  const damage = /[^A-Za-z0-9+/=\s]/.exec(text)
  if (damage !== null) add(native(text.slice(0, damage.index)), 'base64 to the first damage')
  if (/[-_]/.test(text)) add(native(text.replaceAll('-', '+').replaceAll('_', '/')), 'base64 with the letters of URLs')
  add(perLine(text), 'base64, each line for itself')
  // Some readers show what they cannot decode.
  add(body, 'as it stands, since it is no base64')
  return found
}

// Lines in blocks of four letters, padding only at the very end: nobody can differ about that.
function isClean(text: string): boolean {
  const end = text.trimEnd().replace(/={1,2}$/, '')
  return !/[^A-Za-z0-9+/\r\n]/.test(end)
}

const native = (text: string): Buffer => Buffer.from(text.replace(/[^A-Za-z0-9+/]+/g, ''), 'base64')

/** A padding ends a quantum, and what follows begins a new one: concatenated base64. */
function requantized(text: string): Buffer {
  const parts: Buffer[] = []
  for (const run of text.split(/=+/)) {
    const letters = run.replace(/[^A-Za-z0-9+/]+/g, '')
    if (letters !== '') parts.push(Buffer.from(letters, 'base64'))
  }
  return Buffer.concat(parts)
}

/** Readers that decode line by line drop the letters that are left over at the end of each. */
function perLine(text: string): Buffer {
  const parts: Buffer[] = []
  for (const line of text.split(/[\r\n]+/)) if (line !== '') parts.push(requantized(line))
  return Buffer.concat(parts)
}

const EQUALS = 0x3d
const CR = 0x0d
const LF = 0x0a

function quotedPrintable(body: Buffer): Decoded[] {
  const lenient = undoQuoted(body, true)
  const strict = undoQuoted(body, false)
  const found: Decoded[] = [{ octets: lenient, way: 'quoted-printable' }]
  if (!strict.equals(lenient)) found.push({ octets: strict, way: 'quoted-printable, read strictly' })
  return found
}

/**
 * Lenient: lower-case digits, blanks behind a soft line break, and blanks at the end of a line that a transport may have
 * added are taken as meant (RFC 2045 §6.7 rule 3). Strict: what is no valid escape stays, and so do blanks.
 */
function undoQuoted(body: Buffer, isLenient: boolean): Buffer {
  const out = Buffer.allocUnsafe(body.length)
  let to = 0
  let at = 0
  while (at < body.length) {
    const next = body.indexOf(EQUALS, at)
    const stop = next < 0 ? body.length : next
    to += body.copy(out, to, at, stop)
    if (next < 0) break
    const octet = hexOctet(body, next + 1, isLenient)
    const lineEnd = octet === undefined ? softBreak(body, next + 1, isLenient) : -1
    if (octet !== undefined) {
      out[to++] = octet
      at = next + 3
    } else if (lineEnd >= 0) at = lineEnd
    else {
      out[to++] = EQUALS
      at = next + 1
    }
  }
  return out.subarray(0, to)
}

function hexOctet(body: Buffer, at: number, isLenient: boolean): number | undefined {
  const high = hexDigit(body[at], isLenient)
  const low = hexDigit(body[at + 1], isLenient)
  return high === undefined || low === undefined ? undefined : high * 16 + low
}

function hexDigit(c: number | undefined, isLenient: boolean): number | undefined {
  if (c === undefined) return undefined
  if (c >= 0x30 && c <= 0x39) return c - 0x30
  if (c >= 0x41 && c <= 0x46) return c - 0x37
  return isLenient && c >= 0x61 && c <= 0x66 ? c - 0x57 : undefined
}

/** Behind the line end of a soft break, or -1. */
function softBreak(body: Buffer, from: number, isLenient: boolean): number {
  let at = from
  if (isLenient) while (body[at] === 0x20 || body[at] === 0x09) at++
  if (body[at] === CR && body[at + 1] === LF) return at + 2
  return body[at] === LF ? at + 1 : -1
}
