/** What one worker needs to learn from what comes back of mail that left. A worker that runs alone learns nothing. */
import { randomBytes } from 'node:crypto'
import { Networks } from '#accept/networks.ts'
import type { FeedbackConfig } from '#config/config.ts'
import { mailboxKey } from '#mail/address.ts'
import { Feedback, type FeedbackSettings } from '../relay/feedback.ts'
import type { MessageRecords } from '../relay/outbound.ts'
import type { Outside, Sending } from './assemble.ts'
import type { Current } from './current.ts'
import { learnOf, tokensOf } from './outbound-desk.ts'

export function assembleFeedback(
  current: Current,
  { tell }: Pick<Sending, 'tell'>,
  records: MessageRecords,
  { clock, shared }: Outside,
): Feedback | undefined {
  if (shared === undefined) return undefined
  return new Feedback({
    clock,
    directory: () => current.directory,
    tokens: tokensOf(shared.store),
    random: randomBytes,
    records,
    settings: () => settingsOf(current.config.feedback),
    learn: learnOf(shared.desk),
    report: tell,
  })
}

const NOBODY: FeedbackSettings = { addresses: new Set(), trusts: () => false, domains: [] }
const known = new WeakMap<FeedbackConfig, FeedbackSettings>()

/** Made once for each configuration. */
function settingsOf(config: FeedbackConfig | undefined): FeedbackSettings {
  if (config === undefined) return NOBODY
  let found = known.get(config)
  if (found === undefined) {
    const networks = new Networks(config.fromNetworks)
    found = {
      addresses: new Set(config.addresses.map(mailboxKey)),
      trusts: (address) => networks.has(address),
      domains: config.fromDomains,
    }
    known.set(config, found)
  }
  return found
}
