/** What the spam filter says about a message from disk, for `vorposten scan`: by its rules alone, nothing is asked. */
import type { Content } from '#mail/content.ts'
import type { SpamResult, SpamSign } from '#mail/spam.ts'
import { combine } from '#scan/spam/combine.ts'
import { lookAt } from '#scan/spam/look.ts'
import { SYMBOLS } from '#scan/spam/symbols.ts'

export function spamOf(content: Content): SpamResult {
  const startedMs = performance.now()
  const { signs } = lookAt(Buffer.concat(content.chunks), {})
  return combine({ signs, silent: [], durationMs: performance.now() - startedMs })
}

export type SpamLanguage = 'en' | 'de'

export function spamLines(
  { score, probability, class: kind, signs }: SpamResult,
  language: SpamLanguage = 'en',
): string[] {
  return [
    `spam: ${score.toFixed(1)} points, ${(100 * probability).toFixed(1)} %, ${kind}`,
    ...signs.map((sign) => `  ${signLine(sign, language)}`),
  ]
}

/** `  3.0  HTML_FORM_PASSWORD: asks for a password in the mail (login.example)` */
export function signLine({ symbol, weight, detail }: SpamSign, language: SpamLanguage): string {
  const meaning = SYMBOLS[symbol]?.[language] ?? ''
  return `${weight.toFixed(1).padStart(5)}  ${symbol}: ${meaning}${detail === undefined ? '' : ` (${detail})`}`
}
