/**
 * Which words and short phrases of a vocabulary stand in a text: one pass over its words, whatever the size of the vocabulary.
 * Case, accents and tricks of spelling do not count (`plainText`).
 *
 * Limits: characters of a text, words of a phrase.
 */
import { plainText } from './classifier/words.ts'

/** Of a text, in characters; what somebody wants to sell stands before it. */
const TEXT_LENGTH_MAX = 16 * 1024

interface Phrase<G> {
  readonly group: G
  readonly id: number
  readonly first: string
  readonly isStem: boolean
  readonly rest: readonly Word[]
}

interface Word {
  readonly text: string
  readonly isStem: boolean
}

const NOTHING: readonly never[] = []

const SIEVE_SIZE = 1 << 16
const letters = (word: string): number =>
  Math.imul(Math.imul(word.charCodeAt(0) || 0, 31) + (word.charCodeAt(1) || 0), 31) + (word.charCodeAt(2) || 0)
const stemSieve = (word: string): number => (Math.imul(letters(word), 0x9e3779b1) >>> 16) & (SIEVE_SIZE - 1)
const wordSieve = (word: string): number =>
  (Math.imul(letters(word) ^ (word.length << 17) ^ (word.charCodeAt(word.length - 1) << 22), 0x85ebca6b) >>> 16) &
  (SIEVE_SIZE - 1)
/** A vocabulary of named groups. */
export class Vocabulary<G extends string> {
  readonly #whole = new Map<string, Phrase<G>[]>()
  /** By the first three letters. */
  readonly #stems = new Map<string, Phrase<G>[]>()
  #count = 0
  /** Whether a word can begin a phrase, by a few of its letters: most words cannot, and need not be looked up. */
  readonly #mayBegin = new Uint8Array(SIEVE_SIZE)

  /** Phrases divided by `|` or line ends; `*` ends a word that goes on. */
  constructor(groups: Readonly<Record<G, string>>) {
    for (const group of Object.keys(groups) as G[])
      for (const phrase of groups[group].split(/[|\n]/)) {
        const words = foldedWords(phrase, /[^\p{L}\p{N}*]+/u)
        if (words.length > 0) this.#add(group, words.map(wordOf))
      }
  }

  #add(group: G, [first, ...rest]: readonly Word[]): void {
    const { text, isStem } = first!
    this.#mayBegin[isStem ? stemSieve(text) : wordSieve(text)] = 1
    const map = isStem ? this.#stems : this.#whole
    const key = isStem ? text.slice(0, 3) : text
    const phrase = { group, id: this.#count++, first: text, isStem, rest }
    map.set(key, [...(map.get(key) ?? []), phrase])
  }

  /** How many different phrases of each group stand among the words. */
  find(words: readonly string[]): Map<G, number> {
    const found = new Map<G, number>()
    const seen = new Set<number>()
    const take = (phrase: Phrase<G>, at: number): void => {
      if (seen.has(phrase.id) || !follows(phrase.rest, words, at + 1)) return
      seen.add(phrase.id)
      found.set(phrase.group, (found.get(phrase.group) ?? 0) + 1)
    }
    for (let at = 0; at < words.length; at++) {
      const word = words[at]!
      if (this.#mayBegin[wordSieve(word)] === 1) for (const phrase of this.#whole.get(word) ?? NOTHING) take(phrase, at)
      if (this.#mayBegin[stemSieve(word)] === 1)
        for (const phrase of this.#stems.get(word.slice(0, 3)) ?? NOTHING)
          if (word.startsWith(phrase.first)) take(phrase, at)
    }
    return found
  }
}

const wordOf = (text: string): Word =>
  text.endsWith('*') ? { text: text.slice(0, -1), isStem: true } : { text, isStem: false }

const follows = (rest: readonly Word[], words: readonly string[], at: number): boolean =>
  rest.every(({ text, isStem }, i) => {
    const word = words[at + i]
    return word !== undefined && (isStem ? word.startsWith(text) : word === text)
  })

const MARKS = /\p{M}+/gu

/** Lower case, without accents; ß is ss. */
export const folded = (text: string): string =>
  isPlainAscii(text) ? text : text.normalize('NFD').replace(MARKS, '').replaceAll('ß', 'ss')

function isPlainAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7e) return false
  return true
}

const foldedWords = (text: string, divider: RegExp): string[] =>
  folded(text.toLowerCase()).split(divider).filter(Boolean)

const WORD = /[\p{L}\p{N}]+/gu

/** The words of a text as a vocabulary knows them. */
export const termsOf = (text: string): string[] =>
  folded(plainText(text.slice(0, TEXT_LENGTH_MAX)).text).match(WORD) ?? []
