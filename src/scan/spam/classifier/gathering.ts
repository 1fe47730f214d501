/**
 * Gathers the features of a message, each once. A feature is a place: the upper bits of a hash, so that what a message has
 * is a short list of numbers that can be kept, and learned again later.
 *
 * Only one list is gathered at a time: the marks of what was seen are shared, and taken back at the end.
 */
import { mix } from './words.ts'

/** 2^20 places: of two features of a message hardly ever two share one, and a list of places still packs well. */
export const PLACE_BITS = 20
export const PLACES = 2 ** PLACE_BITS
const SHIFT = 32 - PLACE_BITS
/** Of one view. */
export const FEATURES_MAX = 8_000

/** What is seen of a message in one view. */
export interface Features {
  /** Below `PLACES`, without doubles. */
  readonly places: Uint32Array
  /** What each counts: all together as long as 1. */
  readonly scale: number
}

export const featuresFrom = (places: Uint32Array): Features => ({
  places,
  scale: places.length === 0 ? 0 : 1 / Math.sqrt(places.length),
})

/** A bit for each place: 128 KiB, which stay in a processor's second cache. */
const seen = new Uint32Array(PLACES / 32)
const list = new Uint32Array(FEATURES_MAX)

export class Gathering {
  #count = 0

  /** One feature of a kind. */
  add(kind: number, hash: number): void {
    this.#put(placeOf(kind, hash))
  }

  /** Words in their places, and with `pairs` two of them at a distance (orthogonal sparse bigrams). */
  words(kind: number, words: readonly number[], pairs: boolean): void {
    for (let i = 0; i < words.length; i++) {
      const word = words[i]!
      this.add(kind, word)
      if (!pairs) continue
      for (let k = 1; k <= WINDOW && k <= i; k++) this.#put(pairPlace(kind + k, words[i - k]!, word))
    }
  }

  /** Four octets in a row, of a stretch of octets. */
  grams(octets: Uint8Array, from: number, to: number): void {
    let four = 0
    for (let i = from; i < to; i++) {
      four = (four << 8) | octets[i]!
      if (i - from >= GRAM - 1) this.#put(spread(four))
    }
  }

  /** And is empty again. */
  end(): Features {
    const places = list.slice(0, this.#count)
    for (const place of places) seen[place >>> 5] = 0
    this.#count = 0
    return featuresFrom(places)
  }

  #put(place: number): void {
    const bit = 1 << (place & 31)
    const at = place >>> 5
    if ((seen[at]! & bit) !== 0 || this.#count === FEATURES_MAX) return
    seen[at]! |= bit
    list[this.#count++] = place
  }
}

/** Words between the two of a pair, at most. */
const WINDOW = 4
const GRAM = 4

export const placeOf = (kind: number, hash: number): number => mix(kind, hash) >>> SHIFT

const pairPlace = (kind: number, first: number, second: number): number =>
  spread(Math.imul(first ^ kind, 0x85ebca6b) ^ second)

function spread(x: number): number {
  const h = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d)
  return Math.imul(h ^ (h >>> 13), 0x9e3779b1) >>> SHIFT
}
