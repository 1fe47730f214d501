/**
 * Undoes what a PDF does to the octets of a stream before it packs them: each is written as the difference to one that stands
 * beside or above it. Pictures and tables are left as they are, for nobody searches in them. ISO 32000-1 §7.4.4.4, with the
 * filters of PNG (ISO 15948 §9). Sizes in octets.
 */

const PNG_FIRST = 10
const TIFF = 2
const ROW_OCTETS_MAX = 1024 * 1024
const UNTOUCHED = /\/Subtype\s{0,8}\/Image(?![A-Za-z])|\/Type\s{0,8}\/XRef(?![A-Za-z])/

export function unpredicted(octets: Buffer, dictionary: string): Buffer {
  const predictor = numberOf(dictionary, 'Predictor') ?? 1
  if (predictor === 1 || UNTOUCHED.test(dictionary)) return octets
  const bits = (numberOf(dictionary, 'Colors') ?? 1) * (numberOf(dictionary, 'BitsPerComponent') ?? 8)
  const row = Math.ceil(((numberOf(dictionary, 'Columns') ?? 1) * bits) / 8)
  const step = Math.max(1, bits >> 3)
  if (row < 1 || row > ROW_OCTETS_MAX) return octets
  if (predictor >= PNG_FIRST) return withoutPng(octets, row, step)
  return predictor === TIFF ? withoutTiff(octets, row, step) : octets
}

function numberOf(dictionary: string, name: string): number | undefined {
  const found = new RegExp(`/${name}\\s{0,8}(\\d{1,6})(?![0-9])`).exec(dictionary)
  return found ? Number(found[1]) : undefined
}

function withoutTiff(octets: Buffer, row: number, step: number): Buffer {
  const out = Buffer.from(octets)
  for (let at = 0; at < out.length; at++) if (at % row >= step) out[at] = out[at]! + out[at - step]!
  return out
}

/** Each row begins with the number of its filter. */
function withoutPng(octets: Buffer, row: number, step: number): Buffer {
  const rows = Math.ceil(octets.length / (row + 1))
  const out = Buffer.alloc(rows * row)
  let length = 0
  for (let index = 0; index < rows; index++) {
    const from = index * (row + 1)
    const filter = octets[from]!
    const data = octets.subarray(from + 1, from + 1 + row)
    for (const [column, octet] of data.entries()) {
      const left = column >= step ? out[length + column - step]! : 0
      const up = index > 0 ? out[length + column - row]! : 0
      const corner = index > 0 && column >= step ? out[length + column - row - step]! : 0
      out[length + column] = octet + predicted(filter, left, up, corner)
    }
    length += data.length
  }
  return out.subarray(0, length)
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  switch (filter) {
    case 1:
      return left
    case 2:
      return up
    case 3:
      return (left + up) >> 1
    case 4:
      return paeth(left, up, corner)
    default:
      return 0
  }
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner
  const [toLeft, toUp, toCorner] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)]
  if (toLeft <= toUp && toLeft <= toCorner) return left
  return toUp <= toCorner ? up : corner
}
