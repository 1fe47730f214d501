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

const EQUALS = 0x3d
const CR = 0x0d
const LF = 0x0a
const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, CR, LF])

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
  const found: Decoded[] = []
  const add = (octets: Buffer, way: string): void => {
    if (octets.length > 0 && !found.some((one) => one.octets.equals(octets))) found.push({ octets, way })
  }
  for (const [way, habit] of HABITS) add(letters(body, habit), way)
  // Some readers show what they cannot decode.
  add(body, 'as it stands, since it is no base64')
  return found
}

// Letters and line ends, padding only at the very end: nobody can differ about that.
function isClean(text: string): boolean {
  let end = text.length
  while (end > 0 && BLANKS.has(text.charCodeAt(end - 1))) end--
  for (let padding = 0; padding < 2 && text.charCodeAt(end - 1) === EQUALS; padding++) end--
  return !/[^A-Za-z0-9+/\r\n]/.test(text.slice(0, end))
}

/** How a reader of base64 goes on where it is damaged. */
interface Habit {
  readonly padding: 'restarts' | 'is skipped' | 'ends it'
  readonly damage: 'is skipped' | 'ends it'
  /** Letters that are left over at the end of a line are dropped. */
  readonly perLine?: boolean
  /** `-` and `_` are letters (RFC 4648 §5). */
  readonly ofUrls?: boolean
}

const HABITS: readonly (readonly [string, Habit])[] = [
  ['base64, what is no letter skipped', { padding: 'restarts', damage: 'is skipped' }],
  ['base64, padding ignored', { padding: 'is skipped', damage: 'is skipped' }],
  ['base64 to the first padding', { padding: 'ends it', damage: 'is skipped' }],
  ['base64 to the first damage', { padding: 'ends it', damage: 'ends it' }],
  ['base64 with the letters of URLs', { padding: 'ends it', damage: 'is skipped', ofUrls: true }],
  ['base64, each line for itself', { padding: 'restarts', damage: 'is skipped', perLine: true }],
]

const NO_LETTER = 0xff
const VALUES = Buffer.alloc(256, NO_LETTER)
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
for (let value = 0; value < 64; value++) VALUES[ALPHABET.charCodeAt(value)] = value
const VALUES_OF_URLS = Buffer.from(VALUES)
VALUES_OF_URLS['-'.charCodeAt(0)] = 62
VALUES_OF_URLS['_'.charCodeAt(0)] = 63

/** Decodes in one pass. A rest of two or three letters makes one or two octets. */
function letters(body: Buffer, { padding, damage, perLine = false, ofUrls = false }: Habit): Buffer {
  const values = ofUrls ? VALUES_OF_URLS : VALUES
  const out = Buffer.allocUnsafe(Math.ceil(body.length / 4) * 3 + 3)
  let to = 0
  let bits = 0
  let count = 0
  const finish = (): void => {
    if (count >= 2) out[to++] = bits >> (count === 2 ? 4 : 10)
    if (count === 3) out[to++] = bits >> 2
    bits = 0
    count = 0
  }
  for (let at = 0; at < body.length; at++) {
    const c = body[at]!
    const value = values[c]!
    if (value !== NO_LETTER) {
      bits = (bits << 6) | value
      if (++count < 4) continue
      out[to++] = bits >> 16
      out[to++] = bits >> 8
      out[to++] = bits
      bits = 0
      count = 0
    } else if (c === EQUALS) {
      if (padding === 'ends it') break
      if (padding === 'restarts') finish()
    } else if (!BLANKS.has(c) && damage === 'ends it') break
    else if (perLine && (c === LF || c === CR)) finish()
  }
  finish()
  return out.subarray(0, to)
}

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
