/**
 * Opens mail that is a file: an attached `.eml`, a mail in an archive, one that a container brought. It is read in every way
 * that mime/readings knows, so what hides in the mail in the zip is found like what hides in the mail itself.
 *
 * Told by content: it begins with a field, and two fields of mail stand in its first octets. Many a text that only quotes a
 * mail is opened too; that costs little and says nothing unless something is in it.
 */
import { readEveryWay } from '#mime/readings/readings.ts'
import type { Opened, Opener, ScanBudget, ScanObject } from '../contract.ts'
import { cannotTell, charged, inside } from './inside.ts'

/** Octets in which the two fields stand; what a relay or a list puts before them is rarely above 4 KB. */
const LOOK_OCTETS_MAX = 16 * 1024
const FIELDS_MIN = 2
/** Blanks and the line of an mbox are below that; most files are told from mail by it, at little cost. */
const BEGIN_OCTETS_MAX = 2 * 1024
/** Blanks, a byte order mark, and the line that mbox files put before a mail. */
const BEGIN = /^(?:\xef\xbb\xbf)?\s*(?:>?From [^\n]*\n)?[!-9;-~]{1,76}[ \t]*:/
const KNOWN =
  /^(from|to|cc|subject|date|message-id|received|return-path|sender|reply-to|mime-version|content-type|content-transfer-encoding|content-disposition)[ \t]*:/gim

export const mail: Opener = { container: 'mail', recognises: isMail, open: openMail }

function isMail(octets: Buffer): boolean {
  if (!BEGIN.test(octets.toString('latin1', 0, BEGIN_OCTETS_MAX))) return false
  const text = octets.toString('latin1', 0, LOOK_OCTETS_MAX)
  const fields = new Set<string>()
  for (const match of text.matchAll(KNOWN)) {
    fields.add(match[1]!.toLowerCase())
    if (fields.size >= FIELDS_MIN) return true
  }
  return false
}

function* openMail(object: ScanObject, budget: ScanBudget): Generator<Opened> {
  const { readings, doubts } = readEveryWay(object.octets)
  for (const { symbol, where, text } of doubts) yield cannotTell(symbol, `${object.where} › ${where}`, text)
  for (const { where, names, declaredType, octets } of readings) {
    if (octets.length === object.octets.length) continue
    const part = inside(object, names, where, octets)
    const isView = octets.buffer === object.octets.buffer
    const opened = charged(part, object.octets.length, isView ? UNCHARGED : budget)
    yield 'object' in opened && declaredType !== undefined ? { object: { ...part, declaredType } } : opened
  }
}

/** A view into the mail takes no memory of its own. */
const UNCHARGED: ScanBudget = { octetsLeft: 0, take: () => undefined, object: () => undefined, isOver: () => false }
