/** What the report hears of an attempt, and of recipients that it ended without delivery: held, or of a notice dropped. */
import type { PathEvent } from '#mail/event.ts'
import type { QueueEntry, StoredMessage } from '#mail/stored.ts'
import type { Route } from '#tenant/directory.ts'
import type { Undelivered } from './aftermath.ts'
import type { Tried } from './contract.ts'
import type { Told } from './telling.ts'

export const attempted = (message: StoredMessage, route: Route, { tried, attempt }: Tried, after: Told): PathEvent => ({
  kind: 'attempted',
  id: message.id,
  tenant: message.tenant,
  route: route.id,
  recipients: tried.map((i) => message.envelope.recipients[i]!),
  attempt,
  ageMs: after.change.atMs - message.reception.receivedMs,
  inSession: false,
  ...(message.notice && { notice: true }),
  ...(after.returned && { returned: after.returned }),
})

export function* endsWithoutDelivery(
  entry: QueueEntry | undefined,
  { envelope }: StoredMessage,
  undelivered: ReadonlyMap<number, Undelivered>,
): Iterable<PathEvent> {
  if (entry === undefined) return
  for (const [index, { as, ...why }] of undelivered) {
    const recipients = [envelope.recipients[index]!]
    if (as === 'held') yield { kind: 'held', entry, recipients, ...why }
    else yield { kind: 'dropped', entry, recipients, reason: why.reason, text: why.text }
  }
}
