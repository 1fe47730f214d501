/**
 * Reads a list of recipients that somebody hands in: one address on a line with `#` comments, or CSV (RFC 4180), where
 * comma, semicolon or tab separate. Made for streams: octets go in as they come, entries come out; a million lines take
 * no memory.
 *
 * Plain local parts belong to the domain, full addresses must be of it. Text is UTF-8, with or without BOM. Faults carry
 * line and column; after `FAULTS_MAX` it is some other file, and nothing more is read. Limits: `LIST_OCTETS_MAX`,
 * `RECORD_CHARS_MAX`, `NOTE_CHARS_MAX`. Nothing throws.
 */
import { recipientKey } from '#config/recipients.ts'
import { mailboxText } from '#mail/address.ts'

/** A hundred faults are enough to see what is wrong. */
export const FAULTS_MAX = 100
/** Five million addresses of usual length. */
export const LIST_OCTETS_MAX = 256 * 1024 * 1024
/** Of a line, or of a row of CSV; an address has 254 octets at most. A quote that is never closed ends here. */
export const RECORD_CHARS_MAX = 4096
/** What may be remarked on an entry. */
export const NOTE_CHARS_MAX = 200

export type ListFormat = 'text' | 'csv'

export interface ListFault {
  /** 1-based. */
  readonly line: number
  /** 1-based, in UTF-16 units, as editors count. */
  readonly column: number
  readonly text: string
}

export interface ParsedEntry {
  readonly key: string
  readonly note?: string
}

export interface ListFileOptions {
  /** A-labels; may begin with `*.`. */
  readonly domain: string
  /** Absent: the first line tells. */
  readonly format?: ListFormat
}

const ADDRESS_COLUMNS = ['address', 'email', 'e-mail', 'mail', 'email address', 'emailaddress', 'primarysmtpaddress']
const ALIAS_COLUMNS = ['alias of', 'alias-of', 'alias_of', 'aliasof']
const NOTE_COLUMNS = ['note', 'notes', 'comment', 'remark']
const SEPARATORS = [',', ';', '\t']

interface Columns {
  readonly address: number
  /** -1: there is none. */
  readonly alias: number
  readonly note: number
}

interface Cell {
  text: string
  line: number
  column: number
}

export class ListFile {
  readonly #domain: string
  readonly #decoder = new TextDecoder('utf-8')
  readonly #faults: ListFault[] = []
  #format: ListFormat | undefined
  #separator = ','
  #columns: Columns | undefined
  /** Decoded, and not yet a whole record. */
  #rest = ''
  #line = 1
  #octets = 0
  #read = 0
  #over = false

  constructor({ domain, format }: ListFileOptions) {
    this.#domain = domain
    this.#format = format
  }

  get faults(): readonly ListFault[] {
    return this.#faults
  }

  /** Entries so far; one that stands twice counts twice. */
  get read(): number {
    return this.#read
  }

  /** Nothing more is read: the list has too many faults, or one that says all. */
  get over(): boolean {
    return this.#over
  }

