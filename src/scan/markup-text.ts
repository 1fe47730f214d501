/**
 * The octets of XML as examiners want to search them: one octet for each character of ASCII. Parsers of documents take UTF-16
 * as well, and a search in those octets finds nothing. Sizes in octets.
 */

const LITTLE_ENDIAN = ['fffe', '3c00']
const BIG_ENDIAN = ['feff', '003c']

/** At most `octetsMax` of the input are read; what is not ASCII comes out as anything. */
export function plainMarkup(octets: Buffer, octetsMax: number): Buffer {
  const part = octets.subarray(0, octetsMax)
  const mark = part.toString('hex', 0, 2)
  if (LITTLE_ENDIAN.includes(mark)) return everySecond(part, 0)
  return BIG_ENDIAN.includes(mark) ? everySecond(part, 1) : part
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
