/** What the spam filter says about a message from disk, for `vorposten scan`: rules and classifier, nothing is asked. */
import type { Content } from '#mail/content.ts'
import type { SpamResult } from '#mail/spam.ts'
import type { Models } from '#scan/spam/classifier/models.ts'
import { combine } from '#scan/spam/combine.ts'
import { lookAt } from '#scan/spam/look.ts'
import { SYMBOLS } from '#scan/spam/symbols.ts'

export function spamOf(content: Content, models: Models, tenant?: string): SpamResult {
  const startedMs = performance.now()
  const { signs } = lookAt(Buffer.concat(content.chunks), {}, models.of(tenant))
  return combine({ signs, silent: [], durationMs: performance.now() - startedMs })
}

export function spamLines({ score, probability, class: kind, signs }: SpamResult): string[] {
  return [
    `spam: ${score.toFixed(1)} points, ${(100 * probability).toFixed(1)} %, ${kind}`,
    ...signs.map(
      ({ symbol, weight, detail }) =>
        `  ${weight.toFixed(1).padStart(5)}  ${symbol}: ${SYMBOLS[symbol]?.en ?? ''}${detail === undefined ? '' : ` (${detail})`}`,
    ),
  ]
}
