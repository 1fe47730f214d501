/**
 * What the spam filter says about a message from disk, for `vorposten scan`: by its rules, by what its classifier
 * has learned, and by the filters beside us that the configuration names. Nothing is known of a session then.
 */
import type { Config } from '#config/config.ts'
import type { Content } from '#mail/content.ts'
import type { SpamResult, SpamSign } from '#mail/spam.ts'
import { Models } from '#scan/spam/classifier/models.ts'
import { combine } from '#scan/spam/combine.ts'
import { lookAt } from '#scan/spam/look.ts'
import { SYMBOLS } from '#scan/spam/symbols.ts'
import { systemClock } from '#sys/clock.ts'
import { spamEnginesOf } from './assemble-spam-engines.ts'
import { modelFolder } from './folders.ts'

export async function spamOf(content: Content, config: Config | undefined, tenant?: string): Promise<SpamResult> {
  const startedMs = performance.now()
  const models = new Models(config && modelFolder(config.dataFolder))
  const asked = (config && spamEnginesOf(config, systemClock))?.ask(content, {})
  const { signs } = lookAt(Buffer.concat(content.chunks), {}, models.of(tenant))
  const engines = (await asked) ?? { signs: [], silent: [] }
  const durationMs = performance.now() - startedMs
  return combine({ signs: [...signs, ...engines.signs], silent: engines.silent, durationMs })
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
