/**
 * Lines that open a part (RFC 2046 §5.1.1), for one boundary. Readers differ: most want the boundary and then nothing but
 * blanks, some are content with the beginning of a line; for some `--boundary--` is the end of all, for others one more
 * delimiter. So every line that begins with it is given, and whether all readers agree about it.
 *
 * Text is one character per octet. A line ends with CRLF, LF or a lone CR.
 */
export interface Range {
  readonly start: number
  readonly end: number
}

export interface DelimiterLine extends Range {
  /** The boundary, blanks, the end of the line: nobody doubts it. */
  readonly isStrict: boolean
  /** `--boundary--`. */
  readonly isClosing: boolean
  /** Where the next line of this boundary starts. */
  nextStart?: number
}

export function boundaryLines(
  text: string,
  boundary: string,
  linesMax: number,
): { readonly lines: readonly DelimiterLine[]; readonly isCut: boolean } {
  const mark = `--${boundary.trimEnd()}`
  const lines: DelimiterLine[] = []
  if (mark === '--') return { lines, isCut: false }
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + mark.length)) {
    if (!isAtLineStart(text, at)) continue
    if (lines.length >= linesMax) return { lines, isCut: true }
    const end = nextLine(text, at + mark.length)
    const rest = text.slice(at + mark.length, end).trim()
    const last = lines.at(-1)
    if (last !== undefined) last.nextStart = at
    lines.push({ start: at, end, isStrict: rest === '' || rest === '--', isClosing: rest.startsWith('--') })
  }
  return { lines, isCut: false }
}

function isAtLineStart(text: string, at: number): boolean {
  if (at === 0) return true
  const before = text.charCodeAt(at - 1)
  return before === 0x0a || before === 0x0d
}

/** Behind the line end that follows `from`. */
export function nextLine(text: string, from: number): number {
  const lf = text.indexOf('\n', from)
  const stop = lf < 0 ? text.length : lf + 1
  const cr = text.slice(from, stop).search(/\r(?!\n)/)
  return cr < 0 ? stop : from + cr + 1
}

/** How far behind the header a boundary that nobody named is looked for, in octets. */
const GUESS_OCTETS_MAX = 64 * 1024
const GUESSES_MAX = 4

/** Without a usable boundary some readers take the first line that looks like a delimiter. */
export function guessedBoundaries(text: string, from: number): string[] {
  const found: string[] = []
  const lines = /(?:^|[\r\n])--([^\s-][^\r\n]{0,250}|-[^\r\n]{1,250})(?=[\r\n])/g
  for (const [, line] of text.slice(from, from + GUESS_OCTETS_MAX).matchAll(lines)) {
    const boundary = line!.trimEnd().replace(/--$/, '')
    if (!found.includes(boundary)) found.push(boundary)
    if (found.length >= GUESSES_MAX) break
  }
  return found
}
