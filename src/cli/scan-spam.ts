/**
 * What the spam filter says about a message from disk, for `vorposten scan`: by its rules, by what it has learned, and by the
 * filters beside us that the configuration names. Nothing is known of a session then.
 */
import type { Config } from '#config/config.ts'
import type { Content } from '#mail/content.ts'
import type { SpamDecision, SpamResult, SpamSign } from '#mail/spam.ts'
import { settingLine } from '#policy/policy-explained.ts'
import { judgeSpam } from '#policy/spam.ts'
import { Models } from '#scan/spam/classifier/models.ts'
import { combine } from '#scan/spam/combine.ts'
import { lookAt } from '#scan/spam/look.ts'
import { SYMBOLS } from '#scan/spam/symbols.ts'
import { systemClock } from '#sys/clock.ts'
import type { SpamPolicy } from '#tenant/spam-policy.ts'
import { spamEnginesOf } from './assemble-spam-engines.ts'
import { modelFolder } from './folders.ts'

export type SpamLanguage = 'en' | 'de'
export const SPAM_LANGUAGES = ['en', 'de'] as const satisfies readonly SpamLanguage[]

/** As `vorposten scan --json` shows it; its names are stable. */
export interface SpamShown {
  readonly score: number
  readonly probability: number
  readonly class: SpamResult['class']
  readonly decision: SpamDecision
  /** The setting that decided, and where it stands; absent: it passes. */
  readonly by?: string
  readonly signs: readonly (SpamSign & { readonly meaning: string })[]
  readonly silent: readonly string[]
  readonly durationMs: number
}

/** The starter, and what was learned in its data folder. */
export const modelsOf = (config: Config | undefined): Models => new Models(config && modelFolder(config.dataFolder))

interface SpamOf {
  /** Absent: no filter beside us is asked. */
  readonly config?: Config | undefined
  readonly models: Models
  /** As for mail to this tenant. */
  readonly tenant?: string | undefined
}

export async function spamOf(content: Content, { config, models, tenant }: SpamOf): Promise<SpamResult> {
  const startedMs = performance.now()
  const asked = (config && spamEnginesOf(config, systemClock))?.ask(content, {})
  const { signs } = lookAt(Buffer.concat(content.chunks), {}, models.of(tenant))
  const engines = (await asked) ?? { signs: [], silent: [] }
  const durationMs = performance.now() - startedMs
  return combine({ signs: [...signs, ...engines.signs], silent: engines.silent, durationMs })
}

export function spamShown(result: SpamResult, policy: SpamPolicy, language: SpamLanguage): SpamShown {
  const { decision, by } = judgeSpam(result, policy)
  const { score, probability, class: of, signs, silent, durationMs } = result
  return {
    ...{ score, probability, class: of, decision },
    ...(by && { by: settingLine(by, policy) }),
    signs: signs.map((sign) => ({ ...sign, meaning: SYMBOLS[sign.symbol]?.[language] ?? '' })),
    ...{ silent, durationMs },
  }
}

const WORDS: Readonly<Record<SpamLanguage, Readonly<Record<SpamDecision | SpamResult['class'] | 'points', string>>>> = {
  en: {
    ...{ pass: 'it would be delivered', tag: 'it would be delivered, with fields that say so' },
    ...{ greylist: 'a stranger would hear 451 and come again', defer: 'its sender would hear 451 and try again' },
    ...{ quarantine: 'it would be kept for a person to decide', reject: 'its sender would hear 550' },
    ...{ ordinary: 'ordinary', bulk: 'bulk', backscatter: 'backscatter', phishing: 'phishing', points: 'points' },
  },
  de: {
    ...{ pass: 'sie würde zugestellt', tag: 'sie würde zugestellt, mit Feldern, die es sagen' },
    ...{ greylist: 'ein Fremder hörte 451 und käme wieder', defer: 'ihr Absender hörte 451 und versuchte es erneut' },
    ...{ quarantine: 'sie würde aufbewahrt, bis ein Mensch entscheidet', reject: 'ihr Absender hörte 550' },
    ...{ ordinary: 'gewöhnlich', bulk: 'Massenpost', backscatter: 'Irrläufer', phishing: 'Phishing', points: 'Punkte' },
  },
}

export function spamLines(shown: SpamShown, language: SpamLanguage): string[] {
  const { score, probability, class: of, decision, by, signs } = shown
  const words = WORDS[language]
  return [
    `spam: ${score.toFixed(1)} ${words.points}, ${(100 * probability).toFixed(1)} %, ${words[of]}; ${decision}: ${words[decision]}`,
    ...(by === undefined ? [] : [`  ${by}`]),
    ...signs.map((sign) => `  ${signLine(sign, language)}`),
  ]
}

/** `  3.0  HTML_FORM_PASSWORD: asks for a password in the mail (login.example)` */
export function signLine({ symbol, weight, detail }: SpamSign, language: SpamLanguage): string {
  const meaning = SYMBOLS[symbol]?.[language] ?? ''
  return `${weight.toFixed(1).padStart(5)}  ${symbol}: ${meaning}${detail === undefined ? '' : ` (${detail})`}`
}
