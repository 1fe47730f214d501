/**
 * The header of a part, read in every way that is in use: where it ends, and which lines are fields of it. Readers differ
 * about a line of blanks (an end or a continuation), a line without a colon (the body, or nothing), a lone CR (a line end
 * or a character), blanks before the colon. Each difference makes one more reading, and only where there is one.
 *
 * Text is one character per octet. Limits: octets of a header, fields.
 */

/** Of one part's header. Beyond it the body begins. */
export const HEADER_OCTETS_MAX = 256 * 1024
/** Fields of interest in one header: a second Content-Type is a trick, a fiftieth is a flood. */
export const FIELDS_MAX = 50

export type FieldName = 'content-type' | 'content-transfer-encoding' | 'content-disposition'

export interface HeaderReading {
  /** Values with folding kept, of the three fields that say what a part is, in their order. */
  readonly fields: ReadonlyMap<FieldName, readonly string[]>
  /** Offset of the body. */
  readonly bodyStart: number
}

export interface HeaderReadings {
  /** The first one is that of RFC 5322. */
  readonly readings: readonly HeaderReading[]
  /** It does not end within the limit, or says more than FIELDS_MAX times what the part is. */
  readonly isTooLarge: boolean
}

export function readHeader(text: string, start: number, end: number): HeaderReadings {
  const stop = Math.min(end, start + HEADER_OCTETS_MAX)
  const plain = scan(text, start, stop, { loneCrEnds: false })
  const scans = [plain]
  if (plain.hasLoneCr) scans.push(scan(text, start, stop, { loneCrEnds: true }))
  const readings: HeaderReading[] = []
  for (const { lines, bodyStart, blankEnd, strayEnd } of scans) {
    add(readings, lines, bodyStart)
    if (blankEnd !== undefined) add(readings, lines, blankEnd)
    if (strayEnd !== undefined) add(readings, lines, strayEnd)
  }
  const isFlood = scans.some(({ lines }) => lines.filter(({ name }) => isOfInterest(name)).length > FIELDS_MAX)
  return { readings, isTooLarge: isFlood || (plain.bodyStart >= stop && stop < end) }
}

interface Line {
  readonly start: number
  readonly name: string
  value: string
}

interface Scan {
  readonly lines: readonly Line[]
  readonly bodyStart: number
  /** Behind the first line that has only blanks in it. */
  readonly blankEnd: number | undefined
  /** At the first line that is neither a field nor a continuation. */
  readonly strayEnd: number | undefined
  readonly hasLoneCr: boolean
}

function scan(text: string, start: number, stop: number, { loneCrEnds }: { loneCrEnds: boolean }): Scan {
  const lines: Line[] = []
  let hasLoneCr = false
  let blankEnd: number | undefined
  let strayEnd: number | undefined
  for (const { at, line, next } of linesOf(text.slice(start, stop), loneCrEnds)) {
    if (line.includes('\r')) hasLoneCr = true
    if (line === '') return { lines, bodyStart: start + next, blankEnd, strayEnd, hasLoneCr }
    const isContinuation = (line[0] === ' ' || line[0] === '\t') && lines.length > 0
    const last = lines.at(-1)
    const field = isContinuation ? undefined : fieldOf(line)
    if (line.trim() === '') blankEnd ??= start + next
    if (field !== undefined) lines.push({ start: start + at, ...field })
    else if (isContinuation && last !== undefined) last.value += `\r\n${line}`
    else if (line.trim() !== '') strayEnd ??= start + at
  }
  return { lines, bodyStart: stop, blankEnd, strayEnd, hasLoneCr }
}

/** Each search is done once, however many lines there are: a text without any LF would cost a look at all of it for each. */
function* linesOf(text: string, loneCrEnds: boolean): Generator<{ at: number; line: string; next: number }> {
  let lf = -1
  let cr = -1
  for (let at = 0; at < text.length; ) {
    if (lf < at) lf = found(text.indexOf('\n', at), text)
    if (loneCrEnds) while (cr < at || text[cr + 1] === '\n') cr = found(text.indexOf('\r', Math.max(at, cr + 1)), text)
    const isLoneCr = loneCrEnds && cr < lf
    const next = isLoneCr ? cr + 1 : lf + 1
    const end = isLoneCr ? cr : lf > at && text[lf - 1] === '\r' ? lf - 1 : lf
    yield { at, line: text.slice(at, end), next: Math.min(next, text.length) }
    at = next
  }
}

const found = (index: number, text: string): number => (index < 0 ? text.length : index)

// Characters that no name may have are taken out: some readers do not see them (NUL, blanks before the colon).
function fieldOf(line: string): { name: string; value: string } | undefined {
  const colon = line.indexOf(':')
  if (colon <= 0 || colon > 1000) return undefined
  const raw = line.slice(0, colon)
  const name = raw.replace(/[^\x21-\x7e]+/g, '').toLowerCase()
  const isName = name !== '' && !/[^!-~]/.test(raw.trimEnd())
  return isName || isOfInterest(name) ? { name, value: line.slice(colon + 1) } : undefined
}

function add(readings: HeaderReading[], lines: readonly Line[], bodyStart: number): void {
  const fields = new Map<FieldName, string[]>()
  let count = 0
  for (const { start, name, value } of lines) {
    if (start >= bodyStart || !isOfInterest(name) || ++count > FIELDS_MAX) continue
    const values = fields.get(name)
    if (values === undefined) fields.set(name, [value])
    else if (!values.includes(value)) values.push(value)
  }
  const isSame = (one: HeaderReading) =>
    one.bodyStart === bodyStart && JSON.stringify([...one.fields]) === JSON.stringify([...fields])
  if (!readings.some(isSame)) readings.push({ fields, bodyStart })
}

const isOfInterest = (name: string): name is FieldName =>
  name === 'content-type' || name === 'content-transfer-encoding' || name === 'content-disposition'
