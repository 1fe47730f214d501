/**
 * The verdict of the spam filter: from a score, a class and what was silent, by the policy of a tenant, to one decision, the
 * gravest that something asks for.
 *
 * reject > quarantine > defer > greylist > tag > pass. Quarantine before defer: what is spam by what has spoken does not
 * become ham by what is silent.
 */
import { SPAM_DECISIONS, type SpamDecision, type SpamResult } from '#mail/spam.ts'
import type { SpamPolicy, SpamSetting, Threshold } from '#tenant/spam-policy.ts'

export interface SpamVerdict {
  readonly decision: SpamDecision
  /** What asked for it; absent: nothing did, and it passes. */
  readonly by?: SpamSetting
}

/** From these on a message is lost for its recipient, or late, if they fail. */
const ENGINES: ReadonlySet<string> = new Set(['reader', 'engines'])

type Asked = readonly [SpamSetting, SpamDecision]

export function judgeSpam(result: SpamResult, policy: SpamPolicy): SpamVerdict {
  let verdict: SpamVerdict = { decision: 'pass' }
  for (const [by, decision] of asked(result, policy)) {
    if (SPAM_DECISIONS.indexOf(decision) > SPAM_DECISIONS.indexOf(verdict.decision)) verdict = { decision, by }
  }
  return verdict
}

function* asked(result: SpamResult, policy: SpamPolicy): Generator<Asked> {
  const { class: kind, score, silent } = result
  const isPhishing = kind === 'phishing'
  const reaches = (threshold: Threshold): boolean => threshold !== 'off' && score >= threshold
  const steps: readonly Asked[] = [
    ['greylistAt', 'greylist'],
    [isPhishing ? 'phishingTagAt' : 'tagAt', 'tag'],
    [isPhishing ? 'phishingQuarantineAt' : 'quarantineAt', 'quarantine'],
    [isPhishing ? 'phishingRejectAt' : 'rejectAt', 'reject'],
  ]
  // Greylisting is for the unsure: who is tagged anyway would only be late.
  const isSure = reaches(isPhishing ? policy.phishingTagAt : policy.tagAt)
  for (const [setting, decision] of steps) {
    if (decision === 'greylist' && isSure) continue
    if (reaches(policy[setting] as Threshold)) yield [setting, decision]
  }
  if (kind === 'bulk' || kind === 'backscatter') yield [kind, policy[kind]]
  if (silent.some((source) => ENGINES.has(source))) yield ['engineSilent', policy.engineSilent]
}

/** From this score on it is tagged; undefined: from none. */
export function requiredScore({ class: kind }: SpamResult, policy: SpamPolicy): number | undefined {
  const threshold = kind === 'phishing' ? policy.phishingTagAt : policy.tagAt
  return threshold === 'off' ? undefined : threshold
}
