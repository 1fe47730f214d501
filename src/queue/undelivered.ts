/** What is told of recipients that an attempt ended without delivery: held for the tenant, or of a notice dropped. */
import type { PathEvent } from '#mail/event.ts'
import type { QueueEntry, StoredMessage } from '#mail/stored.ts'
import type { Undelivered } from './aftermath.ts'

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
