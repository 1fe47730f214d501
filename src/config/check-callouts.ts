/** Whether mail to the sender of our callouts ends where it should: thrown away by us, or by the server of its domain. */
import { isServed, servedNames } from './check-notices.ts'
import type { Draft } from './draft.ts'
import type { YamlText } from './yaml-text.ts'

export function checkCalloutSender({ relay, tenants }: Draft, yaml: YamlText): void {
  const sender = relay['callout-sender']
  // A faulty domain may have been the one.
  if (sender === undefined || !tenants.every(({ complete }) => complete)) return
  if (isServed(sender, servedNames(tenants))) return
  const hint =
    'name an address of a domain that is served here, whose mail the relay throws away; or see that the server of its ' +
    'domain accepts mail to it, from <> too, and throws it away'
  yaml.report('warning', ['callout-sender'], 'its domain is not served here, so its mail goes elsewhere', { hint })
}
