/** Whether the thresholds of a policy of the spam filter are in an order in which each of them means something. */
import type { Threshold } from '#tenant/spam-policy.ts'
import type { Draft } from './draft.ts'
import type { SpamPolicyWritten } from './schema-spam.ts'
import type { SettingPath, YamlText } from './yaml-text.ts'

/** From the mildest to the gravest; what stands above a graver one never happens. */
const ORDERS = [
  ['greylist-at', 'tag-at', 'quarantine-at', 'reject-at'],
  ['phishing-tag-at', 'phishing-quarantine-at', 'phishing-reject-at'],
] as const satisfies readonly (readonly (keyof SpamPolicyWritten)[])[]

export function checkSpam({ relay, tenants }: Draft, yaml: YamlText): void {
  checkOrder(relay.spam?.policy, ['spam', 'policy'], yaml)
  for (const tenant of tenants) {
    checkOrder(tenant.settings.spam, [...tenant.path, 'spam'], yaml)
    for (const { path, settings } of tenant.domains) {
      checkOrder(settings?.spam, [...path, 'spam'], yaml)
      for (const [i, policy] of (settings?.['spam-by-recipient'] ?? []).entries()) {
        checkOrder(policy, [...path, 'spam-by-recipient', i], yaml)
      }
    }
  }
}

// What is written at other levels may change under it: only what stands together is compared.
function checkOrder(policy: SpamPolicyWritten | undefined, path: SettingPath, yaml: YamlText): void {
  for (const order of ORDERS) {
    let below: readonly [string, Threshold] | undefined
    for (const setting of order) {
      const score = policy?.[setting]
      if (score === undefined || score === 'off') continue
      if (below !== undefined && below[1] !== 'off' && score <= below[1]) {
        yaml.report('error', [...path, setting], `is not above ${below[0]}, which would never happen`, {
          allowed: `more than ${below[1]}, or off`,
        })
      }
      below = [setting, score]
    }
  }
}
