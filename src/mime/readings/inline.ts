/**
 * Files that stand in the middle of a text, older than MIME or beside it: uuencode, yEnc and BinHex 4 (RFC 1741). Mail
 * programs still offer them as attachments, wherever they stand, also before the first part and behind the last.
 *
 * Each is read as far as it goes: a missing end is no reason not to look. Limits: files of one text.
 */
export interface InlineFile {
  readonly name: string
  readonly octets: Buffer
  readonly way: 'uuencode' | 'uuencode in base64' | 'yEnc' | 'BinHex'
}

/** In one text. More of them say nothing new about it. */
export const INLINE_FILES_MAX = 100

/** `text` is one character per octet. */
export function inlineFiles(text: string): { readonly files: readonly InlineFile[]; readonly isCut: boolean } {
  const files: InlineFile[] = []
  for (const read of [uuencoded, yEncoded, binHexed]) {
    for (const file of read(text)) {
      if (files.length >= INLINE_FILES_MAX) return { files, isCut: true }
      files.push(file)
    }
  }
  return { files, isCut: false }
}

const BEGIN = /^[ \t>]{0,20}begin(-base64)?[ \t]{1,20}[0-7]{3,6}[ \t]{1,20}([^\r\n]{1,500})/

function* uuencoded(text: string): Generator<InlineFile> {
  for (let at = text.indexOf('begin'); at >= 0; at = text.indexOf('begin', at + 5)) {
    const lineStart = Math.max(text.lastIndexOf('\n', at), text.lastIndexOf('\r', at)) + 1
    if (at - lineStart > 20) continue
    const begin = BEGIN.exec(text.slice(lineStart, lineStart + 600))
    if (begin === null) continue
    const body = text.slice(afterLine(text, at))
    const name = begin[2]!.trim()
    if (begin[1] !== undefined) yield { name, octets: untilEnd(body), way: 'uuencode in base64' }
    else yield { name, octets: uudecode(body), way: 'uuencode' }
  }
}

function afterLine(text: string, at: number): number {
  const lf = text.indexOf('\n', at)
  return lf < 0 ? text.length : lf + 1
}

const untilEnd = (body: string): Buffer => {
  const end = /^====/m.exec(body)
  return Buffer.from(end === null ? body : body.slice(0, end.index), 'base64')
}

/** A line is its length and then four characters for each three octets; a space and a grave both mean 0. */
function uudecode(body: string): Buffer {
  const out = Buffer.allocUnsafe(uuOctetsMax(body))
  let to = 0
  let at = 0
  while (at < body.length) {
    const next = afterLine(body, at)
    const line = body.slice(at, next).replace(/[\r\n]+$/, '')
    at = next
    if (/^end[ \t]*$/.test(line)) break
    const length = (line.charCodeAt(0) - 0x20) & 0x3f
    if (line === '' || line.charCodeAt(0) < 0x20 || line.charCodeAt(0) > 0x60) break
    // A line that is shorter than it says lost blanks at its end in transport.
    for (let i = 0; i < length && to < out.length; i++) out[to++] = uuOctet(line, i)
  }
  return out.subarray(0, to)
}

/** What lines of a body can be at most: a one-character line may claim 63 octets, but nobody needs more than this. */
const uuOctetsMax = (body: string): number => body.length + 64

function uuOctet(line: string, index: number): number {
  const quad = 1 + Math.floor(index / 3) * 4
  const six = (offset: number): number => {
    const c = line.charCodeAt(quad + offset)
    return Number.isNaN(c) ? 0 : (c - 0x20) & 0x3f
  }
  switch (index % 3) {
    case 0:
      return ((six(0) << 2) | (six(1) >> 4)) & 0xff
    case 1:
      return ((six(1) << 4) | (six(2) >> 2)) & 0xff
    default:
      return ((six(2) << 6) | six(3)) & 0xff
  }
}

