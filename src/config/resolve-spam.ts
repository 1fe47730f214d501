/** The spam filter, as the program uses its settings: the policy of each domain. */
import { DEFAULT_SPAM_POLICY, layeredSpamPolicy, type SpamPolicy, type SpamPolicyLayer } from '#tenant/spam-policy.ts'
import type { SpamConfig } from './config.ts'
import { type Level, type PolicyKind, policyFrom, saidOnly } from './resolve-policies.ts'
import { spamEnginesConfig } from './resolve-spam-engines.ts'
import { spamListsOf } from './resolve-spam-lists.ts'
import type { SpamPolicyWritten, SpamWritten } from './schema-spam.ts'

/** `at`: a path as it is from the folder of the configuration file. */
export const spamConfig = ({ filter, engines = {}, lists }: SpamWritten, at: (path: string) => string): SpamConfig => ({
  filter,
  engines: spamEnginesConfig(engines, at),
  lists: spamListsOf(lists),
})

/** From the outermost level to the innermost. Nothing: the default policy. */
export function spamPolicyOf(...levels: readonly Level<SpamPolicyWritten>[]): { readonly spam?: SpamPolicy } {
  const spam = policyFrom(SPAM_POLICIES, levels)
  return spam === DEFAULT_SPAM_POLICY ? {} : { spam }
}

function layerOf(written: SpamPolicyWritten): SpamPolicyLayer {
  return saidOnly<SpamPolicyLayer>({
    filter: written.filter,
    tagAt: written['tag-at'],
    greylistAt: written['greylist-at'],
    quarantineAt: written['quarantine-at'],
    rejectAt: written['reject-at'],
    phishingTagAt: written['phishing-tag-at'],
    phishingQuarantineAt: written['phishing-quarantine-at'],
    phishingRejectAt: written['phishing-reject-at'],
    bulk: written.bulk,
    backscatter: written.backscatter,
    engineSilent: written['engine-silent'],
    fields: written.fields,
    subjectTag: written['subject-tag'],
  })
}

export const SPAM_POLICIES: PolicyKind<SpamPolicyWritten, SpamPolicy> = { layerOf, layered: layeredSpamPolicy }
