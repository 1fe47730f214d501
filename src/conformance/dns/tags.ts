/** Records made of `tag=value;` (DMARC, MTA-STS, TLS-RPT). What is no such list comes back as undefined, never as an exception. */

/** Longer records are not read. */
export const RECORD_CHARACTERS_MAX = 4096

/** In order, names in lower case; undefined: no list, or a tag stands twice. */
export function readTagList(text: string): ReadonlyMap<string, string> | undefined {
  if (text.length > RECORD_CHARACTERS_MAX) return undefined
  const tags = new Map<string, string>()
  const parts = text.split(';')
  if (parts.at(-1)!.trim() === '') parts.pop()
  for (const part of parts) {
    const [, name, value] = /^\s*([A-Za-z][\w-]{0,31})\s*=\s*(.*?)\s*$/s.exec(part) ?? []
    if (name === undefined || value === undefined || tags.has(name.toLowerCase())) return undefined
    tags.set(name.toLowerCase(), value)
  }
  return tags
}
