/**
 * Text as a row of numbers, one for each word: what the classifier learns and looks up. No language is known: a word is a
 * run of letters and digits, and scripts without spaces (Han, Kana, Thai …) are taken character by character.
 *
 * Tricks that change the octets and not what the eye sees are undone first: compatibility forms, invisible characters, and
 * letters of other scripts inside a Latin word.
 */

/** Of a text that is taken apart, in characters; the rest says nothing new. */
export const TEXT_LENGTH_MAX = 32 * 1024
/** Words of one text. */
export const WORDS_MAX = 4_000
/** A longer run is no word; its length class is what is kept. */
const WORD_LENGTH_MAX = 24

/** FNV-1a; a step for each UTF-16 unit. */
const PRIME = 0x01000193
const BASIS = 0x811c9dc5

/** A number for a text as a whole, for names of fields and the like. */
export function hashOf(text: string, seed = BASIS): number {
  let h = seed
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), PRIME)
  return h >>> 0
}

/** Two numbers in order become one; also spreads the bits, which FNV leaves weak. */
export function mix(a: number, b: number): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ b
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39)
  return (h ^ (h >>> 15)) >>> 0
}

/** What is neither seen nor said: soft hyphen, joiners, directions, variation selectors, byte order marks. */
const INVISIBLE =
  /\u00ad|\u034f|\u061c|[\u115f\u1160]|[\u17b4\u17b5]|[\u180b-\u180e]|[\u200b-\u200f\u202a-\u202e\u2060-\u206f]|[\u3164\uffa0]|[\ufe00-\ufe0f]|\ufeff/g

/** Letters of other scripts that look like a Latin one. */
const LOOK_ALIKES: Readonly<Record<string, string>> = {
  ...{ а: 'a', в: 'b', с: 'c', ԁ: 'd', е: 'e', һ: 'h', і: 'i', ј: 'j', к: 'k', м: 'm', о: 'o', р: 'p', ԛ: 'q', г: 'r' },
  ...{ ѕ: 's', т: 't', у: 'y', ѵ: 'v', ԝ: 'w', х: 'x', н: 'h', п: 'n', ѐ: 'e', ё: 'e' },
  ...{ α: 'a', β: 'b', ε: 'e', η: 'n', ι: 'i', κ: 'k', ν: 'v', ο: 'o', ρ: 'p', τ: 't', υ: 'u', χ: 'x', ω: 'w', γ: 'y' },
  ...{ ı: 'i', ɑ: 'a', ɡ: 'g', ƅ: 'b', օ: 'o', ս: 'u', հ: 'h', ո: 'n', ց: 'g', ᴀ: 'a', ʙ: 'b', ᴄ: 'c', ᴅ: 'd', ᴇ: 'e' },
}
const MIXED =
  /[a-z\u00e0-\u024f][\u0250-\u02af\u0370-\u052f\u0530-\u058f]|[\u0250-\u02af\u0370-\u052f\u0530-\u058f][a-z\u00e0-\u024f]/
const OTHER_LETTER = /[\u0131\u0185\u0251\u0261\u0299\u03b1-\u03c9\u0430-\u052f\u0561-\u0587\u1d00-\u1d07]/g

export interface Plain {
  readonly text: string
  readonly invisible: number
  /** Words in which letters of several scripts stand for Latin ones. */
  readonly lookAlikes: number
}

/** Lower case, without tricks. */
export function plainText(raw: string): Plain {
  const cut = raw.length > TEXT_LENGTH_MAX ? raw.slice(0, TEXT_LENGTH_MAX) : raw
  if (isAscii(cut)) return { text: cut.toLowerCase(), invisible: 0, lookAlikes: 0 }
  const seen = cut.replace(INVISIBLE, '')
  const text = seen.normalize('NFKC').toLowerCase()
  if (!MIXED.test(text)) return { text, invisible: cut.length - seen.length, lookAlikes: 0 }
  let lookAlikes = 0
  const latin = text.replace(/[\p{L}\p{N}]{2,64}/gu, (word) => {
    if (!MIXED.test(word)) return word
    lookAlikes++
    return word.replace(OTHER_LETTER, (letter) => LOOK_ALIKES[letter] ?? letter)
  })
  return { text: latin, invisible: cut.length - seen.length, lookAlikes }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7e) return false
  return true
}

const OTHER = 0
const LETTER = 1
const DIGIT = 2
const INNER = 3
const ASCII = new Uint8Array(128)
for (let c = 0; c < 128; c++) {
  const text = String.fromCharCode(c)
  if (/[a-z]/i.test(text)) ASCII[c] = LETTER
  else if (/[0-9]/.test(text)) ASCII[c] = DIGIT
  else if (/[$!'%]/.test(text)) ASCII[c] = INNER
}
const NOT_A_LETTER = /[^\p{L}\p{N}\p{M}]/u

function kindOf(c: number): number {
  if (c < 128) return ASCII[c]!
  if (c < 0x250) return c >= 0xc0 && c !== 0xd7 && c !== 0xf7 ? LETTER : c === 0xa3 ? INNER : OTHER
  if (c >= 0x2000 && c < 0x2e80) return OTHER
  if (c >= 0xd800 && c < 0xe000) return INNER
  return NOT_A_LETTER.test(String.fromCharCode(c)) ? OTHER : LETTER
}

/** Scripts that put no space between words. */
const standsAlone = (c: number): boolean =>
  c >= 0x0e00 &&
  ((c >= 0x2e80 && c < 0xa4d0) || (c >= 0xac00 && c < 0xd7b0) || c < 0x0f00 || (c >= 0xf900 && c < 0xfb00))

/** The words of a plain text, in order. Digits count as one digit, so that numbers that differ are one word. */
export function wordsOf(text: string, wordsMax = WORDS_MAX): number[] {
  const words: number[] = []
  eachWord(text, wordsMax, (hash) => void words.push(hash))
  return words
}

/** The same with the words themselves. */
export function wordsIn(text: string, wordsMax = WORDS_MAX): { readonly hash: number; readonly word: string }[] {
  const words: { hash: number; word: string }[] = []
  eachWord(text, wordsMax, (hash, from, to) => void words.push({ hash, word: text.slice(from, to) }))
  return words
}

function eachWord(text: string, wordsMax: number, told: (hash: number, from: number, to: number) => void): void {
  let hash = BASIS
  let length = 0
  let count = 0
  const end = (at: number): void => {
    if (length === 0) return
    count++
    told(length > WORD_LENGTH_MAX ? mix(Math.min(length >> 4, 8), 0x4c4f4e47) : hash >>> 0, at - length, at)
    hash = BASIS
    length = 0
  }
  for (let i = 0; i < text.length && count < wordsMax; i++) {
    const c = text.charCodeAt(i)
    const kind = kindOf(c)
    if (kind === OTHER) {
      end(i)
      continue
    }
    if (c >= 0x0e00 && standsAlone(c)) {
      end(i)
      count++
      told(hashOf(text[i]!), i, i + 1)
      continue
    }
    hash = Math.imul(hash ^ (kind === DIGIT ? 0x30 : c), PRIME)
    length++
  }
  if (count < wordsMax) end(text.length)
}
