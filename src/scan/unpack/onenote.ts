/**
 * Opens OneNote sections: the files that lie in them, of which a person sees an icon. They stand whole behind a mark of their
 * own, so the tree of the section is not followed. Their names stand elsewhere and are not given.
 *
 * The format: [MS-ONESTORE] §2.3.1 (header), §2.6.13 (FileDataStoreObject). Sizes in octets.
 */
import type { Opened, Opener, ScanBudget, ScanObject } from '../contract.ts'
import { broken, charged, inside, overLimit } from './inside.ts'

const SECTION = Buffer.from('e4525c7b8cd8a74daeb15378d02996d3', 'hex')
const FILE_DATA = Buffer.from('e716e3bd65261145a4c48d4d0b7a9eac', 'hex')
/** Behind the mark: the size in eight octets, then twelve that are reserved. */
const BEFORE_DATA = FILE_DATA.length + 8 + 12

export const oneNote: Opener = {
  container: 'onenote',
  recognises: (octets) => octets.subarray(0, SECTION.length).equals(SECTION),
  open: openSection,
}

function* openSection(object: ScanObject, budget: ScanBudget): Generator<Opened> {
  const file = object.octets
  for (let at = file.indexOf(FILE_DATA); at >= 0; at = file.indexOf(FILE_DATA, at + FILE_DATA.length)) {
    if (budget.isOver()) return yield overLimit('time', object.where)
    const dataAt = at + BEFORE_DATA
    const size = dataAt <= file.length ? Number(file.readBigUInt64LE(at + FILE_DATA.length)) : 0
    const child = inside(object, [], `file at ${at}`, file.subarray(dataAt, dataAt + size))
    if (dataAt > file.length || dataAt + size > file.length) yield broken('onenote', child.where, 'its data are cut')
    yield charged(child, child.octets.length, budget)
  }
}
