/**
 * The body of Outlook's messages: RTF, compressed in a way of its own. Objects stand in it like in any RTF. Damage ends the
 * text, with what was read; the checksum is not asked, since no program does.
 *
 * The format: [MS-OXRTFCP] §2.1.3. Sizes in octets.
 */

const HEADER_OCTETS = 16
const COMPRESSED = 0x75465a4c
const STORED = 0x414c454d
const DICTIONARY_OCTETS = 4_096
/** What the dictionary holds before the first octet (§2.1.2.1). */
const BEGINNING = Buffer.from(
  '{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx',
  'latin1',
)

/** Undefined: it is none. Never more than `octetsMax`, and never more than the text could be: 17 octets of two. */
export function compressedRtf(stream: Buffer, octetsMax: number): Buffer | undefined {
  if (stream.length < HEADER_OCTETS) return undefined
  const kind = stream.readUInt32LE(8)
  const data = stream.subarray(HEADER_OCTETS)
  if (kind === STORED) return data.subarray(0, octetsMax)
  return kind === COMPRESSED ? decompress(data, Math.min(octetsMax, data.length * 9)) : undefined
}

function decompress(data: Buffer, octetsMax: number): Buffer {
  const dictionary = Buffer.alloc(DICTIONARY_OCTETS)
  BEGINNING.copy(dictionary)
  const out = Buffer.alloc(octetsMax)
  let [length, write, at] = [0, BEGINNING.length, 0]
  const put = (octet: number) => {
    if (length < octetsMax) out[length++] = octet
    dictionary[write] = octet
    write = (write + 1) % DICTIONARY_OCTETS
  }
  while (at < data.length && length < octetsMax) {
    const flags = data[at++]!
    for (let bit = 0; bit < 8 && at < data.length; bit++) {
      if (!(flags & (1 << bit))) put(data[at++]!)
      else {
        if (at + 2 > data.length) return out.subarray(0, length)
        const token = data.readUInt16BE(at)
        at += 2
        const from = token >> 4
        // A reference to the place of writing is the end.
        if (from === write) return out.subarray(0, length)
        for (let index = 0; index < (token & 0xf) + 2; index++) put(dictionary[(from + index) % DICTIONARY_OCTETS]!)
      }
    }
  }
  return out.subarray(0, length)
}
