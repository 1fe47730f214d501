/**
 * What a text wants, where several things must come together for it (money, a stranger, and an answer), and how it is spelled
 * so that people read it and filters do not.
 */
import { plainText } from '../classifier/words.ts'
import type { Said, SpamRules } from '../contract.ts'
import { FREE_MAIL } from '../data/free-mail.ts'
import { followed } from '../links.ts'
import { addressesIn, partiesOf } from '../mailboxes.ts'
import type { SpamMessage } from '../message.ts'
import { count, has, isConversation, type Topics, topicsOf } from '../topics.ts'

const symbols = {
  TEXT_ADVANCE_FEE: {
    family: 'text',
    weight: 4.5,
    en: 'a stranger has a fortune to give and wants an answer',
    de: 'ein Fremder hat ein Vermögen zu vergeben und will eine Antwort',
  },
  TEXT_EXTORTION: {
    family: 'text',
    weight: 5.5,
    en: 'threatens with shameful pictures or a break-in and wants coins',
    de: 'droht mit peinlichen Bildern oder einem Einbruch und will Bitcoin',
  },
  TEXT_LOTTERY: {
    family: 'text',
    weight: 3.5,
    en: 'a prize is waiting for whoever answers',
    de: 'ein Gewinn wartet auf den, der antwortet',
  },
  TEXT_PROFIT: {
    family: 'text',
    weight: 2.5,
    en: 'promises profit without work or risk',
    de: 'verspricht Gewinn ohne Arbeit oder Risiko',
  },
  TEXT_WONDER_CURE: {
    family: 'text',
    weight: 3.5,
    en: 'tells of a wonder cure',
    de: 'erzählt von einem Wundermittel',
  },
  TEXT_DRUGS: { family: 'text', weight: 3, en: 'sells potency or pills', de: 'verkauft Potenz oder Pillen' },
  TEXT_FINANCE: {
    family: 'text',
    weight: 2.5,
    en: 'offers loans, debt relief, insurance or repairs to whom it does not know',
    de: 'bietet Unbekannten Kredite, Entschuldung, Versicherung oder Renovierung an',
  },
  TEXT_GIFT: {
    family: 'text',
    weight: 2.5,
    en: 'you are chosen for a gift and must claim it',
    de: 'Sie sind für ein Geschenk ausgewählt und müssen es abrufen',
  },
  TEXT_ROMANCE: { family: 'text', weight: 2.5, en: 'offers company or sex', de: 'bietet Bekanntschaft oder Sex an' },
  TEXT_PITCH: {
    family: 'text',
    weight: 3.5,
    en: 'a stranger offers services or lists of addresses to a firm',
    de: 'ein Fremder bietet einer Firma Dienste oder Adresslisten an',
  },
  TEXT_CASINO: { family: 'text', weight: 2.5, en: 'invites to gamble', de: 'lädt zum Glücksspiel ein' },
  TEXT_CUT_BY_INVISIBLE: {
    family: 'text',
    weight: 3,
    en: 'has invisible characters inside of words',
    de: 'enthält unsichtbare Zeichen mitten in Wörtern',
  },
  TEXT_LOOK_ALIKE_LETTERS: {
    family: 'text',
    weight: 3.5,
    en: 'writes words with letters of other scripts',
    de: 'schreibt Wörter mit Buchstaben anderer Schriften',
  },
  TEXT_DRESSED_LETTERS: {
    family: 'text',
    weight: 3.5,
    en: 'writes words in mathematical or decorated letters',
    de: 'schreibt Wörter in mathematischen oder verzierten Buchstaben',
  },
  TEXT_SPACED_LETTERS: {
    family: 'text',
    weight: 2,
    en: 'writes a word letter by letter',
    de: 'schreibt ein Wort Buchstabe für Buchstabe',
  },
  TEXT_RANDOM_WORDS: {
    family: 'text',
    weight: 3,
    en: 'is stuffed with words that no language has',
    de: 'ist mit Wörtern gefüllt, die keine Sprache kennt',
  },
  SUBJECT_ORNAMENTS: {
    family: 'text',
    weight: 2.5,
    en: 'has signs in subject or name that are only there to be seen',
    de: 'hat in Betreff oder Name Zeichen, die nur auffallen sollen',
  },
} as const

export const textRules: SpamRules = {
  symbols,
  *look(message: SpamMessage) {
    const topics = topicsOf(message)
    const doubt = isConversation(message) ? 0.5 : 1
    for (const said of wishes(message, topics)) yield { ...said, strength: (said.strength ?? 1) * doubt }
    const sure = doubt * (isMagazine(message, topics) ? 0.5 : 1)
    for (const said of offers(message, topics)) yield { ...said, strength: (said.strength ?? 1) * sure }
    yield* spelling(message)
    yield* ornaments(message)
    if (randomWords(topics.words)) yield { symbol: 'TEXT_RANDOM_WORDS' }
  },
}

