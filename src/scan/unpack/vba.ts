/**
 * The text of Office macros: module streams of a VBA project hold it compressed, behind code that was compiled from it.
 * Programs that compiled code of another version compile the text again, so the text is what runs nearly everywhere.
 *
 * The format: [MS-OVBA] §2.4.1 (compression). A damaged chunk ends the text, with what was read.
 */

/** Of one module, in octets. The editor of Office allows 64 KB for each procedure. */
const TEXT_OCTETS_MAX = 8 * 1024 * 1024
const CHUNK_OCTETS = 4_096
/** The first line of each module is `Attribute VB_Name`; its first token of eight literals looks like this. */
const FIRST_LITERALS = Buffer.from('\0Attribut', 'latin1')
/** Signature of the container, and the header of its first chunk, before the literals. */
const BEFORE_LITERALS = 3

const AUTO_RUN =
  /\b(?:auto_?(?:open|close|exec|exit|new|activate)|(?:document|workbook|presentation|slideshow|project|app)_(?:before)?(?:open|close|new|activate|beforeclose|sheetactivate|load)|onslideshowpagechange|\w+_(?:layout|painting|gotfocus|mousemove|mousehover|bitmapready|documentcomplete|navigatecomplete2?|resize|click|change))\b/i

/** Undefined: no module begins in these octets. */
export function moduleText(stream: Buffer): Buffer | undefined {
  const literals = stream.indexOf(FIRST_LITERALS)
  const start = literals - BEFORE_LITERALS
  if (start < 0 || stream[start] !== 1) return undefined
  return decompress(stream.subarray(start + 1))
}

/** It begins without being called: at an event of the document or of something that stands in it. */
export function isAutoRun(text: Buffer): boolean {
  return AUTO_RUN.test(text.toString('latin1'))
}

function decompress(chunks: Buffer): Buffer {
  const parts: Buffer[] = []
  let total = 0
  for (let at = 0; at + 2 <= chunks.length && total < TEXT_OCTETS_MAX; ) {
    const header = chunks.readUInt16LE(at)
    // §2.4.1.1.5: three bits are always 011.
    if (((header >> 12) & 7) !== 3) break
    const end = at + (header & 0xfff) + 3
    const body = chunks.subarray(at + 2, end)
    const part = header & 0x8000 ? decompressChunk(body) : body.subarray(0, CHUNK_OCTETS)
    parts.push(part)
    total += part.length
    at = end
  }
  return Buffer.concat(parts)
}

function decompressChunk(body: Buffer): Buffer {
  const out = Buffer.alloc(CHUNK_OCTETS)
  let length = 0
  for (let at = 0; at < body.length; ) {
    const flags = body[at++]!
    for (let bit = 0; bit < 8 && at < body.length && length < CHUNK_OCTETS; bit++) {
      if (!(flags & (1 << bit))) out[length++] = body[at++]!
      else {
        if (at + 2 > body.length) return out.subarray(0, length)
        const copied = copyToken(out, length, body.readUInt16LE(at))
        if (copied === undefined) return out.subarray(0, length)
        length = copied
        at += 2
      }
    }
  }
  return out.subarray(0, length)
}

// §2.4.1.3.19: how many bits are the distance depends on how much there is to go back to.
function copyToken(out: Buffer, length: number, token: number): number | undefined {
  const distanceBits = Math.max(4, Math.ceil(Math.log2(length)))
  const lengthBits = 16 - distanceBits
  const from = length - (token >> lengthBits) - 1
  if (from < 0) return undefined
  const end = Math.min(CHUNK_OCTETS, length + (token & ((1 << lengthBits) - 1)) + 3)
  for (let at = length; at < end; at++) out[at] = out[at - length + from]!
  return end
}
