/**
 * What a file in a message may be called when it is saved: the name as it stands, with encoded words undone (RFC 2047,
 * not allowed in parameters and used everywhere), as UTF-8, without its folder, without what file systems drop at its end,
 * and up to a NUL, where C programs stop. A policy about names looks at all of them.
 */
import { fieldText } from '../decoded-text.ts'

/** Names of one part, over all readings. */
export const NAMES_MAX = 24
/** Of one name, in characters; longer ones keep both ends: the extension counts. */
export const NAME_LENGTH_MAX = 255

export function nameReadings(values: readonly string[]): string[] {
  const found = new Set<string>()
  for (const value of values) {
    for (const text of new Set([fieldText(value), asUtf8(value)])) {
      const file = text.slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\')) + 1)
      const toNul = file.split('\0', 1)[0]!
      for (const name of [text, file, toNul]) add(found, name)
    }
  }
  return [...found]
}

function add(found: Set<string>, name: string): void {
  // Windows drops blanks and dots at the end, and keeps no control characters.
  const saved = name
    .replace(/[\x00-\x1f\x7f]+/g, '')
    .replace(/[. \t]+$/, '')
    .trimStart()
  for (const one of [name.replaceAll('\0', '').trim(), saved]) {
    if (one !== '' && found.size < NAMES_MAX) found.add(shortened(one))
  }
}

const HALF = (NAME_LENGTH_MAX - 1) / 2
const shortened = (name: string): string =>
  name.length <= NAME_LENGTH_MAX ? name : `${name.slice(0, HALF)}…${name.slice(-HALF)}`

const asUtf8 = (value: string): string => Buffer.from(value, 'latin1').toString('utf8')
