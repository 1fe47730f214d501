/**
 * Scripts and charsets. Which languages a tenant expects is the tenant's to say; without that a foreign script only informs.
 * A charset made for a script that does not occur in the text tells of a template from elsewhere.
 */
import type { SpamRules, SymbolTable } from '../contract.ts'
import type { SpamMessage } from '../message.ts'

const symbols = {
  LANGUAGE_SCRIPT: {
    family: 'text',
    weight: 0,
    en: 'is mostly in a script other than Latin',
    de: 'ist überwiegend in einer anderen Schrift als der lateinischen',
  },
  LANGUAGE_CHARSET_UNLIKE_TEXT: {
    family: 'mime',
    weight: 1,
    en: 'its charset is for a script that does not occur in it',
    de: 'der Zeichensatz ist für eine Schrift, die nicht vorkommt',
  },
} as const satisfies SymbolTable

/** Of all texts, in characters. */
const TEXT_LENGTH_MAX = 4_000
/** Letters below which nothing is said. */
const LETTERS_MIN = 100

const SCRIPTS: readonly (readonly [string, RegExp])[] = [
  ['Cyrillic', /\p{Script=Cyrillic}/gu],
  ['Greek', /\p{Script=Greek}/gu],
  ['Arabic', /\p{Script=Arabic}/gu],
  ['Hebrew', /\p{Script=Hebrew}/gu],
  ['Thai', /\p{Script=Thai}/gu],
  ['Devanagari', /\p{Script=Devanagari}/gu],
  ['Hangul', /\p{Script=Hangul}/gu],
  ['Chinese or Japanese', /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu],
]
const OF_A_SCRIPT =
  /^(?:koi8-[ru]|windows-125[13-6]|cp125[13-6]|iso-8859-(?:5|6|7|8|8-i|11)|tis-620|gb2312|gbk|gb18030|big5|hz-gb-2312|iso-2022-(?:jp|kr|cn)|shift_jis|euc-(?:jp|kr)|ks_c_5601-1987)$/

export const languageRules: SpamRules = {
  symbols,
  *look({ texts, subject }: SpamMessage) {
    const text = `${subject}\n${texts.map(({ text }) => text.slice(0, TEXT_LENGTH_MAX)).join('\n')}`.slice(
      0,
      TEXT_LENGTH_MAX,
    )
    const charset = texts.find((one) => OF_A_SCRIPT.test(one.charset))?.charset
    // Most mail is ASCII, and has no script to look for.
    const hasOther = /[^\x00-\u024f\u2000-\u2bff]/.test(text)
    if (charset === undefined && !hasOther) return
    const latin = text.match(/[a-z]/gi)?.length ?? 0
    let most = { script: 'Latin', letters: latin }
    for (const [script, pattern] of hasOther ? SCRIPTS : []) {
      const letters = text.match(pattern)?.length ?? 0
      if (letters > most.letters) most = { script, letters }
    }
    if (most.script !== 'Latin') yield { symbol: 'LANGUAGE_SCRIPT', detail: most.script }
    if (charset !== undefined && latin >= LETTERS_MIN && !hasOther && !/[\x80-\xff]/.test(text))
      yield { symbol: 'LANGUAGE_CHARSET_UNLIKE_TEXT', detail: charset }
  },
}
