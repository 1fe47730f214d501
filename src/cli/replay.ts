/**
 * `vorposten simulate --replay`: messages that were kept, judged by the policy of this configuration and by that of a candidate:
 * which verdicts of the spam filter would change. Each configuration judges with what its own data folder has learned. Nothing is
 * asked of the network, so lists, memory and filters beside us have no say in either.
 */
import type { Config } from '#config/config.ts'
import { directoryFrom } from '#config/directory.ts'
import { settingLine } from '#policy/policy-explained.ts'
import { judgeSpam } from '#policy/spam.ts'
import type { Models } from '#scan/spam/classifier/models.ts'
import { domainFor } from '#tenant/recipient-policies.ts'
import { DEFAULT_SPAM_POLICY, type SpamPolicy } from '#tenant/spam-policy.ts'
import { EXIT, UserError } from './exit.ts'
import { messagesIn } from './message-files.ts'
import { forwardPathOf } from './paths.ts'
import { modelsOf, spamOf } from './scan-spam.ts'

interface Side {
  readonly policy: SpamPolicy
  readonly models: Models
  readonly tenant: string
}

export interface Replayed {
  readonly message: string
  readonly before: Verdict
  readonly after: Verdict
}

interface Verdict {
  readonly decision: string
  readonly score: number
  readonly class: string
  /** The setting that decided; absent: it passes. */
  readonly by?: string
}

/** Those whose verdict changes, one after the other; at the end how many there were. `to`: whose policy. */
export async function* replay(
  paths: readonly string[],
  [current, candidate]: readonly [Config, Config],
  to: string,
): AsyncGenerator<Replayed, number> {
  const [before, after] = [sideOf(current, to), sideOf(candidate, to)]
  let count = 0
  for await (const { name, content } of messagesIn(paths)) {
    const judge = async ({ policy, models, tenant }: Side): Promise<Verdict> => {
      if (!policy.filter) return { decision: 'pass', score: 0, class: 'ordinary' }
      const result = await spamOf(content, { models, tenant })
      const { decision, by } = judgeSpam(result, policy)
      const { score, class: kind } = result
      return { decision, score, class: kind, ...(by && { by: settingLine(by, policy) }) }
    }
    const replayed = { message: name, before: await judge(before), after: await judge(after) }
    count++
    if (replayed.before.decision !== replayed.after.decision) yield replayed
  }
  return count
}

export const replayedLine = ({ message, before, after }: Replayed): string =>
  `${before.decision} → ${after.decision}  ${after.score.toFixed(1)} points, ${after.class}  ${message}${after.by === undefined ? '' : `  (${after.by})`}`

/** How often each change happens: `pass → tag: 3`. */
export function changesOf(all: readonly Replayed[]): string[] {
  const counts = new Map<string, number>()
  for (const { before, after } of all) {
    const change = `${before.decision} → ${after.decision}`
    counts.set(change, (counts.get(change) ?? 0) + 1)
  }
  return [...counts].sort().map(([change, count]) => `${change}: ${count}`)
}

function sideOf(config: Config, to: string): Side {
  const models = modelsOf(config)
  const path = forwardPathOf(to, '--to')
  const name = path.kind === 'mailbox' && path.mailbox.domain.kind === 'name' ? path.mailbox.domain.ascii : ''
  const served = directoryFrom(config).domain(name)
  if (served === undefined) throw new UserError(`${to} is not of ours`, 'See vorposten check-config.', EXIT.data)
  const { spam = DEFAULT_SPAM_POLICY, tenant } = domainFor(served, path)
  return { policy: spam, models, tenant: tenant.name }
}
