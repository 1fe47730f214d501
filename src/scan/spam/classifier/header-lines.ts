/** What of the header section its writer wrote, and not a server or filter on the way. */

/** Of the header section that is looked at, in octets. */
const HEADER_OCTETS_MAX = 64 * 1024
/** A longer name is none. */
const NAME_OCTETS_MAX = 80

const NOT_OF_THE_SENDER =
  /^(?:received|return-path|delivered-to|x-original-to|x-spam.*|x-foff.*|authentication-results|arc-.*|received-spf|status|x-status|x-keywords|x-uid.*|envelope-to|x-received|x-google.*|x-gm-.*|x-vorposten.*)$/i
/** Says who the recipient is. */
const OF_THE_RECIPIENT = /^(?:to|cc|sender|errors-to)$/i

export const isOfTheSender = (name: string): boolean => !NOT_OF_THE_SENDER.test(name)

const LF = 0x0a
const CR = 0x0d
const COLON = 0x3a

/** The first `max` octets of it. */
export function octetsOfTheSender(octets: Buffer, octetsMax: number): Buffer {
  const kept: Buffer[] = []
  let left = octetsMax
  let isKept = false
  const max = Math.min(octets.length, HEADER_OCTETS_MAX)
  for (let at = 0; at < max && left > 0; ) {
    const first = octets[at]!
    if (first === LF || (first === CR && octets[at + 1] === LF)) break
    const found = octets.indexOf(LF, at)
    const next = found < 0 || found >= max ? max : found + 1
    if (first !== 0x20 && first !== 0x09) {
      const colon = octets.subarray(at, Math.min(next, at + NAME_OCTETS_MAX)).indexOf(COLON)
      const name = octets.toString('latin1', at, at + Math.max(colon, 0)).trim()
      isKept = isOfTheSender(name) && !OF_THE_RECIPIENT.test(name)
    }
    if (isKept) {
      kept.push(octets.subarray(at, Math.min(next, at + left)))
      left -= next - at
    }
    at = next
  }
  return Buffer.concat(kept)
}
