/**
 * The spam filter as a step of the path, after the virus wall and before custody: what speaks for and against a message is
 * gathered (gathering.ts), added up, and the policy of its tenant, domain and recipient decides.
 *
 * | verdict | then |
 * |---|---|
 * | pass | it goes on |
 * | tag | it goes on with fields that say so; its sender will never be told anything by us |
 * | greylist, defer | 451 4.7.1 |
 * | quarantine | kept for a person to decide (quarantining.ts) |
 * | reject | 550 5.7.1 with the trace id, in the session: a real sender hears of it from his own server |
 *
 * What leaves is not filtered.
 */
import { type Content, withTrace } from '#mail/content.ts'
import type { QuarantineClass } from '#mail/quarantine.ts'
import { printable } from '#mail/scan.ts'
import type { Transaction } from '#mail/session.ts'
import type { SpamResult } from '#mail/spam.ts'
import type { Defer, Reject } from '#mail/verdict.ts'
import { SPAM_FIELD } from '#mime/trace-fields.ts'
import { judgeSpam, type SpamVerdict } from '#policy/spam.ts'
import { combine } from '#scan/spam/combine.ts'
import type { Way } from '#tenant/directory.ts'
import { DEFAULT_SPAM_POLICY } from '#tenant/spam-policy.ts'
import { aboutOf, type Gathering, type Subject } from './gathering.ts'
import type { ToQuarantine } from './quarantining.ts'
import * as refusals from './refusals.ts'
import type { Scanned } from './scanning.ts'

/** In the reasons of a refusal, and in quarantine. */
const SIGNS_NAMED_MAX = 5

export interface FilteringParts {
  /** Absent: there is no spam filter. */
  readonly gathering: () => Pick<Gathering, 'gather'> | undefined
  /** What can be asked before the content comes. */
  readonly begin?: (transaction: Transaction) => void
}

export class Filtering {
  readonly #parts: FilteringParts

  constructor(parts: FilteringParts) {
    this.#parts = parts
  }

  /** At the first accepted RCPT. */
  begin(transaction: Transaction, way: Way): void {
    if (this.#looksAt(transaction, way)) this.#parts.begin?.(transaction)
  }

  #looksAt({ session }: Transaction, { spam = DEFAULT_SPAM_POLICY }: Way): boolean {
    return session.service === 'inbound' && spam.filter && this.#parts.gathering() !== undefined
  }

  /** `content`: as it would be delivered; `came`: as it came, without fields of ours, and who vouches for that. */
  async filter(
    transaction: Transaction,
    way: Way,
    content: Content,
    came: Pick<Subject, 'content' | 'authentication'>,
  ): Promise<Scanned | ToQuarantine | Reject | Defer> {
    const policy = way.spam ?? DEFAULT_SPAM_POLICY
    const gathering = this.#parts.gathering()
    if (gathering === undefined || !policy.filter || transaction.session.service !== 'inbound')
      return { kind: 'scanned', content, tagged: false }
    const subject = { transaction, way, ...came, about: aboutOf(transaction) }
    const result = combine(await gathering.gather(subject))
    return answerTo(judgeSpam(result, policy), result, transaction, content)
  }
}

function answerTo(
  { decision }: SpamVerdict,
  result: SpamResult,
  { id }: Transaction,
  content: Content,
): Scanned | ToQuarantine | Reject | Defer {
  const why = whyText(result)
  switch (decision) {
    case 'pass':
      return { kind: 'scanned', content, tagged: false }
    case 'tag':
      return { kind: 'scanned', content: withTrace(TAG, content), tagged: true }
    case 'quarantine':
      return { kind: 'quarantine', class: quarantineClass(result), by: 'spam', text: why, facts: [] }
    case 'greylist':
    case 'defer':
      return refusals.notFiltered(why)
    case 'reject':
      return refusals.spam(why, id)
  }
}

const quarantineClass = ({ class: kind }: SpamResult): QuarantineClass => (kind === 'ordinary' ? 'spam' : kind)

/** `12.3 points, phishing: PHISH_FORM, LINK_TEXT_DECEIVES` */
function whyText({ score, class: kind, signs, silent }: SpamResult): string {
  const named = signs.slice(0, SIGNS_NAMED_MAX).map(({ symbol }) => symbol)
  const silence = silent.length === 0 ? '' : `; silent: ${silent.slice(0, SIGNS_NAMED_MAX).join(', ')}`
  return printable(`${score.toFixed(1)} points, ${kind}: ${named.join(', ') || 'nothing special'}${silence}`)
}

const TAG = Buffer.from(`${SPAM_FIELD}: YES\r\n`, 'latin1')