  push(octets: Uint8Array): ParsedEntry[] {
    if (this.#over) return []
    if (this.#octets === 0 && isUtf16(octets)) return this.#stop('is in UTF-16; save it as UTF-8')
    this.#octets += octets.length
    if (this.#octets > LIST_OCTETS_MAX) return this.#stop(`has more than ${LIST_OCTETS_MAX / 2 ** 20} MiB`)
    return this.#take(this.#decoder.decode(octets, { stream: true }), false)
  }

  /** The last line may have no end. */
  end(): ParsedEntry[] {
    return this.#over ? [] : this.#take(this.#decoder.decode(), true)
  }

  #stop(why: string): ParsedEntry[] {
    this.#fault(this.#line, 1, `the list ${why}`)
    this.#over = true
    return []
  }

  #fault(line: number, column: number, text: string): void {
    if (this.#faults.length < FAULTS_MAX) this.#faults.push({ line, column, text })
    if (this.#faults.length >= FAULTS_MAX) this.#over = true
  }

  #take(text: string, last: boolean): ParsedEntry[] {
    const whole = this.#rest + text
    const entries: ParsedEntry[] = []
    let start = 0
    while (start < whole.length && !this.#over) {
      const end = this.#endOf(whole, start)
      if (end < 0 && !last) break
      const record = whole.slice(start, end < 0 ? whole.length : end)
      this.#record(record, entries)
      this.#line += lineEnds(record) + 1
      start = end < 0 ? whole.length : end + 1
    }
    this.#rest = this.#over ? '' : whole.slice(start)
    this.#read += entries.length
    return entries
  }

  // Index of the line end that closes the record, or -1. A line end in quotes belongs to its cell (RFC 4180 §2.6).
  #endOf(text: string, start: number): number {
    const newline = text.indexOf('\n', start)
    // What kind of file it is can be seen on its first line; blank ones say nothing.
    if (this.#format === undefined && newline >= 0) this.#recognise(text.slice(start, newline))
    if (this.#format !== 'csv') return newline < 0 && text.length - start > RECORD_CHARS_MAX ? text.length : newline
    let quoted = false
    let atCellStart = true
    const limit = Math.min(text.length, start + RECORD_CHARS_MAX + 1)
    for (let i = start; i < limit; i++) {
      const c = text[i]!
      if (c === '"') quoted = quoted ? false : atCellStart || text[i - 1] === '"'
      else if (c === '\n' && !quoted) return i
      atCellStart = c === this.#separator || (atCellStart && c === ' ')
    }
    if (limit <= start + RECORD_CHARS_MAX) return -1
    // Too long: the fault is told, and the next line may be sound.
    return newline < 0 ? text.length : newline
  }

  #recognise(line: string): void {
    const text = withoutComment(line)
    if (text === '') return
    const alone = text.replace(/"(?:[^"\\]|\\.|"")*"/g, '')
    this.#format = SEPARATORS.some((separator) => alone.includes(separator)) ? 'csv' : 'text'
  }

  #record(record: string, entries: ParsedEntry[]): void {
    if (this.#format === undefined) this.#recognise(record)
    const wrong = record.indexOf('\uFFFD')
    if (record.length > RECORD_CHARS_MAX) {
      const hint = this.#format === 'csv' ? '; a quote may not be closed' : ''
      this.#fault(this.#line, 1, `is longer than ${RECORD_CHARS_MAX} characters${hint}`)
    } else if (wrong >= 0) {
      const line = this.#line + lineEnds(record.slice(0, wrong))
      const column = wrong - record.lastIndexOf('\n', wrong)
      this.#fault(line, column, 'is not UTF-8; save the list as UTF-8')
      this.#over = true
    } else if (this.#format === 'csv') this.#row(record, entries)
    else this.#textLine(record, entries)
  }

  #textLine(line: string, entries: ParsedEntry[]): void {
    const text = withoutComment(line)
    if (text !== '') this.#entry({ text, line: this.#line, column: line.indexOf(text) + 1 }, undefined, entries)
  }

  #row(record: string, entries: ParsedEntry[]): void {
    if (record.trim() === '') return
    if (this.#columns === undefined) {
      if (record.trimStart().startsWith('#')) return
      this.#separator = separatorOf(record)
    }
    const cells = this.#cells(record)
    if (cells === undefined) return
    if (this.#columns === undefined) {
      const names = cells.map(({ text }) => text.trim().toLowerCase())
      const named = (known: readonly string[]) => names.findIndex((name) => known.includes(name))
      const address = named(ADDRESS_COLUMNS)
      const header = address >= 0
      this.#columns = header
        ? { address, alias: named(ALIAS_COLUMNS), note: named(NOTE_COLUMNS) }
        : { address: 0, alias: -1, note: -1 }
      if (header) return
    }
    const { address, alias, note } = this.#columns
    const cell = cells[address]
    const text = cell?.text.trim() ?? ''
    if (cell === undefined || text === '') {
      this.#fault(this.#line, 1, `has no address in column ${address + 1}`)
      return
    }
    const aliasOf = cells[alias]?.text.trim()
    const remark = cells[note]?.text
    const notes = [aliasOf && `alias of ${aliasOf}`, remark].filter((part) => part !== undefined && part !== '')
    this.#entry({ ...cell, text }, notes.length > 0 ? notes.join('; ') : undefined, entries)
  }

