/**
 * Values out of the dictionaries of a PDF, by search and not by its table of objects: readers rebuild that where it is damaged.
 * Names are plain here: `#46` is `F`. ISO 32000-1 §7.3. Sizes in octets.
 */

/** Of a dictionary before a stream. */
const DICTIONARY_OCTETS_MAX = 4_096
/** Of a value that stands in an object of its own. */
const VALUE_OCTETS_MAX = 2_000
const FILTERS = /\/(?:Filter|F)\s{0,20}(\[[^\]]{0,1000}\]|\/[^\s/<>[\](){}%]{1,100}|\d{1,10}\s{1,8}\d{1,5}\s{1,8}R)/g
const REFERENCE = /^(\d{1,10})\s{1,8}(\d{1,5})\s{1,8}R$/
const LENGTH = /\/Length\s{0,8}(\d{1,10})(?:(\s{1,8}\d{1,5}\s{1,8}R))?(?![0-9])/
const HEAD = /(?:^|[^0-9])(\d{1,10})\s{1,8}(\d{1,5})\s{1,8}obj(?![a-z])/g

export interface StreamDictionary {
  readonly text: string
  /** Number and generation of the object; undefined where no head stands before it. */
  readonly object: readonly [number: number, generation: number] | undefined
}

export function dictionaryBefore(file: Buffer, at: number): StreamDictionary {
  const text = file.toString('latin1', Math.max(0, at - DICTIONARY_OCTETS_MAX), at)
  const head = [...text.matchAll(HEAD)].at(-1)
  const from = Math.max(head ? head.index + head[0].length : 0, text.lastIndexOf('endobj'), 0)
  return {
    text: withPlainNames(text.slice(from)),
    object: head && [Number(head[1]), Number(head[2])],
  }
}

/** A character of a name may be written as a number. */
export function withPlainNames(text: string): string {
  return text.replace(/#([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

/** The names of all filters, once for each time that the dictionary names them: readers take the first or the last. */
export function filterNames(file: Buffer, { text }: StreamDictionary): string[][] {
  const found = new Map<string, string[]>()
  for (const [, value = ''] of text.matchAll(FILTERS)) {
    const names = namesIn(REFERENCE.test(value) ? (valueAt(file, value) ?? '/unknown') : value)
    found.set(names.join(), names)
  }
  return [...found.values()]
}

function namesIn(value: string): string[] {
  const list = /^\s*(\[[^\]]*\]|\/[^\s/<>[\](){}%]*)/.exec(value)?.[1] ?? '/unknown'
  return [...list.matchAll(/\/([^\s/<>[\](){}%]*)/g)].map(([, name]) => name!)
}

/** Of the stream; undefined where none is given. */
export function lengthOf(file: Buffer, { text }: StreamDictionary): number | undefined {
  const [, number, reference] = LENGTH.exec(text) ?? []
  if (number === undefined) return undefined
  const value = reference === undefined ? number : valueAt(file, number + reference)
  return value !== undefined && /^\s*\d{1,10}(?!\d)/.test(value) ? Number.parseInt(value, 10) : undefined
}

/** What the object that is referred to holds: the last one of that number, since later ones replace it. */
export function valueAt(file: Buffer, reference: string): string | undefined {
  const [, number, generation] = REFERENCE.exec(reference.trim()) ?? []
  if (number === undefined) return undefined
  const head = `${number} ${generation} obj`
  for (let at = file.lastIndexOf(head, file.length, 'latin1'); at >= 0; ) {
    const before = file[at - 1] ?? 0x20
    if (before < 0x30 || before > 0x39) {
      const from = at + head.length
      return withPlainNames(file.toString('latin1', from, from + VALUE_OCTETS_MAX)).split('endobj', 1)[0]!
    }
    at = at === 0 ? -1 : file.lastIndexOf(head, at - 1, 'latin1')
  }
  return undefined
}
