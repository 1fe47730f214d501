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
import type { Report } from '#mail/event.ts'
import type { QuarantineClass } from '#mail/quarantine.ts'
import { printable } from '#mail/scan.ts'
import type { Transaction } from '#mail/session.ts'
import type { SpamDecision, SpamResult } from '#mail/spam.ts'
import type { Defer, Reject } from '#mail/verdict.ts'
import { SPAM_FLAG, spamFields, withoutSpamFields } from '#mime/spam-fields.ts'
import { withSubjectTag } from '#mime/subject-tag.ts'
import { settingLine } from '#policy/policy-explained.ts'
import { judgeSpam, requiredScore } from '#policy/spam.ts'
import { combine } from '#scan/spam/combine.ts'
import type { SpamAbout } from '#scan/spam/contract.ts'
import type { Way } from '#tenant/directory.ts'
import { DEFAULT_SPAM_POLICY, type SpamPolicy } from '#tenant/spam-policy.ts'
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
  readonly report: Report
  /** Whom a played name or a look-alike domain would harm. */
  readonly protects?: (tenant: string) => SpamAbout['tenant']
  /** Each verdict teaches the memory. */
  readonly judged?: (transaction: Transaction, result: SpamResult) => void
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
    const { protects, judged, report } = this.#parts
    const tenant = protects?.(way.tenant.name)
    const about = { ...aboutOf(transaction), ...(tenant && { tenant }) }
    const subject = { transaction, way, ...came, about }
    const result = combine(await gathering.gather(subject))
    const { decision, by } = judgeSpam(result, policy)
    const { probability: _, ...said } = result
    judged?.(transaction, result)
    report({
      ...{ kind: 'filtered', id: transaction.id, tenant: way.tenant.name, decision, ...said },
      ...(by && { policy: settingLine(by, policy) }),
    })
    if (decision === 'pass' || decision === 'tag') {
      const tagged = decision === 'tag'
      return { kind: 'scanned', content: withFields(content, result, policy, tagged), tagged }
    }
    return answerTo(decision, result, transaction.id)
  }
}

function answerTo(
  decision: Exclude<SpamDecision, 'pass' | 'tag'>,
  result: SpamResult,
  id: string,
): ToQuarantine | Reject | Defer {
  const why = whyText(result)
  switch (decision) {
    case 'quarantine':
      return { kind: 'quarantine', class: quarantineClass(result), by: 'spam', text: why, facts: [] }
    case 'greylist':
    case 'defer':
      return refusals.notFiltered(why)
    case 'reject':
      return refusals.spam(why, id)
  }
}

/** As it is delivered. Fields that a sender wrote in our place go wherever we could have written them. */
function withFields(content: Content, result: SpamResult, policy: SpamPolicy, tagged: boolean): Content {
  if (!policy.fields && !tagged) return withoutSpamFields(content)
  const required = requiredScore(result, policy)
  const fields = policy.fields
    ? spamFields(result, { tagged, ...(required !== undefined && { required }) })
    : Buffer.from(`${SPAM_FLAG}: YES\r\n`)
  const clean = withoutSpamFields(content)
  return withTrace(fields, tagged && policy.subjectTag !== '' ? withSubjectTag(clean, policy.subjectTag) : clean)
}

const quarantineClass = ({ class: kind }: SpamResult): QuarantineClass => (kind === 'ordinary' ? 'spam' : kind)

/** `12.3 points, phishing: PHISH_FORM, LINK_TEXT_DECEIVES` */
function whyText({ score, class: kind, signs, silent }: SpamResult): string {
  const named = signs.slice(0, SIGNS_NAMED_MAX).map(({ symbol }) => symbol)
  const silence = silent.length === 0 ? '' : `; silent: ${silent.slice(0, SIGNS_NAMED_MAX).join(', ')}`
  return printable(`${score.toFixed(1)} points, ${kind}: ${named.join(', ') || 'nothing special'}${silence}`)
}
