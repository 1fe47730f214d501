/**
 * What single parts of a zip say about the document that the zip is (OOXML, OpenDocument, Pages): that it is encrypted, that
 * it has macro sheets or fetches its template from elsewhere, that its XML expands. By name and content of one part.
 */
import type { ScanFact } from '#mail/scan.ts'
import type { ScanObject } from '../contract.ts'
import { encrypted, overLimit } from './inside.ts'

/** OpenDocument and Pages encrypt inside the zip, without its flag. */
const ODF_MANIFEST = 'META-INF/manifest.xml'
const PAGES_PASSWORD = '.iwpv2'
const OOXML_PART = /^(?:xl|word|ppt|visio|docProps|_rels|customXml)\/.*\.(?:xml|rels)$|^\[Content_Types\]\.xml$/i
const MACRO_SHEET = /^xl\/macrosheets\/[^/]+\.(?:xml|bin)$/i
const RELATIONSHIPS = /\.rels$/i
const TEMPLATE = /<[^<>]*\/attachedTemplate["'][^<>]*>/gi
const AUTO_RUN_NAME = /_xlnm\.Auto_(?:Open|Close|Activate)/i

export function* officeFacts(part: ScanObject): Generator<{ readonly fact: ScanFact }> {
  const is = (pattern: RegExp) => part.names.some((name) => pattern.test(name.replaceAll('\\', '/')))
  const { where, octets } = part
  if (part.names.includes(PAGES_PASSWORD)) yield encrypted('iwork', where)
  if (part.names.includes(ODF_MANIFEST) && octets.includes('encryption-data')) yield encrypted('opendocument', where)
  if (is(MACRO_SHEET))
    yield { fact: { kind: 'macro', dialect: 'xlm', autoRun: AUTO_RUN_NAME.test(text(octets)), where } }
  // OOXML packages (ECMA-376 part 2) allow no document type, and programs that do follow one run out of memory.
  if (is(OOXML_PART) && octets.includes('<!ENTITY'))
    yield overLimit('ratio', where, 'its XML declares entities, which expand')
  if (
    is(RELATIONSHIPS) &&
    (text(octets).match(TEMPLATE) ?? []).some((tag) => /TargetMode\s*=\s*["']External/i.test(tag))
  )
    yield { fact: { kind: 'macro', dialect: 'remote-template', autoRun: true, where } }
}

function text(octets: Buffer): string {
  return octets.toString('latin1')
}
