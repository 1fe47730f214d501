/**
 * Header fields, written: folded (RFC 5322 §2.1.1, §2.2.3), encoded (RFC 2047), or in UTF-8 where the message may be
 * internationalized (RFC 6532). Lines have 78 octets where spaces allow it, and never more than 998.
 *
 * No value can begin a field of its own: controls and line ends of any kind become spaces before anything is folded.
 * A field name that is none, and an internationalized address in a message that may not be, are defects.
 */
import { type Mailbox, mailboxText } from '#mail/address.ts'
import { encodedWords } from './encoded-words.ts'

export const LINE_OCTETS_GOOD = 78
/** RFC 5322 §2.1.1 allows 998; what is cut leaves room for the name and the fold. */
const WORD_OCTETS_MAX = 900
/** Fits beside `Reply-To:` in the 76 characters of RFC 2047 §2. */
const PHRASE_WORD_CHARS_MAX = 64

export interface Addressee {
  readonly displayName?: string
  readonly mailbox: Mailbox
}

export type OutgoingField =
  /** Words for people: Subject, Content-Description. */
  | { readonly name: string; readonly kind: 'text'; readonly value: string }
  /** Words for machines: never encoded; outside ASCII only in UTF-8 messages, else `?`. */
  | { readonly name: string; readonly kind: 'structured'; readonly value: string }
  /** As above, and every space counts: addresses and identifiers of strangers. */
  | { readonly name: string; readonly kind: 'exact'; readonly value: string }
  | { readonly name: string; readonly kind: 'addresses'; readonly value: readonly Addressee[] }

export const text = (name: string, value: string): OutgoingField => ({ name, kind: 'text', value })
export const structured = (name: string, value: string): OutgoingField => ({ name, kind: 'structured', value })
export const exact = (name: string, value: string): OutgoingField => ({ name, kind: 'exact', value })
export const addresses = (name: string, ...value: Addressee[]): OutgoingField => ({ name, kind: 'addresses', value })

/** The field with its CRLF. */
export function fieldText(field: OutgoingField, utf8: boolean): string {
  // RFC 5322 §3.6.8
  if (!/^[\x21-\x39\x3b-\x7e]{1,70}$/.test(field.name)) throw new Error(`not a field name: ${field.name}`)
  return folded(field.name, wordsOf(field, utf8))
}

function wordsOf(field: OutgoingField, utf8: boolean): string[] {
  switch (field.kind) {
    case 'text':
      return textWords(clean(field.value), utf8, LINE_OCTETS_GOOD - 2 - field.name.length - 2)
    case 'structured':
      return structuredWords(clean(field.value), utf8)
    case 'exact':
      return exactWords(field.value, utf8)
    case 'addresses':
      return field.value.flatMap((one, i) => addressWords(one, utf8, i < field.value.length - 1))
  }
}

/** One line, no controls, single spaces. */
const clean = (value: string): string =>
  value
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()

function textWords(value: string, utf8: boolean, firstCharsMax: number): string[] {
  const words = value.split(' ')
  const plain = (utf8 || isAscii(value)) && !value.includes('=?')
  const fits = words.every((word) => Buffer.byteLength(word) < LINE_OCTETS_GOOD - 2)
  return plain && fits ? words : encodedWords(value, firstCharsMax)
}

function structuredWords(value: string, utf8: boolean): string[] {
  const allowed = utf8 ? value : value.replace(/[^\x20-\x7e]/gu, '?')
  return allowed.split(' ').map((word) => cut(word))
}

// Only a single space between words can be folded: a line of nothing but spaces is obsolete (RFC 5322 §4.2).
function exactWords(value: string, utf8: boolean): string[] {
  const line = value
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ')
    .trim()
  const allowed = utf8 ? line : line.replace(/[^\x20-\x7e]/gu, '?')
  return allowed.split(/(?<=[^ ]) (?=[^ ])/).map((word) => cut(word))
}

function cut(word: string): string {
  if (Buffer.byteLength(word) <= WORD_OCTETS_MAX) return word
  let kept = ''
  let octets = 0
  for (const character of word) {
    octets += Buffer.byteLength(character)
    if (octets > WORD_OCTETS_MAX) break
    kept += character
  }
  return kept
}

function addressWords({ displayName, mailbox }: Addressee, utf8: boolean, more: boolean): string[] {
  const address = mailboxText(mailbox)
  if (/[\x00-\x1f\x7f]/.test(address)) throw new Error('an address with controls')
  if (!utf8 && !isAscii(address)) throw new Error('an internationalized address in a message that may not be')
  const path = `<${address}>${more ? ',' : ''}`
  const name = clean(displayName ?? '')
  return name === '' ? [path] : [...phrase(name, utf8), path]
}

function phrase(name: string, utf8: boolean): string[] {
  if (/^[A-Za-z0-9 -]+$/.test(name) && name.length < LINE_OCTETS_GOOD / 2) return name.split(' ')
  const quotable = (utf8 || isAscii(name)) && !name.includes('=?') && Buffer.byteLength(name) < LINE_OCTETS_GOOD / 2
  // A fold inside the quotes would be read as it is by some: the quoted name stays on one line.
  // As few words as can be: Python's parser, for one, shows a space between two of a name, against RFC 2047 §6.2.
  return quotable ? [`"${name.replace(/["\\]/g, '\\$&')}"`] : encodedWords(name, PHRASE_WORD_CHARS_MAX)
}

function folded(name: string, words: readonly string[]): string {
  let out = `${name}:`
  let column = out.length
  words.forEach((word, i) => {
    const octets = Buffer.byteLength(word)
    // The first word stays beside the name: some readers take a first line without a word for an empty value.
    const breaks = i > 0 && column + 1 + octets > LINE_OCTETS_GOOD
    out += breaks ? `\r\n ${word}` : ` ${word}`
    column = breaks ? 1 + octets : column + 1 + octets
  })
  return `${out}\r\n`
}

const isAscii = (value: string): boolean => !/[^\x00-\x7f]/.test(value)
