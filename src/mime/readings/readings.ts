/**
 * Takes a content apart in every way that readers of mail do (contract.ts says why).
 *
 * A tree of parts is one reader's opinion. Here every line that some reader may take for a delimiter opens a part, whatever
 * stands around it; the part ends at the next delimiter of any boundary, and at the next of its own. That covers every
 * nesting that some reader sees, costs one search for each boundary, and does not care who closed what.
 */

import type { Doubt, DoubtSymbol, Reading, Readings } from './contract.ts'
import * as limits from './contract.ts'
import { decodings } from './decode.ts'
import { type HeaderReading, readHeader } from './header.ts'
import { INLINE_FILES_MAX, inlineFiles } from './inline.ts'
import { isMultipart, type Meaning, meanings } from './meaning.ts'
import { Sheet } from './sheet.ts'

export function readEveryWay(octets: Buffer): Readings {
  const reader = new Reader(octets.length)
  reader.message(new Sheet(octets, '', 0))
  return { readings: reader.readings, doubts: reader.doubts }
}

type Growing = { -readonly [K in keyof Reading]: Reading[K] }

class Reader {
  readonly readings: Growing[] = []
  readonly doubts: Doubt[] = []
  readonly #octetsMax: number
  #decodedOctets = 0

  constructor(octets: number) {
    this.#octetsMax = Math.max(limits.DECODED_OCTETS_FREE, octets * limits.DECODED_RATIO_MAX)
  }

  message(sheet: Sheet): void {
    this.#inline(sheet.text, sheet.prefix === '' ? '' : sheet.prefix)
    const fault = sheet.openParts()
    if (fault !== undefined) this.#doubt(fault.symbol, `${sheet.prefix}message`, fault.text)
    for (const { start, where, isPlain } of sheet.parts()) this.#part(sheet, start, where, isPlain)
  }

  #part(sheet: Sheet, start: number, where: string, isPlainPart: boolean): void {
    const ends = sheet.endsFrom(start)
    const { readings: headers, isTooLarge } = readHeader(sheet.text, start, ends[0]!)
    if (isTooLarge) this.#doubt('header-too-large', where, 'the header of this part does not end')
    const seen = new Map<string, readonly Growing[]>()
    for (const header of headers) {
      const all = meanings(header.fields)
      const isPlain = isPlainPart && headers.length === 1 && ends.length === 1 && all.length === 1
      for (const meaning of all) this.#bodies(sheet, where, { header, meaning, ends, isPlain, seen })
    }
  }

  #bodies(sheet: Sheet, where: string, { header, meaning, ends, isPlain, seen }: Body): void {
    if (meaning.doubt !== undefined) this.#doubt(meaning.doubt.symbol, where, meaning.doubt.text)
    // What stands between its parts are other parts; before the first of them is a text that some readers show.
    const isSplit = isMultipart(meaning) && meaning.encoding === 'identity'
    for (const end of isSplit ? ends.slice(0, 1) : ends) {
      const key = `${header.bodyStart} ${end} ${meaning.encoding}`
      const before = seen.get(key)
      if (before === undefined) {
        const body = sheet.octets.subarray(header.bodyStart, Math.max(end, header.bodyStart))
        seen.set(
          key,
          isBlank(body) && meaning.names.length === 0 ? [] : this.#decoded(sheet, where, body, meaning, isPlain),
        )
      } else for (const reading of before) reading.names = [...new Set([...reading.names, ...meaning.names])]
    }
  }

  #decoded(sheet: Sheet, where: string, body: Buffer, meaning: Meaning, isPlain: boolean): Growing[] {
    const { names, type: declaredType, encoding } = meaning
    const ways = decodings(body, encoding)
    const made: Growing[] = []
    for (const { octets, way } of ways) {
      if (encoding !== 'identity' && !this.#mayDecode(octets.length, where)) break
      if (!this.#hasRoom(where)) break
      const reading = { where, names, declaredType, octets, way, isPlain: isPlain && ways.length === 1 }
      made.push(reading)
      this.readings.push(reading)
      if (encoding === 'identity') continue
      if (meaning.isMessage || isMultipart(meaning)) this.#nested(sheet, where, octets, meaning)
      else if (declaredType?.startsWith('text/') !== false) this.#inline(octets.toString('latin1'), `${where} › `)
    }
    return made
  }

  #nested(sheet: Sheet, where: string, octets: Buffer, meaning: Meaning): void {
    if (sheet.nesting >= limits.NESTING_MAX) {
      this.#doubt('nested-too-deep', where, `more than ${limits.NESTING_MAX} messages inside each other`)
      return
    }
    const inner = new Sheet(octets, `${where} › `, sheet.nesting + 1)
    // The header of a multipart that was encoded stands outside, and with it the boundary.
    if (!meaning.isMessage) inner.name(meaning.boundaries)
    this.message(inner)
  }

  #inline(text: string, prefix: string): void {
    const { files, isCut } = inlineFiles(text)
    if (isCut) this.#doubt('too-many-readings', prefix, `more than ${INLINE_FILES_MAX} files stand in a text`)
    for (const { name, octets, way } of files) {
      const where = `${prefix}${way} in the text`
      if (!this.#mayDecode(octets.length, where) || !this.#hasRoom(where)) return
      this.readings.push({ where, names: name === '' ? [] : [name], octets, way, isPlain: false })
    }
  }

  #hasRoom(where: string): boolean {
    if (this.readings.length < limits.READINGS_MAX) return true
    this.#doubt('too-many-readings', where, `more than ${limits.READINGS_MAX} ways to read parts of this message`)
    return false
  }

  #mayDecode(octets: number, where: string): boolean {
    this.#decodedOctets += octets
    if (this.#decodedOctets <= this.#octetsMax) return true
    this.#doubt('decoded-too-large', where, `all readings together are larger than ${this.#octetsMax} octets`)
    return false
  }

  // One of a kind is enough, but for those that are about one part.
  #doubt(symbol: DoubtSymbol, where: string, text: string): void {
    const isKnown = this.doubts.some((one) => one.symbol === symbol && (LIMITS.has(symbol) || one.where === where))
    if (!isKnown && this.doubts.length < limits.DOUBTS_MAX) this.doubts.push({ symbol, where, text })
  }
}

interface Body {
  readonly header: HeaderReading
  readonly meaning: Meaning
  readonly ends: readonly number[]
  readonly isPlain: boolean
  /** Readings that were made of this part, by region and encoding. */
  readonly seen: Map<string, readonly Growing[]>
}

const LIMITS: ReadonlySet<DoubtSymbol> = new Set([
  'too-many-parts',
  'too-many-boundaries',
  'too-many-readings',
  'decoded-too-large',
])

function isBlank(body: Buffer): boolean {
  for (const octet of body) if (octet !== 0x20 && octet !== 0x09 && octet !== 0x0d && octet !== 0x0a) return false
  return true
}
