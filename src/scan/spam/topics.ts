/** What a message is about: concepts (data/concepts.ts) in its subject, its texts, and in what is shown for its links. */
import { CONCEPTS, type Concept } from './data/concepts.ts'
import { UNSPACED_CONCEPTS } from './data/concepts-unspaced.ts'
import { BARE, followed } from './links.ts'
import type { SpamMessage } from './message.ts'
import { folded, termsOf, Vocabulary } from './terms.ts'

const VOCABULARY = new Vocabulary<Concept>(CONCEPTS)

/** Of a text, in characters; what somebody wants stands in its beginning. */
const TEXT_LENGTH_MAX = 16 * 1024
/** Of texts of links that are read. */
const LINK_TEXTS_MAX = 40
/** A longer one is no button, in characters. */
const BUTTON_LENGTH_MAX = 60

export type Counts = ReadonlyMap<Concept, number>

export interface Topics {
  readonly subject: Counts
  /** Subject and texts. */
  readonly all: Counts
  /** Of short texts of links. */
  readonly buttons: Counts
  /** Words of the longest text. */
  readonly length: number
  /** Of subject and texts, in order. */
  readonly words: readonly string[]
}

const read = new WeakMap<SpamMessage, Topics>()

export function topicsOf(message: SpamMessage): Topics {
  const before = read.get(message)
  if (before !== undefined) return before
  const subject = termsOf(message.subject)
  const texts = message.texts.map(({ text }) => termsOf(text.slice(0, TEXT_LENGTH_MAX).replace(BARE, ' ')))
  const words = [...subject, ...texts.flat()]
  const buttons = followed(message)
    .flatMap((target) => target.texts)
    .filter((text) => text.length <= BUTTON_LENGTH_MAX)
    .slice(0, LINK_TEXTS_MAX)
  const topics = {
    subject: concepts(subject),
    all: concepts(words),
    buttons: concepts(termsOf(buttons.join(' . '))),
    length: Math.max(0, ...texts.map(({ length }) => length)),
    words,
  }
  read.set(message, topics)
  return topics
}

const UNSPACED_SCRIPT = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u
const UNSPACED = Object.entries(UNSPACED_CONCEPTS).map(
  ([concept, phrases]) => [concept as Concept, phrases.map((phrase) => folded(phrase))] as const,
)

function concepts(words: readonly string[]): Counts {
  const found = VOCABULARY.find(words)
  const some = words.filter((word) => UNSPACED_SCRIPT.test(word)).join(' ')
  if (some !== '')
    for (const [concept, phrases] of UNSPACED) {
      const times = phrases.filter((phrase) => some.includes(phrase)).length
      if (times > 0) found.set(concept, (found.get(concept) ?? 0) + times)
    }
  return found
}

/** Part of a thread or a list, as its fields say; they can be forged, so this only makes doubtful what is said of it. */
export const isConversation = ({ fields }: SpamMessage): boolean => fields.some(({ name }) => CONVERSATION.test(name))
const CONVERSATION = /^(?:in-reply-to|references|list-id|list-post)$/

/** How many different phrases of a concept there are. */
export const count = (counts: Counts, ...concepts: readonly Concept[]): number =>
  concepts.reduce((sum, concept) => sum + (counts.get(concept) ?? 0), 0)

/** Each concept at least once. */
export const has = (counts: Counts, ...concepts: readonly Concept[]): boolean =>
  concepts.every((concept) => (counts.get(concept) ?? 0) > 0)
