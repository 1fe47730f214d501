/**
 * What the spam filter says of a delivered message, in fields whose names the rules of mail programs have known for twenty
 * years:
 *
 *     X-Spam-Flag: YES
 *     X-Spam-Score: 7.43
 *     X-Spam-Level: *******
 *     X-Spam-Status: Yes, score=7.43 required=5 class=phishing
 *     	tests=[PHISH_FORM=4.1, LINK_TEXT_DECEIVES=3.2, READER_SILENT=0]
 *
 * The flag stands only where it is tagged. What a sender writes under these names is removed before ours are put there.
 */
import type { Content } from '#mail/content.ts'
import type { SpamResult } from '#mail/spam.ts'
import { readHeaderSection, withoutFields } from './header-section.ts'

export const SPAM_FLAG = 'X-Spam-Flag'
const SCORE = 'X-Spam-Score'
const LEVEL = 'X-Spam-Level'
const STATUS = 'X-Spam-Status'

const NAMES: ReadonlySet<string> = new Set([SPAM_FLAG, SCORE, LEVEL, STATUS].map((name) => name.toLowerCase()))

/** Stars of X-Spam-Level, one for each whole point; rules look for five or ten. */
const STARS_MAX = 50
/** Signs in a field; the trace has all. */
const TESTS_MAX = 30
/** RFC 5322 §2.1.1. */
const LINE_CHARACTERS = 78

export interface SpamFieldOptions {
  readonly tagged: boolean
  /** From which score on it is tagged; absent: from none. */
  readonly required?: number
}

export function spamFields({ score, class: kind, signs }: SpamResult, { tagged, required }: SpamFieldOptions): Buffer {
  const stars = '*'.repeat(Math.max(0, Math.min(STARS_MAX, Math.floor(score))))
  const from = required === undefined ? '' : ` required=${required}`
  const tests = signs.slice(0, TESTS_MAX).map(({ symbol, weight }) => `${symbol}=${Number(weight.toFixed(2))}`)
  return Buffer.from(
    [
      ...(tagged ? [`${SPAM_FLAG}: YES`] : []),
      `${SCORE}: ${score.toFixed(2)}`,
      ...(stars === '' ? [] : [`${LEVEL}: ${stars}`]),
      `${STATUS}: ${tagged ? 'Yes' : 'No'}, score=${score.toFixed(2)}${from} class=${kind}\r\n\ttests=[${folded(tests)}]`,
      '',
    ].join('\r\n'),
    'latin1',
  )
}

function folded(tests: readonly string[]): string {
  let text = ''
  let line = 'tests=['.length
  for (const [i, test] of tests.entries()) {
    const piece = i === tests.length - 1 ? test : `${test},`
    const breaks = text !== '' && line + 1 + piece.length > LINE_CHARACTERS
    if (text !== '') text += breaks ? '\r\n\t' : ' '
    text += piece
    line = breaks ? piece.length + 1 : line + 1 + piece.length
  }
  return text
}

/** Without fields that only we may write. Nothing else changes by an octet, and nothing is copied. */
export function withoutSpamFields(content: Content): Content {
  return withoutFields(
    content,
    readHeaderSection(content).fields.filter(({ name }) => NAMES.has(name)),
  )
}
