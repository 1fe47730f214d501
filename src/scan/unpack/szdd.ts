/**
 * Opens what COMPRESS.EXE of old Windows packed (`name.ex_`): every Windows still has the program that unpacks it. A window of
 * 4,096 octets that begins as blanks, in which a pair of octets names a place and a length of 3 to 18.
 *
 * The format is not documented by its maker; Windows' `expand` is the measure. Sizes in octets.
 */
import type { Opened, Opener, ScanBudget, ScanObject } from '../contract.ts'
import { broken, charged, inside, overLimit } from './inside.ts'

const SIGNATURE = Buffer.from('SZDD\x88\xf0\x27\x33A', 'latin1')
const HEADER_OCTETS = 14
const WINDOW_OCTETS = 4_096
const WINDOW_BEGIN = WINDOW_OCTETS - 16
const LENGTH_MIN = 3

export const szdd: Opener = {
  container: 'szdd',
  recognises: (octets) => octets.length > HEADER_OCTETS && octets.subarray(0, SIGNATURE.length).equals(SIGNATURE),
  open: openSzdd,
}

function* openSzdd(object: ScanObject, budget: ScanBudget): Generator<Opened> {
  const told = object.octets.readUInt32LE(10)
  const octetsMax = Math.min(told, budget.octetsLeft)
  const octets = expand(object.octets.subarray(HEADER_OCTETS), octetsMax)
  const child = inside(object, namesOf(object), 'content', octets)
  if (told > budget.octetsLeft && octets.length === octetsMax) return yield overLimit('octets', child.where)
  if (octets.length < told) yield broken('szdd', child.where, 'its data are cut')
  yield charged(child, object.octets.length, budget)
}

/** The last letter of the name stands in the header: `setup.ex_` and `e`. */
function namesOf({ octets, names }: ScanObject): string[] {
  const letter = octets[9]! > 0x20 ? String.fromCharCode(octets[9]!) : ''
  return names.map((name) => name.replace(/_$/, letter))
}

function expand(data: Buffer, octetsMax: number): Buffer {
  const window = Buffer.alloc(WINDOW_OCTETS, ' ')
  // A pair of octets gives 18 at most, and its flag is an eighth of an octet.
  const out = Buffer.alloc(Math.min(octetsMax, data.length * 9))
  let [length, at, write] = [0, 0, WINDOW_BEGIN]
  const put = (octet: number) => {
    if (length < out.length) out[length++] = octet
    window[write] = octet
    write = (write + 1) % WINDOW_OCTETS
  }
  while (at < data.length && length < out.length) {
    const flags = data[at++]!
    for (let bit = 0; bit < 8 && at < data.length; bit++) {
      if (flags & (1 << bit)) put(data[at++]!)
      else {
        const [low, high = 0] = [data[at]!, data[at + 1]]
        at += 2
        const from = low | ((high & 0xf0) << 4)
        for (let index = 0; index < (high & 0x0f) + LENGTH_MIN; index++) put(window[(from + index) % WINDOW_OCTETS]!)
      }
    }
  }
  return out.subarray(0, length)
}
