/**
 * A tag-list (RFC 6376 §3.2), as DKIM and ARC fields and key records have it: `a=1; b=2`. Names as they are written, values
 * without the white space around them. Linear in the text, which the caller bounds.
 */

export type Tags = ReadonlyMap<string, string>

/** `text`: unfolded or not. Undefined: it is no tag-list, or a tag stands twice, which makes all of it void. */
export function readTags(text: string): Tags | undefined {
  const tags = new Map<string, string>()
  const parts = text.split(';')
  if (isBlank(parts.at(-1)!)) parts.pop()
  for (const part of parts) {
    const equals = part.indexOf('=')
    if (equals < 0) return undefined
    const name = trimmed(part.slice(0, equals))
    if (!/^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(name) || tags.has(name)) return undefined
    const value = trimmed(part.slice(equals + 1))
    // tval: printable ASCII and white space inside.
    if (/[^\t\n\r\x20-\x7e]/.test(value)) return undefined
    tags.set(name, value)
  }
  return tags
}

/** Without any white space: Base64, lists. */
export const compact = (value: string): string => value.replace(/[ \t\r\n]+/g, '')

const isBlank = (text: string): boolean => trimmed(text) === ''

// Only the white space of mail: String.trim takes more.
function trimmed(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isSpace(text.charCodeAt(start))) start++
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

const isSpace = (c: number): boolean => c === 0x20 || c === 0x09 || c === 0x0d || c === 0x0a
