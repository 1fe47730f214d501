/**
 * Programs in text that fetch or write another one and start it: scripts, macros, command lines of shortcuts, and pages that
 * put a file together in the browser.
 *
 * | symbol | means |
 * |---|---|
 * | `script-dropper` | a script that runs something, and fetches, writes or unpacks something too |
 * | `macro-dropper` | VBA that does so, or that starts by itself and runs something |
 * | `encoded-powershell` | a command line for PowerShell in Base64 |
 * | `shortcut-command` | a shortcut to a shell or to a program that runs what it is given |
 * | `html-smuggling` | a page that makes a file of a long text in its script and has it saved |
 *
 * A message that only quotes code is none: scripts count by their names or by marks of their own, and two kinds of words
 * must meet. Looks at the first TEXT_OCTETS_MAX of each object.
 */
import type { ScanFact } from '#mail/scan.ts'
import type { Examiner, ScanObject } from '../contract.ts'
import { fileKind } from '../file-class.ts'
import { isAutoRun } from '../unpack/vba.ts'

const TEXT_OCTETS_MAX = 4 * 1024 * 1024
const SHORTCUT_OCTETS_MAX = 64 * 1024
/** Of a text in Base64 that a page carries: pictures in scripts are shorter, or are not saved. */
const LONG_TEXT_CHARACTERS = 1_000

const SCRIPT_NAME = /\.(?:jse?|vb[es]|ps[dm]?1|hta|ws[fhc]|sct|bat|cmd)[.\s]*$/i
const SCRIPT_CONTENT = /<hta:application|<script[^<>]{0,100}vbscript|<job[\s>]|<scriptlet|<package>\s{0,20}<job/i
const RUNS =
  /wscript\.shell|shell\.application|shellexecute|\bwinexec|\bshell\s?\(|\bshell\s"|win32_process|start-process|invoke-expression|\biex\b|\bshellbrowserwindow/i
const FETCHES =
  /urldownloadtofile|xmlhttp|winhttp|adodb\.stream|downloadfile|downloadstring|downloaddata|invoke-webrequest|start-bitstransfer|bitsadmin|certutil|frombase64string|powershell|mshta|regsvr32|\.savetofile|scripting\.filesystemobject/i
const ENCODED = /powershell(?:\.exe)?["']?[^\r\n]{0,200}\s[-/]e[a-z]{0,14}\s{1,8}["']?[a-z0-9+/]{60}/i
const SHELLS =
  /powershell|pwsh|cmd(?:\.exe)?["']?\s{1,8}\/[a-z]|mshta|rundll32|regsvr32|wscript|cscript|bitsadmin|certutil|msiexec|curl\.exe/i
const MAKES_FILE = /new\s{1,8}(?:blob|file)\s?\(|mssaveblob|mssaveoropenblob/i
const DECODES = /\batob\b|uint8array|fromcharcode|charcodeat/i
const SAVES = /mssaveblob|mssaveoropenblob|\.download\b|["']download["']|\sdownload\s?=/i

export const droppers: Examiner = {
  name: 'droppers',
  *examine(object) {
    const kind = fileKind(object.octets).class
    const suspicious = (symbol: string, text: string): ScanFact => ({
      kind: 'suspicious',
      symbol,
      where: object.where,
      text,
    })
    if (kind === 'shortcut') {
      if (SHELLS.test(plain(object.octets, SHORTCUT_OCTETS_MAX)))
        yield suspicious('shortcut-command', 'it starts a shell or a program that runs what it is given')
      return
    }
    const isScript = kind === 'script' || object.names.some((name) => SCRIPT_NAME.test(name))
    if (!isScript && kind !== 'text' && kind !== 'html') return
    if (!isScript && isPart(object) && !object.octets.includes('<script')) return
    const text = isScript ? plain(object.octets, TEXT_OCTETS_MAX) : object.octets.toString('latin1', 0, TEXT_OCTETS_MAX)
    if (isMacro(object)) {
      if (RUNS.test(text) && (FETCHES.test(text) || isAutoRun(object.octets)))
        yield suspicious('macro-dropper', 'its macro runs what it fetches or writes, or runs something by itself')
    } else if ((isScript || SCRIPT_CONTENT.test(text)) && RUNS.test(text) && FETCHES.test(text))
      yield suspicious('script-dropper', 'it runs what it fetches, writes or unpacks')
    if ((isScript || isMacro(object)) && ENCODED.test(text))
      yield suspicious('encoded-powershell', 'a command line for PowerShell is encoded')
    if (/<script/i.test(text) && smuggles(text))
      yield suspicious('html-smuggling', 'its script makes a file of a long text and has it saved')
  },
}

/** Scripts and shortcuts may have two octets for each character. */
function plain(octets: Buffer, octetsMax: number): string {
  return octets.toString('latin1', 0, octetsMax).replaceAll('\0', '')
}

/** Parts of documents: their names run nothing, and a browser that shows them knows scripts by lower case only. */
function isPart({ names }: ScanObject): boolean {
  return names.length > 0 && names.every((name) => /\.(?:xml|rels|vml)$/i.test(name))
}

/** Each module of VBA begins so ([MS-OVBA] §2.3.4.3); the opener gives it as a text of its own. */
function isMacro({ octets }: ScanObject): boolean {
  return octets.toString('latin1', 0, 17) === 'Attribute VB_Name'
}

function smuggles(text: string): boolean {
  return MAKES_FILE.test(text) && DECODES.test(text) && SAVES.test(text) && hasLongText(text)
}

function hasLongText(text: string): boolean {
  let run = 0
  for (let at = 0; at < text.length; at++) {
    run = isBase64(text.charCodeAt(at)) ? run + 1 : 0
    if (run >= LONG_TEXT_CHARACTERS) return true
  }
  return false
}

function isBase64(code: number): boolean {
  const isLetter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a
  return isLetter || (code >= 0x2f && code <= 0x39) || code === 0x2b || code === 0x3d
}
