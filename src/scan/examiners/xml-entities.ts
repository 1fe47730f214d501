/**
 * XML that expands: entities that name each other, or one long entity that is named again and again. A few hundred octets of
 * it fill the memory of the program that reads the document; here nothing is expanded, only counted. Any file that declares
 * entities is asked; those of pages (`&nbsp;`) are declared elsewhere and cost nothing.
 *
 * Says `over-limit`, ratio, where the text grows by more than GROWTH_OCTETS_MAX, or where an entity contains itself.
 * XML 1.0 §4.4 (replacement). Looks at the first TEXT_OCTETS_MAX.
 */
import type { ScanFact } from '#mail/scan.ts'
import type { Examiner } from '../contract.ts'
import { isMarkup, plainMarkup } from '../markup-text.ts'

const TEXT_OCTETS_MAX = 16 * 1024 * 1024
/** Parsers of today stop somewhere between 1 and 100 MB; documents of people declare a few short names. */
const GROWTH_OCTETS_MAX = 8 * 1024 * 1024
/** More declarations than any schema has. */
const DECLARATIONS_MAX = 10_000
const DECLARATION = /<!ENTITY\s+(?:%\s+)?([^\s"'<>%&;]{1,200})\s+(?:"([^"]*)"|'([^']*)')/g
const REFERENCE = /[&%]([^\s"'<>%&;#]{1,200});/g

export const xmlEntities: Examiner = {
  name: 'xml-entities',
  *examine({ octets, where }): Generator<ScanFact> {
    if (!isMarkup(octets)) return
    const markup = plainMarkup(octets, TEXT_OCTETS_MAX)
    if (!markup.includes('ENTITY')) return
    const growth = growthOf(markup.toString('latin1'))
    if (growth <= GROWTH_OCTETS_MAX) return
    yield { kind: 'over-limit', limit: 'ratio', where, text: 'its XML declares entities that expand without end' }
  },
}

function growthOf(text: string): number {
  const values = new Map<string, string>()
  let count = 0
  for (const [, name, double, single] of text.matchAll(DECLARATION)) {
    if (++count > DECLARATIONS_MAX) return Number.POSITIVE_INFINITY
    // The first declaration of a name counts (§4.2).
    if (!values.has(name!)) values.set(name!, double ?? single ?? '')
  }
  return expanded(text.replace(DECLARATION, ''), values, new Map(), 0)
}

/** Octets that the references in `text` become. An entity that is being measured already contains itself. */
function expanded(
  text: string,
  values: ReadonlyMap<string, string>,
  sizes: Map<string, number>,
  depth: number,
): number {
  let total = 0
  for (const [, name] of text.matchAll(REFERENCE)) {
    const value = values.get(name!)
    if (value === undefined) continue
    let size = sizes.get(name!)
    if (size === undefined) {
      sizes.set(name!, Number.POSITIVE_INFINITY)
      // As deep as the stack of a parser, and no deeper than ours.
      size = depth > 500 ? Number.POSITIVE_INFINITY : value.length + expanded(value, values, sizes, depth + 1)
      sizes.set(name!, size)
    }
    total += size
    if (total > GROWTH_OCTETS_MAX) return Number.POSITIVE_INFINITY
  }
  return total
}
