/**
 * A message that was stored for a smarthost, by a route that has since become one by MX: its recipients may be at several
 * destinations. Each gets an attempt of its own, one after the other, and what they came to is put together.
 */
import { domainText } from '#mail/domain.ts'
import type { Attempt, Outcome } from '#mail/outcome.ts'
import { destinationRoute } from '#tenant/destination.ts'
import type { Route } from '#tenant/directory.ts'
import type { OutgoingMessage } from './delivery.ts'

const NO_DOMAIN: Outcome = {
  kind: 'failed',
  status: '5.1.2',
  text: '5.1.2 the recipient has no domain',
  stage: 'connect',
}

export async function attemptEach(
  route: Route,
  message: OutgoingMessage,
  attempt: (route: Route, message: OutgoingMessage) => Promise<Attempt>,
): Promise<Attempt> {
  const outcomes = new Map<number, Outcome>()
  let whole: Omit<Attempt, 'outcomes'> | undefined
  for (const [destination, recipients] of byDestination(message)) {
    if (destination === undefined) for (const index of recipients) outcomes.set(index, NO_DOMAIN)
    else {
      const to = destinationRoute(route, destination)
      const { outcomes: found, ...others } = await attempt(to, { ...message, recipients })
      for (const [i, index] of recipients.entries()) outcomes.set(index, found[i]!)
      whole = others
    }
  }
  const nothing = { relay: 'none', tls: false, delays: { queuedMs: 0, connectMs: 0, transferMs: 0 } }
  return { ...(whole ?? nothing), outcomes: message.recipients.map((index) => outcomes.get(index)!) }
}

function byDestination({ envelope, recipients }: OutgoingMessage): Map<string | undefined, number[]> {
  return Map.groupBy(recipients, (index) => {
    const path = envelope.recipients[index]!.forwardPath
    return path.kind === 'mailbox' ? domainText(path.mailbox.domain) : undefined
  })
}
