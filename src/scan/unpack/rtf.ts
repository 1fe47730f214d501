/**
 * Opens RTF: the objects in it, which stand there in hexadecimal digits with anything between them. A digit in a group of its
 * own is data to some readers and nothing to others; where that makes a difference both are given.
 *
 * | what | fact |
 * |---|---|
 * | a file behind an icon | macro, `ole-package`; starts by itself with `\objupdate` |
 * | an object that stands elsewhere | macro, `ole-link` |
 * | a template that stands elsewhere | macro, `remote-template` |
 * | an object of the old equation editor, whose holes nobody mends | suspicious, `equation-object` |
 * | another object that is started when the file is opened | suspicious, `object-at-opening` |
 *
 * The formats: RTF 1.9.1 (objects), [MS-OLEDS] §2.2 (their octets). Sizes in octets.
 */
import type { MacroDialect, ScanFact } from '#mail/scan.ts'
import type { Opened, Opener, ScanBudget, ScanObject } from '../contract.ts'
import { CompoundFile, isCompoundFile } from './compound-file.ts'
import { charged, inside, overLimit } from './inside.ts'
import { packagedFile } from './office-records.ts'
import { type ObjectData, objectData } from './rtf-object-data.ts'

const BEGIN = /^(?:\xef\xbb\xbf)?\s{0,100}\{\s{0,20}\\rt/
const OBJECT_DATA = Buffer.from('\\objdata', 'latin1')
/** Between the begin of an object and its data. */
const OBJECT_HEAD_OCTETS = 2_000
const OBJECTS_MAX = 2_000
const ELSEWHERE = /^\s*(?:https?:|ftp:|file:|mhtml:|\\\\\\\\|\/\/)/i
const TEMPLATE = /\{\\\*\\template\s([^{}]{1,4000})\}/g

const LINKED = 1
const EMBEDDED = 2
/** Of its class, program and file name. */
const OLE1_NAME_OCTETS_MAX = 4_096
/** Class of the equation editor in a compound file: {0002CE02-0000-0000-C000-000000000046}. */
const EQUATION_CLASS = '02ce020000000000c000000000000046'

export const rtf: Opener = {
  container: 'rtf',
  recognises: (octets) => BEGIN.test(octets.toString('latin1', 0, 256)),
  open: openRtf,
}

function* openRtf(object: ScanObject, budget: ScanBudget): Generator<Opened> {
  const file = object.octets
  if (file.includes('\\template'))
    for (const [, path] of file.toString('latin1').matchAll(TEMPLATE))
      if (ELSEWHERE.test(path!)) yield macro(object.where, 'remote-template', true)
  let count = 0
  let at = file.indexOf(OBJECT_DATA)
  for (; at >= 0 && count < OBJECTS_MAX; count++) {
    if (budget.isOver()) return yield overLimit('time', object.where)
    const head = file.toString('latin1', Math.max(0, at - OBJECT_HEAD_OCTETS), at)
    const ownHead = head.slice(Math.max(0, head.lastIndexOf('\\object')))
    const data = objectData(file, at + OBJECT_DATA.length)
    yield* openObject(object, at, ownHead, data, budget)
    at = file.indexOf(OBJECT_DATA, data.end)
  }
  if (at >= 0) yield overLimit('objects', object.where)
}

function* openObject(object: ScanObject, at: number, head: string, data: ObjectData, budget: ScanBudget) {
  const startsItself = /\\objupdate(?![a-z])/.test(head)
  if (/\\objautlink|\\objlink/.test(head)) yield macro(object.where, 'ole-link', true)
  for (const octets of data.readings) {
    const found = readObject(octets)
    const child = inside(object, [], `object at ${at}`, found?.data ?? octets)
    if (found?.isLink) yield macro(child.where, 'ole-link', true)
    if (/^equation/i.test(found?.className ?? '') || isEquation(child.octets))
      yield suspicious('equation-object', child.where, 'an object for the old equation editor')
    const file = found?.className.toLowerCase() === 'package' ? packagedFile(native(child.octets)) : undefined
    if (file) {
      const packaged = inside(child, file.names, 'package', file.octets)
      yield macro(packaged.where, 'ole-package', startsItself)
      yield charged(packaged, octets.length, budget)
    } else if (startsItself) yield suspicious('object-at-opening', child.where, 'an object starts when it is opened')
    yield charged(child, octets.length, budget)
  }
}

/** What follows the size in a stream of a compound file stands here without one. */
function native(data: Buffer): Buffer {
  return Buffer.concat([Buffer.alloc(4), data])
}

function isEquation(data: Buffer): boolean {
  return isCompoundFile(data) && new CompoundFile(data).rootClass === EQUATION_CLASS
}

interface Ole1Object {
  readonly className: string
  readonly isLink: boolean
  readonly data: Buffer
}

/** [MS-OLEDS] §2.2.4 and 5. Undefined: no such header; the octets are looked at as they are. */
function readObject(octets: Buffer): Ole1Object | undefined {
  if (octets.length < 12) return undefined
  const format = octets.readUInt32LE(4)
  if (format !== LINKED && format !== EMBEDDED) return undefined
  let at = 8
  const names: string[] = []
  while (names.length < 3) {
    const length = at + 4 <= octets.length ? octets.readUInt32LE(at) : Number.POSITIVE_INFINITY
    if (length > OLE1_NAME_OCTETS_MAX) return undefined
    names.push(octets.toString('latin1', at + 4, at + 4 + length).replace(/\0.*$/s, ''))
    at += 4 + length
  }
  // Of embedded ones the size stands before the data; what it says is less than what is there only to deceive.
  const data = octets.subarray(format === EMBEDDED ? at + 4 : at)
  return { className: names[0]!, isLink: format === LINKED, data }
}

function macro(where: string, dialect: MacroDialect, autoRun: boolean): { readonly fact: ScanFact } {
  return { fact: { kind: 'macro', dialect, autoRun, where } }
}

function suspicious(symbol: string, where: string, text: string): { readonly fact: ScanFact } {
  return { fact: { kind: 'suspicious', symbol, where, text } }
}
