/**
 * Opens compound files: old Office documents, Outlook messages, installers, the shell of an encrypted new document, and the
 * macro project inside a new one. Every stream is an object; what stands in streams in a packing of its own (files behind
 * icons, macros, attachments, objects of a presentation) is one too, by its name.
 */
import type { Opened, Opener, ScanBudget, ScanObject } from '../contract.ts'
import { type CompoundEntry, CompoundFile, isCompoundFile } from './compound-file.ts'
import { compressedRtf } from './compressed-rtf.ts'
import { utf16Name } from './entry-names.ts'
import { inflate } from './inflating.ts'
import { broken, charged, encrypted, inside, overLimit } from './inside.ts'
import {
  isEncryptedPresentation,
  isEncryptedWord,
  packagedFile,
  presentationObjects,
  workbookFacts,
} from './office-records.ts'
import { isAutoRun, moduleText } from './vba.ts'

/** Streams that say: the document is inside, encrypted. The second one is of rights management. */
const ENCRYPTED_STREAMS = new Set(['encryptedpackage', '\tdrmcontent'])
const VBA_FOLDER = 'VBA'
/** Of an attachment in an Outlook message ([MS-OXMSG] §2.2.2): long name, short name, shown name; and its data. */
const MSG_NAMES = /^__substg1\.0_(?:3707|3704|3001)001[EF]$/i
const MSG_DATA = '__substg1.0_37010102'
const MSG_RTF_BODY = '__substg1.0_10090102'
/** Objects of a Word document of 2003 in XML (`oledata.mso`): a size, then zlib; each is a compound file. */
const PACKED_OBJECT = /^_\d{6,12}$/
const ZLIB_METHOD = 0x78

export const ole: Opener = { container: 'ole', recognises: isCompoundFile, open: openOle }

function* openOle(object: ScanObject, budget: ScanBudget): Generator<Opened> {
  const file = new CompoundFile(object.octets)
  if (file.isDamaged) yield broken('ole', object.where, 'its directory is damaged')
  const streams = file.entries.filter(({ isStream }) => isStream)
  const macros: Macros = { modules: 0, isAutoRun: false }
  for (const entry of streams) {
    if (budget.isOver()) return yield overLimit('time', object.where)
    if (entry.size > budget.octetsLeft) yield overLimit('octets', object.where, `a stream of ${entry.size} octets`)
    const { octets, isCut } = file.read(entry, budget.octetsLeft)
    const names = entry.name === MSG_DATA ? attachmentNames(file, entry) : []
    const child = inside(object, names, entry.path.map(shown).join('/'), octets)
    if (isCut) yield broken('ole', child.where, 'its data are cut')
    yield charged(child, object.octets.length, budget)
    yield* streamFacts(object, entry, octets)
    yield* packedIn(child, entry, budget)
    if (isInVbaFolder(entry)) yield* openModule(child, macros, budget)
  }
  if (macros.modules > 0 || streams.some(isInVbaFolder)) {
    if (macros.modules === 0) yield broken('vba', object.where, 'no module of its macros can be read')
    yield { fact: { kind: 'macro', dialect: 'vba', autoRun: macros.isAutoRun, where: object.where } }
  }
}

interface Macros {
  modules: number
  isAutoRun: boolean
}

// Names of streams are the same whatever their case ([MS-CFB] §2.6.4).
function* streamFacts(object: ScanObject, entry: CompoundEntry, octets: Buffer): Generator<Opened> {
  const name = entry.name.toLowerCase()
  if (ENCRYPTED_STREAMS.has(name)) yield encrypted('office', object.where)
  if (name === 'worddocument' && isEncryptedWord(octets)) yield encrypted('office', object.where)
  if (name === 'current user' && isEncryptedPresentation(octets)) yield encrypted('office', object.where)
  if (!/^(?:workbook|book)$/.test(name)) return
  const facts = workbookFacts(octets)
  if (facts.isEncrypted) yield encrypted('office', object.where)
  if (facts.hasMacroSheet)
    yield { fact: { kind: 'macro', dialect: 'xlm', autoRun: facts.isAutoRun, where: object.where } }
  if (facts.hasDde) yield { fact: { kind: 'macro', dialect: 'dde', autoRun: true, where: object.where } }
  if (facts.hasOleLink) yield { fact: { kind: 'macro', dialect: 'ole-link', autoRun: true, where: object.where } }
}

function* packedIn(child: ScanObject, { name }: CompoundEntry, budget: ScanBudget): Generator<Opened> {
  if (name.toLowerCase() === '\x01ole10native') {
    const file = packagedFile(child.octets)
    if (!file) return yield broken('ole-package', child.where, 'the file in it cannot be told from its names')
    const packaged = inside(child, file.names, 'package', file.octets)
    yield { fact: { kind: 'macro', dialect: 'ole-package', autoRun: false, where: packaged.where } }
    yield charged(packaged, child.octets.length, budget)
  }
  const body = name === MSG_RTF_BODY ? compressedRtf(child.octets, budget.octetsLeft) : undefined
  if (body) yield charged(inside(child, [], 'body', body), child.octets.length, budget)
  if (PACKED_OBJECT.test(name) && child.octets[4] === ZLIB_METHOD)
    yield* openObject(child, child.octets.subarray(4), true, budget)
  if (name.toLowerCase() !== 'powerpoint document') return
  for (const { octets, isPacked } of presentationObjects(child.octets))
    yield* openObject(child, octets, isPacked, budget)
}

function* openObject(child: ScanObject, octets: Buffer, isPacked: boolean, budget: ScanBudget): Generator<Opened> {
  const unpacked = isPacked ? inflate('zlib', octets, budget.octetsLeft, budget) : undefined
  const found = inside(child, [], 'object', unpacked?.octets ?? octets)
  if (unpacked?.end === 'over') yield overLimit('octets', found.where)
  else if (unpacked && unpacked.end !== 'whole') yield broken('ole', found.where, `its data are ${unpacked.end}`)
  yield charged(found, octets.length, budget)
}

function isInVbaFolder({ path }: CompoundEntry): boolean {
  return path.at(-2)?.toUpperCase() === VBA_FOLDER
}

function* openModule(stream: ScanObject, macros: Macros, budget: ScanBudget): Generator<Opened> {
  const text = moduleText(stream.octets)
  if (!text) return
  macros.modules++
  macros.isAutoRun ||= isAutoRun(text)
  yield charged(inside(stream, [], 'macro text', text), stream.octets.length, budget)
}

function attachmentNames(file: CompoundFile, { path }: CompoundEntry): string[] {
  const folder = path.slice(0, -1).join('/')
  const siblings = file.entries.filter(
    (entry) => MSG_NAMES.test(entry.name) && entry.path.slice(0, -1).join('/') === folder,
  )
  return siblings.map((entry) => {
    const { octets } = file.read(entry, 4_096)
    return entry.name.toUpperCase().endsWith('F') ? utf16Name(octets) : octets.toString('latin1').replace(/\0.*$/s, '')
  })
}

// Names of streams begin with controls where they are not for people.
function shown(name: string): string {
  return name.replace(/^[\0-\x1f]/, '')
}
