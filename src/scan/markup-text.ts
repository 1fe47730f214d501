/**
 * The octets of XML as examiners want to search them: one octet for each character of ASCII. Parsers of documents take UTF-16
 * as well, and a search in those octets finds nothing. Sizes in octets.
 */

/** First two octets, the mark of the byte order and `<`, by where the octet of ASCII stands; and how many to leave out. */
const UTF_16: Readonly<Record<string, readonly [from: number, skip: number]>> = {
  fffe: [0, 2],
  '3c00': [0, 0],
  feff: [1, 2],
  '003c': [1, 0],
}

const HEAD_OCTETS = 512
const MARKUP = /^(?:\xef\xbb\xbf)?\s*</

/** XML begins with `<`, but for blanks: what does not is not searched for it. */
export function isMarkup(octets: Buffer): boolean {
  return MARKUP.test(plainMarkup(octets, HEAD_OCTETS).toString('latin1'))
}

/** At most `octetsMax` of the input are read; what is not ASCII comes out as anything. */
export function plainMarkup(octets: Buffer, octetsMax: number): Buffer {
  const part = octets.subarray(0, octetsMax)
  const wide = UTF_16[part.toString('hex', 0, 2)]
  return wide === undefined ? part : everySecond(part.subarray(wide[1]), wide[0])
}

/** OpenDocument, or what it was before, by the names of its vocabularies; one search for those who look for much of it. */
export function isOpenDocument(markup: Buffer): boolean {
  return markup.includes(':oasis:names:tc:opendocument') || markup.includes('openoffice.org')
}

/** Characters may be written by their numbers: `&#x44;DE`. */
export function withoutReferences(markup: string): string {
  return markup
    .replace(/&#(?:x([0-9a-f]{1,6})|([0-9]{1,7}));/gi, (_, hex?: string, decimal?: string) =>
      String.fromCharCode(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)),
    )
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
}

function everySecond(octets: Buffer, from: number): Buffer {
  const plain = Buffer.alloc(octets.length >> 1)
  for (let at = 0; at < plain.length; at++) plain[at] = octets[2 * at + from]!
  return plain
}