/** Long, or with links to many things: it speaks of everything, and this too. */
const isMagazine = (message: SpamMessage, { length }: Topics): boolean =>
  length > MAGAZINE_WORDS_MIN || followed(message).length > MAGAZINE_LINKS_MIN
const MAGAZINE_WORDS_MIN = 700
const MAGAZINE_LINKS_MIN = 15

const MONEY =
  /(?:[$€£¥]|usd|us\$|eur|gbp|chf|dollars?|euros?)\s{0,2}\d{1,3}(?:[.,' ]\d{3}){2,3}|\d{1,3}(?:[.,' ]\d{3}){2,3}(?:[.,]\d\d)?\s{0,2}(?:[$€£]|usd|eur|gbp|us|dollars?|euros?|pounds)|\d{1,3}(?:[.,]\d{1,2})?\s{0,2}(?:million|millionen|mio)\b/i

/** Of a text that is searched for sums, in characters. */
const SEARCHED_LENGTH_MAX = 16 * 1024

/** Whoever wants to be answered writes a letter: few links, and an address to write to. */
function* wishes(message: SpamMessage, { all, subject, length }: Topics): Iterable<Said> {
  const text = message.texts.map((one) => one.text.slice(0, SEARCHED_LENGTH_MAX)).join('\n')
  const wantsAnswer = wayToAnswer(message, text) + Math.min(2, count(all, 'contact'))
  const isLetter = followed(message).length <= LETTER_LINKS_MAX
  const sum = count(all, 'fortune') >= 2 && MONEY.test(text) ? 2 : 0
  const fee =
    Math.min(4, count(all, 'fortune')) + Math.min(3, count(all, 'stranger')) + Math.min(2, count(all, 'secret')) + sum
  if (isLetter && count(all, 'fortune') >= 2 && wantsAnswer >= 2 && fee >= 6)
    yield { symbol: 'TEXT_ADVANCE_FEE', strength: fee >= 8 ? 1 : 0.7 }
  const hold =
    count(all, 'shame') >= 2 || (has(all, 'shame') && count(all, 'break_in') >= 1) || count(all, 'break_in') >= 3
  if (
    isLetter &&
    length <= THREAT_WORDS_MAX &&
    hold &&
    has(all, 'coin') &&
    (has(all, 'deadline') || COIN_ADDRESS.test(text))
  )
    yield { symbol: 'TEXT_EXTORTION', strength: COIN_ADDRESS.test(text) ? 1 : 0.7 }
  if (isLetter && count(all, 'lottery') >= 3 && wantsAnswer >= 2) yield { symbol: 'TEXT_LOTTERY' }
  const isFree = partiesOf(message).from.site !== undefined && FREE_MAIL.has(partiesOf(message).from.site!.domain)
  if (count(all, 'pitch') >= (isFree ? 3 : 4) && isLetter && followed(message).length <= 3)
    yield { symbol: 'TEXT_PITCH', strength: has(subject, 'pitch') ? 1 : 0.7 }
}

/** Letters of blackmailers have some 500 words. */
const THREAT_WORDS_MAX = 1200
/** Links of a letter: a signature has some. */
const LETTER_LINKS_MAX = 6
const COIN_ADDRESS = /\b(?:bc1[a-z0-9]{20,60}|[13][1-9A-HJ-NP-Za-km-z]{25,34}|0x[0-9a-f]{40}|ltc1[a-z0-9]{20,60})\b/

/** A free mailbox to write to, in the text or as Reply-To. */
function wayToAnswer(message: SpamMessage, text: string): number {
  const { from, replyTo } = partiesOf(message)
  if (replyTo?.site !== undefined && replyTo.address !== from.address) return 2
  if (addressesIn(text).some((address) => FREE_MAIL.has(address.slice(address.lastIndexOf('@') + 1)))) return 2
  return from.site !== undefined && FREE_MAIL.has(from.site.domain) ? 1 : 0
}

function* offers(message: SpamMessage, { all, subject, length }: Topics): Iterable<Said> {
  const { from, replyTo } = partiesOf(message)
  const hasWay = has(all, 'contact') || (replyTo !== undefined && replyTo.address !== from.address)
  if (followed(message).length === 0 && length > SHORT_WORDS_MAX && !hasWay) return
  const inSubject = (...concepts: Parameters<typeof count>[1][]): boolean =>
    concepts.some((concept) => has(subject, concept))
  if (count(all, 'profit') >= 4 || (inSubject('profit') && count(all, 'profit') >= 2)) yield { symbol: 'TEXT_PROFIT' }
  if (count(all, 'remedy') >= 2 && count(all, 'wonder') >= 3 && length < 1500)
    yield { symbol: 'TEXT_WONDER_CURE', strength: inSubject('remedy', 'wonder') ? 1 : 0.7 }
  else if (inSubject('remedy') && inSubject('wonder')) yield { symbol: 'TEXT_WONDER_CURE', strength: 0.7 }
  if (count(all, 'remedy') >= 4 || (inSubject('remedy') && count(all, 'remedy') >= 2)) yield { symbol: 'TEXT_DRUGS' }
  if (count(all, 'finance') >= 4 || (inSubject('finance') && length < 300)) yield { symbol: 'TEXT_FINANCE' }
  if (count(all, 'gift') >= 4 && inSubject('gift')) yield { symbol: 'TEXT_GIFT' }
  if (count(all, 'romance') >= 2) yield { symbol: 'TEXT_ROMANCE' }
  if (count(all, 'casino') >= 3) yield { symbol: 'TEXT_CASINO' }
}

