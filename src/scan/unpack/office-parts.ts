/**
 * What the parts of a zip say about the document that the zip is (OOXML, OpenDocument, Pages): that it is encrypted, that its
 * XML expands, that its cells repeat a text until no memory is left. Macros and links are the affair of an examiner, which
 * goes by content.
 */
import type { Opened, ScanObject } from '../contract.ts'
import { encrypted, overLimit } from './inside.ts'

/** OpenDocument and Pages encrypt inside the zip, without its flag. */
const ODF_MANIFEST = 'META-INF/manifest.xml'
const PAGES_PASSWORDS = ['.iwpv2', '.iwph']
const OOXML_PART = /^(?:xl|word|ppt|visio|docProps|_rels|customXml)\/.*\.(?:xml|rels)$|^\[Content_Types\]\.xml$/i
const SHARED_STRINGS = /^xl\/[^/]*sharedstrings[^/]*\.xml$/i
const SHEET = /^xl\/(?:worksheets|macrosheets|dialogsheets|chartsheets)\/[^/]+\.xml$/i

/**
 * Of the texts of all cells, in octets. Excel allows 32,767 characters in a cell; the largest workbooks that people mail
 * have some 10 MB of text.
 */
const CELL_TEXT_OCTETS_MAX = 256 * 1024 * 1024
/** A cell that names a shared string has at least `<c t="s"><v>0</v>`. */
const CELL_OCTETS_MIN = 17
const CELL_WITH_STRING = /\bt\s?=\s?["']s["']/g

/** One zip. Each part is given as it comes; what only all parts together say comes from `end`. */
export class OfficeParts {
  readonly #where: string
  #stringOctetsMax = 0
  readonly #sheets: Buffer[] = []

  constructor(where: string) {
    this.#where = where
  }

  *facts(part: ScanObject): Generator<Opened> {
    const is = (pattern: RegExp) => part.names.some((name) => pattern.test(name.replaceAll('\\', '/')))
    const { where, octets } = part
    if (part.names.some((name) => PAGES_PASSWORDS.includes(name))) yield encrypted('iwork', where)
    if (part.names.includes(ODF_MANIFEST) && octets.includes('encryption-data')) yield encrypted('opendocument', where)
    // OOXML packages (ECMA-376 part 2) allow no document type, and programs that do follow one run out of memory.
    if (is(OOXML_PART) && octets.includes('<!ENTITY'))
      yield overLimit('ratio', where, 'its XML declares entities, which expand')
    if (is(SHARED_STRINGS)) this.#stringOctetsMax = Math.max(this.#stringOctetsMax, longestString(octets))
    if (is(SHEET)) this.#sheets.push(octets)
  }

  /** Reckoned from above, so that ordinary workbooks need no count: every cell has the longest string. */
  *end(): Generator<Opened> {
    const sheetOctets = this.#sheets.reduce((sum, { length }) => sum + length, 0)
    if ((sheetOctets / CELL_OCTETS_MIN) * this.#stringOctetsMax <= CELL_TEXT_OCTETS_MAX) return
    const cells = this.#sheets.reduce((sum, sheet) => sum + cellsWithString(sheet), 0)
    if (cells * this.#stringOctetsMax > CELL_TEXT_OCTETS_MAX)
      yield overLimit('ratio', this.#where, `${cells} cells repeat strings of up to ${this.#stringOctetsMax} octets`)
  }
}

function longestString(part: Buffer): number {
  let longest = 0
  let from = part.indexOf('<si')
  while (from >= 0) {
    const end = part.indexOf('</si', from + 3)
    longest = Math.max(longest, (end < 0 ? part.length : end) - from)
    from = end < 0 ? -1 : part.indexOf('<si', end)
  }
  return longest
}

function cellsWithString(sheet: Buffer): number {
  return sheet.toString('latin1').match(CELL_WITH_STRING)?.length ?? 0
}