  #entry({ text, line, column }: Cell, note: string | undefined, entries: ParsedEntry[]): void {
    const read = recipientKey(text, this.#domain)
    if (!read.ok) this.#fault(line, column, read.message)
    else if (note !== undefined && note.length > NOTE_CHARS_MAX) {
      this.#fault(line, column, `has a note of more than ${NOTE_CHARS_MAX} characters`)
    } else entries.push(note === undefined ? { key: read.key } : { key: read.key, note })
  }

  // RFC 4180 §2.5 to §2.7: a cell in quotes may hold separators, line ends and doubled quotes.
  #cells(record: string): Cell[] | undefined {
    const cells: Cell[] = []
    for (let at = 0; at <= record.length; ) {
      const opening = /^[ \t]*"/.exec(record.slice(at, at + 20))
      const plain = opening === null || (opening[0].includes('\t') && this.#separator === '\t')
      const read = plain ? this.#plainCell(record, at) : this.#quotedCell(record, at + opening[0].length - 1)
      if (read === undefined) return undefined
      cells.push({ text: read.text, ...this.#placeOf(record, at) })
      at = read.end + 1
    }
    return cells
  }

  #plainCell(record: string, at: number): { text: string; end: number } {
    const next = record.indexOf(this.#separator, at)
    const end = next < 0 ? record.length : next
    return { text: end === record.length ? record.slice(at).replace(/\r$/, '') : record.slice(at, end), end }
  }

  #quotedCell(record: string, open: number): { text: string; end: number } | undefined {
    let text = ''
    for (let i = open + 1; i < record.length; i++) {
      if (record[i] !== '"') text += record[i]
      else if (record[i + 1] === '"') text += record[i++]
      else {
        const next = record.indexOf(this.#separator, i)
        const end = next < 0 ? record.length : next
        if (record.slice(i + 1, end).trim() === '') return { text, end }
        const { line, column } = this.#placeOf(record, i + 1)
        this.#fault(line, column, 'has something between a closing quote and the next separator')
        return undefined
      }
    }
    const { line, column } = this.#placeOf(record, open)
    this.#fault(line, column, 'has a quote that is not closed')
    return undefined
  }

  #placeOf(record: string, at: number): { line: number; column: number } {
    const before = record.slice(0, at)
    return { line: this.#line + lineEnds(before), column: at - before.lastIndexOf('\n') }
  }
}

/** One row of CSV, without its line end: what `ListFile` reads back. */
export const csvRow = (cells: readonly string[]): string =>
  cells.map((cell) => (/[",;\t\r\n#]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')

export const CSV_HEADER = 'address,note'

/** The address of a key, as it stands in a list: with the quotes that a key has not. */
export function addressOf(key: string): string {
  const at = key.lastIndexOf('@')
  const localPart = key.slice(0, at)
  const text = mailboxText({ localPart, domain: { kind: 'name', ascii: key.slice(at + 1) }, internationalized: false })
  // Plain, it would be a comment.
  return localPart.startsWith('#') && text.startsWith('#') ? `"${localPart}"${key.slice(at)}` : text
}

const isUtf16 = (octets: Uint8Array): boolean =>
  (octets[0] === 0xff && octets[1] === 0xfe) || (octets[0] === 0xfe && octets[1] === 0xff)

function lineEnds(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++
  return count
}

// The separator that stands first, outside of quotes.
function separatorOf(record: string): string {
  const alone = record.replace(/"(?:[^"]|"")*"/g, '')
  const found = SEPARATORS.filter((separator) => alone.includes(separator))
  return found.sort((a, b) => alone.indexOf(a) - alone.indexOf(b))[0] ?? ','
}

// A # inside a word or in quotes is a legal character of a local part (RFC 5321 §4.1.2, atext and qtextSMTP).
function withoutComment(line: string): string {
  if (!line.includes('#')) return line.trim()
  const quoted = /^\s*"(?:[^"\\]|\\.)*"/.exec(line)?.[0] ?? ''
  return (quoted + line.slice(quoted.length).replace(/(?:^|\s)#[\s\S]*$/, '')).trim()
}
