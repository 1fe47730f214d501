/**
 * Words of others, made fit to stand in our own text: one line, no controls, no characters that turn the direction of
 * writing or cannot be seen, no towers of accents. What remains are the same words, as far as a reader can tell.
 */

// What is not seen or turns the direction, by the properties of Unicode. The joiners stay, some scripts and the emoji
// need them; so do the two selectors between text and emoji.
const UNSEEN =
  /[[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Cf}\p{Noncharacter_Code_Point}]--[\u200c\u200d\ufe0e\ufe0f]]/gv
const ACCENTS_MAX = 4

/** For every string that is shown. */
export const harmless = (text: string): string =>
  text
    .toWellFormed()
    .replace(UNSEEN, '')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replace(new RegExp(`(\\p{M}{${ACCENTS_MAX}})\\p{M}+`, 'gu'), '$1')

/** For what strangers wrote: harmless, trimmed, with a limit in characters. */
export function shown(text: string, charsMax: number): string {
  const clean = harmless(text).trim()
  const characters = [...clean]
  return characters.length <= charsMax
    ? clean
    : `${characters
        .slice(0, charsMax - 1)
        .join('')
        .trimEnd()}…`
}

/** A link that a stranger wrote must not become one in mail that has our name on it. */
export const withoutLinks = (text: string): string => text.replace(/http(?=s?:\/\/)/gi, 'hxxp')
