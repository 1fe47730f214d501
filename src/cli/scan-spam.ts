/**
 * What the spam filter says about a message from disk, for `vorposten scan`: by its rules, by what its classifier
 * has learned, and by the filters beside us that the configuration names. Nothing is known of a session then.
 */
import type { Config } from '#config/config.ts'
import type { Content } from '#mail/content.ts'
import type { SpamResult } from '#mail/spam.ts'
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

export function spamLines({ score, probability, class: kind, signs, silent }: SpamResult): string[] {
  return [
    `spam: ${score.toFixed(1)} points, ${(100 * probability).toFixed(1)} %, ${kind}`,
    ...(silent.length === 0 ? [] : [`  did not answer: ${silent.join(', ')}`]),
    ...signs.map(
      ({ symbol, weight, detail }) =>
        `  ${weight.toFixed(1).padStart(5)}  ${symbol}: ${SYMBOLS[symbol]?.en ?? ''}${detail === undefined ? '' : ` (${detail})`}`,
    ),
  ]
}
