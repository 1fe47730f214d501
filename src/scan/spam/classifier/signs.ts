/** What the classifier says about a message: one sign, and why; silent as long as it has learned too little. */
import type { SpamSign } from '#mail/spam.ts'
import type { SymbolTable } from '../contract.ts'
import type { SpamMessage } from '../message.ts'
import type { Classifier } from './classifier.ts'
import { featuresOf } from './features.ts'

/** Lessons of each kind, before it says anything. With fewer, what it has seen twice is what it knows. */
export const LESSONS_MIN = 50
/** Log odds, in each direction; the bound of the family (combine.ts). */
export const WEIGHT_MAX = 7

export const CLASSIFIER_SYMBOLS = {
  CLASSIFIER_SPAM: {
    family: 'classifier',
    weight: WEIGHT_MAX,
    en: 'is like mail that was learned as spam',
    de: 'ähnelt Mail, die als Spam gelernt wurde',
  },
  CLASSIFIER_HAM: {
    family: 'classifier',
    weight: -WEIGHT_MAX,
    en: 'is like mail that was learned as wanted',
    de: 'ähnelt Mail, die als erwünscht gelernt wurde',
  },
  CLASSIFIER_UNTRAINED: {
    family: 'classifier',
    weight: 0,
    en: 'too little was learned to say anything',
    de: 'es wurde zu wenig gelernt, um etwas zu sagen',
  },
} as const satisfies SymbolTable

/** `octets`: those that `message` was read from. */
export function classifierSign(message: SpamMessage, octets: Buffer, model: Classifier | undefined): SpamSign {
  if (model === undefined || Math.min(model.ham, model.spam) < LESSONS_MIN)
    return { symbol: 'CLASSIFIER_UNTRAINED', weight: 0 }
  const weight = Math.max(-WEIGHT_MAX, Math.min(WEIGHT_MAX, model.score(featuresOf(message, octets))))
  return { symbol: weight > 0 ? 'CLASSIFIER_SPAM' : 'CLASSIFIER_HAM', weight }
}
