/**
 * Office documents in XML, by what a part says, wherever it stands: in a zip (OOXML, OpenDocument) under any name, or in one
 * file of XML (flat OPC, flat OpenDocument). Programs follow relationships and not names of parts, so names are not asked.
 *
 * | what | fact |
 * |---|---|
 * | a template, frame or part of the document that stands elsewhere | macro, `remote-template` |
 * | an object that is fetched from elsewhere when the document is opened | macro, `ole-link` |
 * | such a target that runs something (`mhtml:`, `script:`, `ms-msdt:`, `.hta`) | suspicious, `link-to-script` |
 * | sheets of Excel 4.0 macros; a name that starts them | macro, `xlm` |
 * | a module of Basic, a script file, an event at opening, in OpenDocument | macro, `open-document` |
 *
 * Ordinary links between workbooks, pictures on the web and hyperlinks are none of these. Looks at the first
 * TEXT_OCTETS_MAX of each object. ECMA-376 part 2 §9.3 (relationships), OpenDocument 1.3 part 3 §14.4 (events).
 */
import type { MacroDialect, ScanFact } from '#mail/scan.ts'
import type { Examiner, ScanObject } from '../contract.ts'
import { isMarkup, isOpenDocument, plainMarkup, withoutReferences } from '../markup-text.ts'

const TEXT_OCTETS_MAX = 16 * 1024 * 1024
/** Of one tag with its attributes. */
const RELATIONSHIP = /<(?:\w{1,20}:)?Relationship\s[^<>]{0,8000}>/g
const EXTERNAL = /\bTargetMode\s?=\s?["']External["']/i
const TYPE = /\bType\s?=\s?["'][^"']{0,300}\/([A-Za-z]{1,40})["']/
const TARGET = /\bTarget\s?=\s?["']([^"']{0,4000})["']/
/** Types of relationships (their last step): what is fetched becomes part of the document. */
const FETCHED = new Set(['attachedTemplate', 'frame', 'subDocument', 'aFChunk'])
const RUNS =
  /^(?:mhtml|script|javascript|vbscript|ms-[a-z-]{1,30}|search-ms|res|its|mk):|!x-usc:|\.(?:hta|sct|wsc)(?:$|[?#])/i

const MACRO_SHEET = /\/relationships\/xl(?:Intl)?Macrosheet["']/i
const MACRO_SHEET_ROOT = /<(?:\w{1,20}:)?macrosheet[\s>]/
const AUTO_RUN_NAME =
  /<(?:\w{1,20}:)?definedName\s[^<>]{0,500}\bname\s?=\s?["'](?:_xlnm\.)?Auto_(?:Open|Close|Activate|Deactivate)/i
/** [MS-XLSB] §2.4.21: the workbook of BIFF12 begins so. */
const BINARY_WORKBOOK = [0x83, 0x01]
const AUTO_RUN_NAME_BINARY = Buffer.from('_xlnm.Auto_', 'utf16le')

const BASIC_MODULE = /<script:module\s[^<>]{0,2000}>\s{0,1000}[^<\s]|<ooo:source-code>\s{0,1000}[^<\s]/
const SCRIPT_FILE = /^Scripts\/(?:python|javascript|beanshell|java)\/./i
const LISTENER = /<(?:script:event-listener|script:event|form:event)\s[^<>]{0,8000}>/g
const RUNS_SCRIPT = /vnd\.sun\.star\.script:|macro:/
/** Events that happen without a click. LibreOffice writes them by either name. */
const AT_OPENING =
  /event-name\s?=\s?["'](?:dom:load|dom:unload|office:[a-z-]{1,40}|OnLoad|OnNew|OnFocus|OnUnfocus|OnViewCreated|OnLoadFinished|OnUnload|OnPrepareUnload|OnLayoutFinished|OnTitleChanged)["']/

export const officeXml: Examiner = {
  name: 'office-xml',
  *examine(object) {
    const isScript = object.octets.length > 0 && object.names.some((name) => SCRIPT_FILE.test(name))
    if (isScript) yield macro(object, 'open-document', false)
    if (isBinaryWorkbook(object) && object.octets.includes(AUTO_RUN_NAME_BINARY)) yield macro(object, 'xlm', true)
    if (!isMarkup(object.octets)) return
    const octets = plainMarkup(object.octets, TEXT_OCTETS_MAX)
    if (octets.includes('TargetMode')) yield* relationships(object, text(octets))
    yield* excelMacros(object, octets)
    if (isOpenDocument(octets)) yield* openDocument(object, octets)
  },
}

function isBinaryWorkbook({ octets }: ScanObject): boolean {
  return octets[0] === BINARY_WORKBOOK[0] && octets[1] === BINARY_WORKBOOK[1]
}

function text(octets: Buffer): string {
  return octets.toString('latin1')
}

function macro({ where }: ScanObject, dialect: MacroDialect, autoRun: boolean): ScanFact {
  return { kind: 'macro', dialect, autoRun, where }
}

function* relationships(object: ScanObject, xml: string): Generator<ScanFact> {
  const found = new Set<MacroDialect>()
  let runs = false
  for (const [written] of xml.matchAll(RELATIONSHIP)) {
    const tag = withoutReferences(written)
    if (!EXTERNAL.test(tag)) continue
    const type = TYPE.exec(tag)?.[1] ?? ''
    if (FETCHED.has(type)) found.add('remote-template')
    if (type === 'oleObject') found.add('ole-link')
    // A person must click a hyperlink, and sees where it leads.
    if (type !== 'hyperlink' && RUNS.test(TARGET.exec(tag)?.[1] ?? '')) runs = true
  }
  for (const dialect of found) yield macro(object, dialect, true)
  if (runs)
    yield {
      kind: 'suspicious',
      symbol: 'link-to-script',
      where: object.where,
      text: 'a part of it is fetched from an address that runs a script',
    }
}

function* excelMacros(object: ScanObject, octets: Buffer): Generator<ScanFact> {
  const hasSheet =
    octets.includes('acrosheet') && (MACRO_SHEET.test(text(octets)) || MACRO_SHEET_ROOT.test(text(octets)))
  if (hasSheet) yield macro(object, 'xlm', false)
  if (octets.includes('Auto_') && AUTO_RUN_NAME.test(text(octets))) yield macro(object, 'xlm', true)
}

function* openDocument(object: ScanObject, octets: Buffer): Generator<ScanFact> {
  const hasModule = BASIC_MODULE.test(text(octets))
  if (hasModule) yield macro(object, 'open-document', false)
  if (!octets.includes('event-name')) return
  for (const [tag] of text(octets).matchAll(LISTENER))
    if (RUNS_SCRIPT.test(tag) && AT_OPENING.test(tag)) return yield macro(object, 'open-document', true)
}
