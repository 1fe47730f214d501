/** What the filters do with the mail of a domain: the policies of the virus wall and of the spam filter, and of some recipients. */
import type { ServedDomain } from '#tenant/directory.ts'
import type { DomainDraft, TenantDraft } from './draft.ts'
import { recipientPoliciesFrom } from './resolve-policies.ts'
import { SPAM_POLICIES, spamPolicyOf } from './resolve-spam.ts'
import { VIRUS_POLICIES, virusPolicyOf } from './resolve-virus.ts'
import type { SpamPolicyWritten } from './schema-spam.ts'
import type { VirusPolicyWritten } from './schema-virus.ts'

/** The outermost level of each. */
export interface CommonPolicies {
  readonly virus: VirusPolicyWritten
  readonly spam: SpamPolicyWritten
}

export type FilterPolicies = Pick<ServedDomain, 'virus' | 'virusByRecipient' | 'spam' | 'spamByRecipient'>

export function filterPolicies(
  { path, settings }: DomainDraft,
  tenant: TenantDraft,
  common: CommonPolicies,
): FilterPolicies {
  const virus = [
    [['virus', 'policy'], common.virus],
    [[...tenant.path, 'virus'], tenant.settings.virus],
    [[...path, 'virus'], settings?.virus],
  ] as const
  const spam = [
    [['spam', 'policy'], common.spam],
    [[...tenant.path, 'spam'], tenant.settings.spam],
    [[...path, 'spam'], settings?.spam],
  ] as const
  const { 'virus-by-recipient': virusBy, 'spam-by-recipient': spamBy } = settings ?? {}
  return {
    ...virusPolicyOf(...virus),
    ...(virusBy && {
      virusByRecipient: recipientPoliciesFrom(VIRUS_POLICIES, [...path, 'virus-by-recipient'], virusBy, virus),
    }),
    ...spamPolicyOf(...spam),
    ...(spamBy && {
      spamByRecipient: recipientPoliciesFrom(SPAM_POLICIES, [...path, 'spam-by-recipient'], spamBy, spam),
    }),
  }
}