/** Of a text without a link that still offers something. */
const SHORT_WORDS_MAX = 60

/** Between two letters: soft hyphens and joiners stand there in honest text too (Persian, long German words). */
const CUT =
  /[a-z\u00e0-\u024f][\u034f\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff][a-z\u00e0-\u024f]/gi
/** Mathematical alphanumerics, letters in circles and squares, full width, small capitals. */
const DRESSED =
  /[\u{1d400}-\u{1d7ff}\u{24b6}-\u{24e9}\u{1f110}-\u{1f189}\uff21-\uff3a\uff41-\uff5a\u{1d00}-\u{1d22}\u{1d2c}-\u{1d6a}]/gu
const ASCII = /^[\0-\x7f]*$/
const SPACED = /(?:^|[^\p{L}])(?:\p{L}[ ._*-]{1,2}){5,20}\p{L}(?!\p{L})/u
/** Of a body in which these are looked for, in characters. */
const SPELLED_LENGTH_MAX = 8_000
/** In a body; one may come with a quoted name. */
const CUT_MIN = 10
const DRESSED_MIN = 6

function* spelling(message: SpamMessage): Iterable<Said> {
  const { from } = partiesOf(message)
  const head = `${message.subject}\n${from.name}`
  const body = message.texts.map(({ text }) => text.slice(0, SPELLED_LENGTH_MAX)).join('\n')
  if (SPACED.test(head.replace(/[\u200b-\u200f\u2060-\u2064]/g, ''))) yield { symbol: 'TEXT_SPACED_LETTERS' }
  const times = (pattern: RegExp, text: string): number => text.match(pattern)?.length ?? 0
  if (ASCII.test(head) && ASCII.test(body)) return
  if (times(CUT, head) > 0 || times(CUT, body) >= CUT_MIN) yield { symbol: 'TEXT_CUT_BY_INVISIBLE' }
  if (times(DRESSED, head) >= 2) yield { symbol: 'TEXT_DRESSED_LETTERS' }
  else if (times(DRESSED, body) >= DRESSED_MIN) yield { symbol: 'TEXT_DRESSED_LETTERS', strength: 0.5 }
  if (plainText(head).lookAlikes > 0) yield { symbol: 'TEXT_LOOK_ALIKE_LETTERS' }
  else if (plainText(body).lookAlikes >= 2) yield { symbol: 'TEXT_LOOK_ALIKE_LETTERS', strength: 0.7 }
}

/** Arrows, boxes, stars and other signs that are no emoji; or ASCII rows of signs around a name. */
const ORNAMENT =
  /[\u2190-\u21ff\u2200-\u22ff\u2300-\u2319\u2320-\u23cf\u2400-\u245f\u2500-\u25ff\u2768-\u27bf\u27c0-\u2bff\u2600-\u2604\u2625-\u263f]/gu
const ROWS = /^[^\p{L}\p{N}"'([<¿¡*]{3,}\s{0,40}\p{L}|(?:^|\s)[~!^`#*_|=+.-]{3,}\s|^[~^`#_|=⌯➤]/u
const PADDED = /\S {6,}|^ {3,}/

function* ornaments(message: SpamMessage): Iterable<Said> {
  const { name } = partiesOf(message).from
  for (const text of [message.subject.slice(0, 200), name.slice(0, 200)]) {
    const signs = text.replace(/\ufe0f/g, '').match(ORNAMENT)?.length ?? 0
    if (
      signs >= 2 ||
      ROWS.test(text.replace(/\p{Extended_Pictographic}/gu, '').trim()) ||
      (signs === 1 && PADDED.test(text))
    ) {
      yield { symbol: 'SUBJECT_ORNAMENTS', detail: text.trim().slice(0, 40) }
      return
    }
  }
}

/** Words that are looked at. */
const WORDS_MAX = 400
/** Words with digits between letters, or long ones without vowels: codes. One message has some, a stuffed one has nothing else. */
const CODES_MIN = 15

function randomWords(words: readonly string[]): boolean {
  const some = words.slice(0, WORDS_MAX).filter((word) => word.length >= 5)
  const codes = some.filter(
    (word) => /[a-z]\d+[a-z]|\d[a-z]+\d/.test(word) || (word.length <= 30 && /^[b-df-hj-np-tv-xz]{5,}$/.test(word)),
  ).length
  return codes >= CODES_MIN && codes * 4 > some.length
}