function* yEncoded(text: string): Generator<InlineFile> {
  let ended = 0
  for (let at = text.indexOf('=ybegin '); at >= 0; at = text.indexOf('=ybegin ', at + 8)) {
    const bodyStart = afterLine(text, at)
    const name = /name=([^\r\n]{1,500})/.exec(text.slice(at, bodyStart))?.[1]?.trim() ?? ''
    const nextBegin = text.indexOf('=ybegin ', bodyStart)
    if (ended >= 0 && ended < bodyStart) ended = text.indexOf('=yend', bodyStart)
    const end = ended < 0 || (nextBegin >= 0 && nextBegin < ended) ? nextBegin : ended
    const start = text.startsWith('=ypart ', bodyStart) ? afterLine(text, bodyStart) : bodyStart
    yield { name, octets: yDecode(text.slice(start, end < 0 ? text.length : end)), way: 'yEnc' }
  }
}

function yDecode(body: string): Buffer {
  const out = Buffer.allocUnsafe(body.length)
  let to = 0
  for (let at = 0; at < body.length; at++) {
    let c = body.charCodeAt(at)
    if (c === 0x0d || c === 0x0a) continue
    if (c === 0x3d) c = body.charCodeAt(++at) - 64
    out[to++] = (c - 42) & 0xff
  }
  return out.subarray(0, to)
}

const BINHEX_MARK = '(This file must be converted with BinHex'
const BINHEX_ALPHABET = '!"#$%&\'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr'
const NO_LETTER = 0xff
const BINHEX_VALUES = Buffer.alloc(256, NO_LETTER)
for (let value = 0; value < BINHEX_ALPHABET.length; value++) BINHEX_VALUES[BINHEX_ALPHABET.charCodeAt(value)] = value

function* binHexed(text: string): Generator<InlineFile> {
  let at = text.indexOf(BINHEX_MARK)
  while (at >= 0) {
    const start = text.indexOf(':', afterLine(text, at))
    if (start < 0) return
    const end = text.indexOf(':', start + 1)
    at = text.indexOf(BINHEX_MARK, end < 0 ? text.length : end)
    const octets = runsExpanded(sixBits(text.slice(start + 1, end < 0 ? text.length : end)))
    const nameLength = octets[0] ?? 0
    const name = octets.toString('latin1', 1, 1 + nameLength)
    // Behind the name: a version, type and creator, flags, the lengths of the two forks, a CRC (RFC 1741).
    const forks = 1 + nameLength + 1 + 4 + 4 + 2
    if (octets.length < forks + 10) continue
    yield { name, octets: octets.subarray(forks + 10, forks + 10 + octets.readUInt32BE(forks)), way: 'BinHex' }
  }
}

function sixBits(text: string): Buffer {
  const out = Buffer.allocUnsafe(text.length)
  let to = 0
  let bits = 0
  let count = 0
  for (let at = 0; at < text.length; at++) {
    const value = BINHEX_VALUES[text.charCodeAt(at)] ?? 0
    if (value === NO_LETTER) continue
    bits = ((bits << 6) | value) & 0xffff
    count += 6
    if (count >= 8) {
      count -= 8
      out[to++] = (bits >> count) & 0xff
    }
  }
  return out.subarray(0, to)
}

const RUN_MARK = 0x90
/** Octets for each octet that runs may make; a run is at most 255, and a file of nothing but runs is a bomb. */
const RUNS_RATIO_MAX = 20

function runsExpanded(octets: Buffer): Buffer {
  const out = Buffer.allocUnsafe(octets.length * RUNS_RATIO_MAX)
  let to = 0
  for (let at = 0; at < octets.length && to < out.length; at++) {
    const octet = octets[at]!
    const count = octet === RUN_MARK ? octets[++at]! : 1
    if (octet !== RUN_MARK || count === 0) out[to++] = octet
    else for (let i = 1; i < count && to < out.length; i++) out[to++] = to > 1 ? out[to - 2]! : 0
  }
  return out.subarray(0, to)
}
