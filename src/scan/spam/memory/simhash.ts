/**
 * The fingerprint of a text: 64 bits, of which texts that are nearly the same have nearly all in common (simhash). Made of
 * the words that a person sees and of pairs of neighbours, so a name, a number or a line that differs changes a few bits.
 */
import { mix, plainText, wordsOf } from '../classifier/words.ts'
import type { SpamMessage } from '../message.ts'

/** The upper and the lower 32 bits. */
export type Fingerprint = readonly [high: number, low: number]

/** Of a shorter text ("Thank you, see you on Monday") nothing can be said: many people write the same. */
export const WORDS_MIN = 20
/** A text is recognised by its beginning. */
export const WORDS_MAX = 300
/** Of each text that is looked at: so many words are rarely longer. */
const TEXT_CHARACTERS_MAX = 4_000

const HIGH = 0x53484947
const LOW = 0x534c4f57

export function fingerprintOf({ texts }: SpamMessage): Fingerprint | undefined {
  // What is shown is the HTML, where there is one; the other part is often padded for filters.
  const shown = texts.filter(({ kind }) => kind === 'html')
  const words = (shown.length > 0 ? shown : texts).flatMap(({ text }) =>
    wordsOf(plainText(text.slice(0, TEXT_CHARACTERS_MAX)).text, WORDS_MAX),
  )
  return words.length < WORDS_MIN ? undefined : simhash(words.slice(0, WORDS_MAX))
}

export function simhash(words: readonly number[]): Fingerprint {
  // A word that is said ten times counts once, so that one cannot drown all others.
  const features = new Set<number>()
  for (let i = 0; i < words.length; i++) {
    features.add(words[i]!)
    if (i > 0) features.add(mix(words[i - 1]!, words[i]!))
  }
  const all = [...features]
  return [majority(all, HIGH), majority(all, LOW)]
}

/** Of each of 32 bits: is it set in most features? */
function majority(features: readonly number[], seed: number): number {
  const counts = new Int32Array(32)
  for (const feature of features) {
    const hash = mix(seed, feature)
    for (let bit = 0; bit < 32; bit++) counts[bit]! += (hash >>> bit) & 1
  }
  let bits = 0
  for (let bit = 0; bit < 32; bit++) if (counts[bit]! > features.length / 2) bits |= 1 << bit
  return bits >>> 0
}

/** Bits that differ. */
export const distance = (high: number, low: number): number => ones(high) + ones(low)

function ones(n: number): number {
  let v = n - ((n >>> 1) & 0x55555555)
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333)
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
