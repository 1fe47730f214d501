/**
 * What is done with a subject so that it is seen, or so that no two are the same: padding, shouting, tags. What is
 * done with its letters is for those who read the text (rules/text.ts).
 */
import type { Said, SpamRules, SymbolTable } from '../contract.ts'
import type { SpamMessage } from '../message.ts'

const symbols = {
  SUBJECT_PADDED: {
    family: 'header',
    weight: 2.5,
    en: 'the subject is padded with blanks',
    de: 'der Betreff ist mit Leerzeichen gefüllt',
  },
  SUBJECT_CAPITALS: {
    family: 'header',
    weight: 1,
    en: 'the subject shouts',
    de: 'der Betreff schreit',
  },
  SUBJECT_EXCLAIMS: {
    family: 'header',
    weight: 0.5,
    en: 'exclamation or question marks in rows',
    de: 'Ausrufe- oder Fragezeichen in Reihe',
  },
  SUBJECT_EMPTY: { family: 'header', weight: 1, en: 'the subject is empty', de: 'der Betreff ist leer' },
  SUBJECT_RAW_OCTETS: {
    family: 'header',
    weight: 1,
    en: 'letters in the subject that are not encoded',
    de: 'Buchstaben im Betreff, die nicht kodiert sind',
  },
  SUBJECT_TAG: {
    family: 'header',
    weight: 2,
    en: 'the subject ends in characters that mean nothing',
    de: 'der Betreff endet in Zeichen ohne Sinn',
  },
  SUBJECT_REPLY_TO_NOTHING: {
    family: 'header',
    weight: 0.5,
    en: 'claims to be a reply or to be forwarded, and belongs to nothing',
    de: 'gibt sich als Antwort oder weitergeleitet aus und gehört zu nichts',
  },
  SUBJECT_NAMES_RECIPIENT: {
    family: 'header',
    weight: 1,
    en: 'the address of the recipient is the subject',
    de: 'die Adresse des Empfängers steht im Betreff',
  },
} as const satisfies SymbolTable

/** Characters of a subject that are looked at. */
const SUBJECT_LENGTH_MAX = 500

export const subjectRules: SpamRules = {
  symbols,
  *look(message: SpamMessage) {
    const subject = message.subject.slice(0, SUBJECT_LENGTH_MAX)
    yield* shape(subject, message)
    yield* claims(subject, message)
  },
}

const CAPITALS_MIN = 12

function* shape(subject: string, { header }: SpamMessage): Iterable<Said> {
  const raw = (header.value('subject') ?? '').slice(0, SUBJECT_LENGTH_MAX)
  if (/[^\s][ \u00a0]{5,}[^\s]|[ \u00a0]{3,}$|^[ \u00a0]{3,}\S/.test(subject)) yield { symbol: 'SUBJECT_PADDED' }
  if (/[\x80-\xff]/.test(raw)) yield { symbol: 'SUBJECT_RAW_OCTETS' }
  if (subject.trim() === '' && header.value('subject') !== undefined) yield { symbol: 'SUBJECT_EMPTY' }
  const cased = subject.replace(/[^\p{Lu}\p{Ll}]/gu, '')
  if (cased.length >= CAPITALS_MIN && cased.replace(/\p{Ll}/gu, '').length > cased.length * 0.8)
    yield { symbol: 'SUBJECT_CAPITALS' }
  if (/[!?]{2,}/.test(subject)) yield { symbol: 'SUBJECT_EXCLAIMS' }
  const tag = /(?:^|\s)#?(\w{4,12})\s{0,9}$/.exec(subject)
  if (tag !== null && isRandomTag(tag[1]!, tag[0].includes('#'))) yield { symbol: 'SUBJECT_TAG', detail: tag[1]! }
}

/** No word, no number, no hashtag of words in camel case, no order number in capitals: `nfcYv`, `uid4761` behind a `#`. */
function isRandomTag(tag: string, isMarked: boolean): boolean {
  if (
    /^\d+$|^[A-Z0-9_]+$|^[A-Z]?[a-z]+\d{0,4}$|^(?:[A-Z][a-z]+)+\d{0,4}$/.test(tag) &&
    !(isMarked && /^uid\d/i.test(tag))
  )
    return false
  const isMixed = /[a-z][A-Z].{0,9}$/.test(tag) || /\d[a-z].{0,9}\d/.test(tag)
  return isMarked ? isMixed || /^[a-z]{2,4}\d{3,}$/i.test(tag) : /[a-z]\d[a-z]{1,3}\d|\d[a-z]{2,4}\d/i.test(tag)
}

const REPLY = /^\s{0,9}(?:re|aw|sv|antw|vs|fwd?|wg|tr|rv)\s{0,3}(?:\[\d{1,3}\])?:/i

function* claims(subject: string, { header, texts }: SpamMessage): Iterable<Said> {
  // Programs that write HTML have always written References; old ones and plain tools do not.
  if (REPLY.test(subject) && !header.isReply && texts.some(({ kind }) => kind === 'html'))
    yield { symbol: 'SUBJECT_REPLY_TO_NOTHING' }
  // Calendars put it last, in brackets.
  const lower = subject.toLowerCase().replace(/\([^()]{0,300}\)\s{0,9}$/, '')
  const named = header.recipients.find(({ address }) => address !== '' && lower.includes(address))
  if (named !== undefined) yield { symbol: 'SUBJECT_NAMES_RECIPIENT', detail: named.address }
}
