/**
 * What the streams of old Office documents say in their records: that the document is encrypted, that a sheet is a macro
 * sheet (Excel 4.0), and the objects that stand in a presentation or behind an icon. Damage ends the reading of a stream.
 *
 * The formats: [MS-DOC] §2.5.2, [MS-XLS] §2.4, [MS-PPT] §2.3, [MS-OLEDS] §2.3.6. Sizes in octets.
 */
import { nameReadings } from './entry-names.ts'

/** Records of one stream. A large sheet has some hundred thousand. */
const RECORDS_MAX = 2_000_000

const WORD_FLAGS_AT = 10
const WORD_ENCRYPTED = 0x0100
const XLS_BOUND_SHEET = 0x0085
const XLS_LABEL = 0x0018
const XLS_FILE_PASS = 0x002f
const XLS_MACRO_SHEET = 1
/** Name of a label that Excel itself gives a meaning: Auto_Open, Auto_Close, Auto_Activate, Auto_Deactivate. */
const XLS_LABEL_BUILT_IN = 0x0020
const XLS_AUTO_RUN = [1, 2, 10, 11]
/** A link to another program: its name, 3, and what it is asked; each name after it says of which kind it is. */
const XLS_SUP_BOOK = 0x01ae
const XLS_EXTERN_NAME = 0x0023
const XLS_OLE_LINK = 0x0010
const XLS_LINK_SEPARATOR = 3
const PPT_ENCRYPTED_TOKEN = 0xf3d1c4df
const PPT_OBJECT = 0x1011
const PPT_CONTAINER = 0xf

export interface WorkbookFacts {
  isEncrypted: boolean
  hasMacroSheet: boolean
  isAutoRun: boolean
  hasDde: boolean
  hasOleLink: boolean
}

export function isEncryptedWord(stream: Buffer): boolean {
  return stream.length > 12 && (stream.readUInt16LE(WORD_FLAGS_AT) & WORD_ENCRYPTED) !== 0
}

/** Of the stream `Current User`. */
export function isEncryptedPresentation(stream: Buffer): boolean {
  return stream.length >= 16 && stream.readUInt32LE(12) === PPT_ENCRYPTED_TOKEN
}

export function workbookFacts(stream: Buffer): WorkbookFacts {
  const facts = { isEncrypted: false, hasMacroSheet: false, isAutoRun: false, hasDde: false, hasOleLink: false }
  let isLink = false
  for (let at = 0, count = 0; at + 4 <= stream.length && count < RECORDS_MAX; count++) {
    const type = stream.readUInt16LE(at)
    const body = stream.subarray(at + 4, at + 4 + stream.readUInt16LE(at + 2))
    if (type === XLS_FILE_PASS) facts.isEncrypted = true
    if (type === XLS_BOUND_SHEET && body[5] === XLS_MACRO_SHEET) facts.hasMacroSheet = true
    if (type === XLS_LABEL && isAutoRunLabel(body)) facts.isAutoRun = true
    if (type === XLS_SUP_BOOK) isLink = isProgramLink(body)
    if (type === XLS_EXTERN_NAME && isLink && body.length >= 2) {
      if (body.readUInt16LE(0) & XLS_OLE_LINK) facts.hasOleLink = true
      else facts.hasDde = true
    }
    at += 4 + body.length
  }
  return facts
}

function isAutoRunLabel(body: Buffer): boolean {
  if (body.length < 16) return false
  const name = body[14] === 0 ? body[15]! : body[14]!
  if (body.readUInt16LE(0) & XLS_LABEL_BUILT_IN) return XLS_AUTO_RUN.includes(name)
  return /auto_?(?:open|close|activate)/i.test(body.subarray(14).toString('latin1').replaceAll('\0', ''))
}

/** [MS-XLS] §2.4.271: a count of sheets, a length (two values are for itself and add-ins), and a text in one or two octets. */
function isProgramLink(body: Buffer): boolean {
  if (body.length < 6) return false
  const characters = body.readUInt16LE(2)
  if (characters === 0 || characters > 255) return false
  return body.subarray(5).includes(XLS_LINK_SEPARATOR)
}

/** Compound files in a presentation. `isPacked`: a size and a zlib stream. */
export function* presentationObjects(
  stream: Buffer,
): Generator<{ readonly octets: Buffer; readonly isPacked: boolean }> {
  for (let at = 0, count = 0; at + 8 <= stream.length && count < RECORDS_MAX; count++) {
    const head = stream.readUInt16LE(at)
    const size = stream.readUInt32LE(at + 4)
    if (stream.readUInt16LE(at + 2) === PPT_OBJECT) {
      const isPacked = head >> 4 === 1
      yield { octets: stream.subarray(at + (isPacked ? 12 : 8), at + 8 + size), isPacked }
    }
    at += (head & 0xf) === PPT_CONTAINER ? 8 : 8 + size
  }
}

export interface PackagedFile {
  readonly names: readonly string[]
  readonly octets: Buffer
}

/** Of a stream `\x01Ole10Native`: a file behind an icon, with its name, the way it had, and where it will be put. */
export function packagedFile(stream: Buffer): PackagedFile | undefined {
  if (stream.length < 8) return undefined
  const label = textAt(stream, 6)
  const path = textAt(stream, label.end)
  const wayAt = path.end + 8
  if (wayAt > stream.length) return undefined
  const sizeAt = wayAt + stream.readUInt32LE(path.end + 4)
  if (sizeAt + 4 > stream.length) return undefined
  const octets = stream.subarray(sizeAt + 4, sizeAt + 4 + stream.readUInt32LE(sizeAt))
  const target = textAt(stream.subarray(0, sizeAt), wayAt).names
  return { names: [...label.names, ...path.names.map(lastOf), ...target.map(lastOf)], octets }
}

function lastOf(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('\\'), path.lastIndexOf('/')) + 1)
}

function textAt(stream: Buffer, at: number): { readonly names: string[]; readonly end: number } {
  const nul = stream.indexOf(0, at)
  const end = nul < 0 ? stream.length : nul
  return { names: nameReadings(stream.subarray(at, end)), end: end + 1 }
}
