/** What the classifier says about a message: one sign, and why; silent as long as it has learned too little. */
import type { SpamSign } from '#mail/spam.ts'
import type { SymbolTable } from '../contract.ts'
import type { SpamMessage } from '../message.ts'
import type { Classifier } from './classifier.ts'
import { strongestWords } from './explanation.ts'
import { featuresOf, type MessageFeatures } from './features.ts'
import type { Learned } from './models.ts'

/** Lessons of each kind, before it says anything. With fewer, what it has seen twice is what it knows. */
export const LESSONS_MIN = 50
/** Log odds, in each direction; the bound of the family (combine.ts). */
export const WEIGHT_MAX = 7
/** Of what others have taught it, elsewhere: it is the mail of two places. */
export const STARTER_WEIGHT_MAX = 4
/** A score is the sum of three views that know much of each other: found on held-out mail (docs/adr/0029). */
export const CALIBRATION = 0.6
/** Words are named from here on. */
const EXPLAINED_MIN = 1

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
  CLASSIFIER_SILENT: {
    family: 'classifier',
    weight: 0,
    en: 'what was learned cannot be read',
    de: 'was gelernt wurde, ist nicht lesbar',
  },
} as const satisfies SymbolTable

/** `octets`: those that `message` was read from. */
export function classifierSign(message: SpamMessage, octets: Buffer, learned: Learned): SpamSign {
  if (learned.kind === 'silent') return { symbol: 'CLASSIFIER_SILENT', weight: 0, detail: learned.text }
  const { classifier } = learned
  if (Math.min(classifier.ham, classifier.spam) < LESSONS_MIN) return { symbol: 'CLASSIFIER_UNTRAINED', weight: 0 }
  const weight = weightOf(classifier, featuresOf(message, octets))
  const symbol = weight > 0 ? 'CLASSIFIER_SPAM' : 'CLASSIFIER_HAM'
  if (Math.abs(weight) < EXPLAINED_MIN) return { symbol, weight }
  const words = strongestWords(message, classifier, weight > 0)
  return { symbol, weight, ...(words.length > 0 && { detail: words.map((word) => `"${word}"`).join(', ') }) }
}

/** Log odds, bounded. */
export function weightOf(classifier: Classifier, features: MessageFeatures): number {
  const most = isTaught(classifier) ? WEIGHT_MAX : STARTER_WEIGHT_MAX
  const score = classifier.score(features) * CALIBRATION
  return Math.round(100 * Math.max(-most, Math.min(most, score))) / 100
}

/** Enough by whoever runs it, beside the starter. */
function isTaught({ layers }: Classifier): boolean {
  const own = layers.slice(1)
  const count = (kind: 'ham' | 'spam'): number => own.reduce((sum, layer) => sum + layer[kind], 0)
  return Math.min(count('ham'), count('spam')) >= LESSONS_MIN
}
