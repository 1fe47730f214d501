/**
 * Files by their names and their content: what each one is, for the policy of types and names, and names that are made to
 * deceive a person.
 *
 * | symbol | means |
 * |---|---|
 * | `double-extension` | `invoice.pdf.exe`: a document's end before a program's |
 * | `disguised-program` | its name says document, picture or text, its content is a program |
 * | `right-to-left-name` | a character turns the direction of the name, so that its end is not read as its end |
 * | `blanks-before-extension` | many blanks push the end of the name out of sight |
 */
import type { FileClass, ScanFact } from '#mail/scan.ts'
import type { Examiner, ScanObject } from '../contract.ts'
import { fileKind } from '../file-class.ts'

/** Of a body without a name nobody needs to hear, unless it is one of these. */
const TOLD_WITHOUT_NAME: readonly FileClass[] = ['executable', 'shortcut', 'script', 'disk-image']

const DOCUMENT = 'pdf|docx?|xlsx?|pptx?|rtf|odt|ods|txt|csv|jpe?g|png|gif|bmp|tiff?|mp[34]|avi|html?|eml|zip|rar|7z'
const PROGRAM = 'exe|scr|pif|com|bat|cmd|vb[es]?|js|jse|wsf|wsh|wsc|sct|hta|lnk|cpl|jar|msi|ps1|reg|url|chm|xll'
const DOUBLE = new RegExp(`\\.(?:${DOCUMENT})[\\s._-]*\\.(?:${PROGRAM})[.\\s]*$`, 'i')
const HARMLESS_END = new RegExp(`\\.(?:${DOCUMENT})[.\\s]*$`, 'i')
/** A person sees some 40 characters of a name. */
const HIDING_BLANKS = /[\s\u00a0\u2000-\u200b]{10,}\.?[^.\s]{1,10}[.\s]*$/
const TURNS = /[\u202a-\u202e\u2066-\u2069]/

/** Cut into pieces without a mark of their own: only the name tells. */
const PIECE = /\.(?:(?:7z|zip|rar|tar|gz|tgz|xz|bz2|iso|exe)\.\d{3}|z\d{2})$/i

export const files: Examiner = {
  name: 'files',
  *examine({ octets, names, where, declaredType }: ScanObject) {
    const kind = fileKind(octets)
    if (names.length > 0 || TOLD_WITHOUT_NAME.includes(kind.class)) {
      yield { kind: 'file', names, type: declaredType ?? kind.type, class: kind.class, where }
    }
    if (names.some((name) => PIECE.test(name)))
      yield { kind: 'broken', container: 'split', where, text: 'by its name it is one of several pieces' }
    for (const name of names) yield* namesThatDeceive(name, kind.class, where)
  },
}

function* namesThatDeceive(name: string, kind: FileClass, where: string): Iterable<ScanFact> {
  const suspicious = (symbol: string, text: string): ScanFact => ({ kind: 'suspicious', symbol, where, text })
  if (DOUBLE.test(name)) yield suspicious('double-extension', `${name} ends like a document and then like a program`)
  if ((kind === 'executable' || kind === 'shortcut') && HARMLESS_END.test(name))
    yield suspicious('disguised-program', `${name} is a program`)
  if (TURNS.test(name)) yield suspicious('right-to-left-name', 'its name is not read as it is written')
  if (HIDING_BLANKS.test(name)) yield suspicious('blanks-before-extension', 'blanks hide the end of its name')
}
