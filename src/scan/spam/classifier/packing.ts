/**
 * The features of a message as octets, to be kept and sent: for each view how many places there are, then the places in
 * ascending order, each as its distance from the last one, in groups of seven bits (the low ones first; a set eighth bit says
 * that more follow). A message of 4 KB has some 5 KB of them.
 *
 * What is not exactly that is refused: what was packed elsewhere, or damaged, teaches nothing.
 */
import { VIEWS } from './classifier.ts'
import type { MessageFeatures } from './features.ts'
import { FEATURES_MAX, type Features, featuresFrom, PLACES } from './gathering.ts'

/** Three octets for each place of each view, at most. */
export const PACKED_OCTETS_MAX = VIEWS.length * (3 * FEATURES_MAX + 3)
const GROUP = 0x80
/** Of a number below 2^21; more are no number of ours. */
const GROUPS_MAX = 3

export function packed(features: MessageFeatures): Buffer {
  const into = Buffer.allocUnsafe(PACKED_OCTETS_MAX)
  let at = 0
  const put = (number: number): void => {
    let left = number
    for (; left >= GROUP; left >>>= 7) into[at++] = (left & 0x7f) | GROUP
    into[at++] = left
  }
  for (const view of VIEWS) {
    const places = features[view].places.toSorted()
    put(places.length)
    let before = -1
    for (const place of places) {
      put(place - before - 1)
      before = place
    }
  }
  return Buffer.from(into.subarray(0, at))
}

/** Undefined: it is nothing that `packed` has made. */
export function unpacked(octets: Uint8Array): MessageFeatures | undefined {
  let at = 0
  const take = (): number => {
    let number = 0
    for (let group = 0; group < GROUPS_MAX; group++) {
      const octet = octets[at++]
      if (octet === undefined) return Number.NaN
      number |= (octet & 0x7f) << (7 * group)
      // One way to write a number: no empty last group.
      if (octet < GROUP) return octet === 0 && group > 0 ? Number.NaN : number
    }
    return Number.NaN
  }
  const views: Features[] = []
  for (let view = 0; view < VIEWS.length; view++) {
    const count = take()
    if (!(count <= FEATURES_MAX)) return undefined
    const places = new Uint32Array(count)
    let before = -1
    for (let i = 0; i < count; i++) {
      before += take() + 1
      if (!(before < PLACES)) return undefined
      places[i] = before
    }
    views.push(featuresFrom(places))
  }
  const [words, header, body] = views
  return at === octets.length ? { words: words!, header: header!, body: body! } : undefined
}
