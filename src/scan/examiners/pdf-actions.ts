/**
 * What a PDF does by itself, from the words of its objects:
 *
 * | symbol | means |
 * |---|---|
 * | `pdf-launch` | an action that starts a program |
 * | `pdf-script-at-opening` | JavaScript that runs when the file is opened; scripts of forms are not meant |
 * | `pdf-carries-program` | an attached file whose name ends like a program's |
 *
 * Objects that stand in streams are given by the opener once more, together and with what stands outside, so that an action is
 * found wherever its object is. Looks at the first TEXT_OCTETS_MAX of each object.
 * ISO 32000-1 §7.3.5 (names), §12.6 (actions).
 */
import type { ScanFact } from '#mail/scan.ts'
import type { Examiner } from '../contract.ts'
import { fileKind } from '../file-class.ts'

const TEXT_OCTETS_MAX = 16 * 1024 * 1024
/** Of one action. */
const ACTION_CHARACTERS = 1_000
/** Each is looked up in the whole text; an honest file has one, and one more for each time that it was changed. */
const OPENINGS_MAX = 50
const LAUNCH = /\/S\s{0,8}\/Launch(?![A-Za-z])/
const SCRIPT = /\/(?:JavaScript|JS)(?![A-Za-z])/
const AT_OPENING = /\/OpenAction\s{0,8}(?:<<|(\d{1,10})\s{1,8}\d{1,5}\s{1,8}R)/g
const CARRIED = /\/U?F\s{0,8}\(([^()\r\n]{1,512})\)/g
const PROGRAM =
  /\.(?:exe|scr|pif|com|bat|cmd|vb[es]?|jse?|wsf|wsh|sct|hta|lnk|cpl|jar|msi|ps1|reg|iso|img|vhdx?|docm|xlsm)[.\s]*$/i

export const pdfActions: Examiner = {
  name: 'pdf-actions',
  *examine(object) {
    if (fileKind(object.octets).class !== 'pdf') return
    const text = withPlainNames(object.octets.toString('latin1', 0, TEXT_OCTETS_MAX))
    const suspicious = (symbol: string, words: string): ScanFact => ({
      kind: 'suspicious',
      symbol,
      where: object.where,
      text: words,
    })
    if (LAUNCH.test(text)) yield suspicious('pdf-launch', 'an action starts a program')
    if (runsAtOpening(text)) yield suspicious('pdf-script-at-opening', 'JavaScript runs when it is opened')
    if (carriesProgram(text)) yield suspicious('pdf-carries-program', 'a program is attached to it')
  },
}

/** A letter of a name may be written as a number: `/#4aS`. */
function withPlainNames(text: string): string {
  return text.replace(/#([2-7][0-9a-f])/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

function runsAtOpening(text: string): boolean {
  let openings = 0
  for (const { index, 1: number } of text.matchAll(AT_OPENING)) {
    if (++openings > OPENINGS_MAX) return true
    const at = number === undefined ? index : objectAt(text, number)
    // Its object is in a stream: seen where the opener gives those.
    if (number !== undefined && at === undefined && text.includes('/ObjStm')) continue
    const action = at === undefined ? text : text.slice(at, at + ACTION_CHARACTERS)
    const end = at === undefined ? -1 : action.indexOf('endobj')
    if (SCRIPT.test(end < 0 ? action : action.slice(0, end))) return true
  }
  return false
}

/** Undefined: the file is damaged; then any script counts. */
function objectAt(text: string, number: string): number | undefined {
  const found = new RegExp(`(?:^|[\\s>])${number}\\s{1,8}\\d{1,5}\\s{1,8}obj`).exec(text)
  return found?.index
}

function carriesProgram(text: string): boolean {
  if (!text.includes('/EF')) return false
  for (const [, name] of text.matchAll(CARRIED)) if (PROGRAM.test(name!.replaceAll('\0', ''))) return true
  return false
}
