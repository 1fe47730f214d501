/**
 * From signs to one score. Log odds of independent evidence are added; evidence is not independent, so what each family adds
 * is bounded, and a family's second sign of the same direction counts half, its third a third, and so on.
 */
import { probabilityOf, SIGNS_MAX, type SpamClass, type SpamResult, type SpamSign } from '#mail/spam.ts'
import type { SpamFamily } from './contract.ts'
import { SYMBOLS } from './symbols.ts'

/** Before anything has spoken: most mail of unknown kind that reaches a filter behind recipient checks is not spam. */
const PRIOR = -1.5

/** What a family can add in each direction. Lists, learning and engines may decide alone, the others not. */
export const FAMILY_WEIGHT_MAX: Readonly<Record<SpamFamily, number>> = {
  connection: 4,
  authentication: 4,
  header: 4,
  sender: 4,
  mime: 3,
  html: 4,
  links: 5,
  text: 5,
  attachments: 4,
  bulk: 3,
  impersonation: 6,
  lists: 8,
  reputation: 5,
  duplicates: 4,
  classifier: 7,
  engines: 12,
}

export interface Gathered {
  readonly signs: readonly SpamSign[]
  readonly silent: readonly string[]
  readonly durationMs: number
}

export function combine({ signs, silent, durationMs }: Gathered): SpamResult {
  const score = round(PRIOR + sumOf(signs))
  const sorted = [...signs].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).slice(0, SIGNS_MAX)
  return { score, probability: probabilityOf(score), class: classOf(signs), signs: sorted, silent, durationMs }
}

function sumOf(signs: readonly SpamSign[]): number {
  const families = new Map<SpamFamily, number[]>()
  for (const { symbol, weight } of signs) {
    const family = SYMBOLS[symbol]?.family
    if (family === undefined || weight === 0) continue
    const weights = families.get(family)
    if (weights === undefined) families.set(family, [weight])
    else weights.push(weight)
  }
  let sum = 0
  for (const [family, weights] of families) {
    const most = FAMILY_WEIGHT_MAX[family]
    sum += Math.min(fading(weights.filter((weight) => weight > 0)), most)
    sum -= Math.min(fading(weights.filter((weight) => weight < 0).map((weight) => -weight)), most)
  }
  return sum
}

const fading = (weights: readonly number[]): number =>
  [...weights].sort((a, b) => b - a).reduce((sum, weight, i) => sum + weight / (i + 1), 0)

/** Symbols that say what kind of message it is. */
const KINDS: readonly (readonly [RegExp, SpamClass])[] = [
  [/^PHISH_/, 'phishing'],
  [/^BACKSCATTER_/, 'backscatter'],
  [/^BULK_/, 'bulk'],
]

const classOf = (signs: readonly SpamSign[]): SpamClass =>
  KINDS.find(([pattern]) => signs.some(({ symbol }) => pattern.test(symbol)))?.[1] ?? 'ordinary'

const round = (score: number): number => Math.round(score * 100) / 100
