/**
 * Encoded words (RFC 2047), written: UTF-8, whole characters, at most 75 characters each (§2). Only Q, with the narrow
 * set of §5(3), so that one form fits unstructured fields and display names alike.
 */
const WORD_CHARS_MAX = 75
const OPENING = '=?UTF-8?Q?'
const CLOSING = '?='

/** One word or several; `firstCharsMax` is the room for the first one, which stands behind a field name. */
export function encodedWords(text: string, firstCharsMax = WORD_CHARS_MAX): string[] {
  const words: string[] = []
  const frame = OPENING.length + CLOSING.length
  let room = Math.min(firstCharsMax, WORD_CHARS_MAX) - frame
  let inside = ''
  for (const character of text.toWellFormed()) {
    const encoded = qCharacter(character)
    if (inside.length + encoded.length > room && inside !== '') {
      words.push(OPENING + inside + CLOSING)
      inside = ''
      room = WORD_CHARS_MAX - frame
    }
    inside += encoded
  }
  words.push(OPENING + inside + CLOSING)
  return words
}

function qCharacter(character: string): string {
  if (character === ' ') return '_'
  if (/^[A-Za-z0-9!*+/-]$/.test(character)) return character
  return [...Buffer.from(character)].map((octet) => `=${octet.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}
