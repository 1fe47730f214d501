/** Which words of a message spoke loudest, for people: its own words, as they stand there, never a hash. */
import type { SpamMessage } from '../message.ts'
import type { Classifier } from './classifier.ts'
import { BODY, SUBJECT } from './features.ts'
import { featuresFrom, placeOf } from './gathering.ts'
import { plainText, wordsIn } from './words.ts'

export const WORDS_NAMED_MAX = 5
/** Of each text; only what was certain is explained, and this is read a second time. */
const WORDS_LOOKED_AT_MAX = 1_000
const LENGTH_MIN = 3

/** The loudest first; of words only, though pairs and rows of characters spoke too. */
export function strongestWords(message: SpamMessage, classifier: Classifier, isSpam: boolean): string[] {
  const loud = new Map<string, number>()
  const look = (kind: number, text: string): void => {
    for (const { hash, word } of wordsIn(plainText(text).text, WORDS_LOOKED_AT_MAX)) {
      if (word.length < LENGTH_MIN || loud.has(word)) continue
      const weight = classifier.viewScore(0, featuresFrom(Uint32Array.of(placeOf(kind, hash))))
      loud.set(word, isSpam ? weight : -weight)
    }
  }
  look(SUBJECT, message.subject)
  for (const { text } of message.texts) look(BODY, text)
  return [...loud]
    .filter(([, weight]) => weight > 0)
    .sort(([, a], [, b]) => b - a)
    .slice(0, WORDS_NAMED_MAX)
    .map(([word]) => word)
}
