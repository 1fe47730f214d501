/** Whether reports of feedback loops come in here at all, and whether anybody is believed. */
import { isServed, servedNames } from './check-notices.ts'
import type { Draft } from './draft.ts'
import type { YamlText } from './yaml-text.ts'

export function checkFeedback({ relay, tenants }: Draft, yaml: YamlText): void {
  const { feedback } = relay
  if (feedback === undefined) return
  if (feedback['from-networks'] === undefined && feedback['from-domains'] === undefined) {
    const hint = 'name the networks or domains of the feedback loops that you have joined'
    yaml.report('warning', ['feedback'], 'no report will be believed', {
      hint,
      allowed: 'from-networks, from-domains, or both',
    })
  }
  // A faulty domain may have been the one.
  if (!tenants.every(({ complete }) => complete)) return
  const served = servedNames(tenants)
  for (const [i, address] of feedback.addresses.entries()) {
    if (isServed(address, served)) continue
    const hint = 'name an address of a domain that is served here'
    yaml.report('error', ['feedback', 'addresses', i], 'its domain is not served here, so no report comes by', { hint })
  }
}
