/**
 * What it means for a message that its sender was told of an attempt: a failure that is told of is returned and needs no
 * hold, one that is not stays held with the reason (law 2). Pure but for the telling itself.
 */
import type { RecipientState, StoredMessage } from '#mail/stored.ts'
import type { Aftermath } from './aftermath.ts'
import type { QueueParts, Telling, Tried } from './contract.ts'

export interface Told extends Aftermath {
  /** Positions in the list of those tried. */
  readonly returned?: readonly number[]
}

export async function told(
  tell: NonNullable<QueueParts['tell']>,
  message: StoredMessage,
  tried: Tried,
  after: Aftermath,
): Promise<Told> {
  const { change } = after
  const recipients = message.recipients.map((state, i) => change.recipients.get(i) ?? state)
  const text = change.text === undefined ? {} : { lastText: change.text }
  return withTelling(after, await tell({ ...message, recipients, ...text }, tried), message, tried)
}

function withTelling(
  after: Aftermath,
  { returned, delay, why }: Telling,
  { recipients }: Pick<StoredMessage, 'recipients'>,
  { tried }: Tried,
): Told {
  const { change } = after
  const states = new Map(change.recipients)
  const undelivered = new Map(after.undelivered)
  for (const [index, end] of after.undelivered) {
    const report = returned.get(index)
    const { text } = end
    const { atMs } = change
    if (report !== undefined) {
      states.set(index, { kind: 'returned', atMs, report, text })
      undelivered.delete(index)
    } else if (why !== undefined && end.as === 'held') {
      const because = `${text}; the sender is not told: ${why}`
      states.set(index, { kind: 'held', atMs, reason: end.reason, text: because })
      undelivered.set(index, { ...end, text: because })
    }
  }
  const isOpen = ({ kind }: RecipientState) => kind === 'pending' || kind === 'held'
  const positions = tried.flatMap((index, at) => (returned.has(index) ? [at] : []))
  return {
    ...after,
    change: { ...change, recipients: states, ...(delay && { delayTold: true }) },
    undelivered,
    settled: !recipients.some((old, i) => isOpen(states.get(i) ?? old)),
    ...(positions.length > 0 && { returned: positions }),
  }
}
