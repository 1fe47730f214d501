/** What the spool's refusals and alarms mean to the sender and to the operator. */

import type { Soon } from '#mail/decisions.ts'
import type { PathEvent } from '#mail/event.ts'
import type { StoredMessage } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { Defer } from '#mail/verdict.ts'
import type { Keep } from '#queue/queue.ts'
import { type ReadResult, type Spool, type SpoolAlarm, SpoolError } from '#spool/contract.ts'
import * as refusals from './refusals.ts'

export function spoolRefusal(error: unknown): Defer | { readonly kind: 'vanish' } {
  if (!(error instanceof SpoolError)) throw error
  switch (error.kind) {
    case 'full':
      return refusals.noDisk()
    case 'broken':
      return refusals.diskBroken()
    case 'closing':
      return refusals.closing()
    case 'uncertain':
      return { kind: 'vanish' }
  }
}

/**
 * The spool as the queue sees it: a message is there, or it is not; why not, the spool has told. `changed` hears of each
 * change after it was made.
 */
export function keepOf(spool: Spool, changed: (id: TraceId) => void = () => {}): Keep {
  const loaded = (result: ReadResult): StoredMessage | undefined => {
    if (result.kind === 'unreadable') throw new Error('the spool could not be read', { cause: result.error })
    return result.kind === 'stored' ? result.message : undefined
  }
  return {
    get: (id) => spool.get(id),
    change(id, change) {
      spool.change(id, change)
      changed(id)
    },
    load(id): Soon<StoredMessage | undefined> {
      const result = spool.read(id)
      return result instanceof Promise ? result.then(loaded) : loaded(result)
    },
  }
}

const ADVICE: Record<SpoolAlarm['kind'], string> = {
  corrupt: 'a record is damaged and was set aside; its message may be lost: look at the disk',
  torn: 'the last write before the crash was cut off; it was never acknowledged',
  cut: 'a segment ends too early; messages may be lost: look at the disk',
  unreadable: 'a segment cannot be read and is kept: look at the disk, then restart',
  'newer-version': 'a segment was written by a newer release and is kept: go back to that release',
  full: 'no space for new mail; senders hear 452, delivery goes on: make space',
  broken: 'writing failed; senders hear 451, delivery goes on: look at the disk',
  recovered: 'the spool takes mail again',
  unsynced: 'an old segment could not be synced; it is kept until the next start: look at the disk',
  'housekeeping-failed': 'a segment could not be compacted or removed; tried again later',
}

export function spoolAlarmEvent(alarm: SpoolAlarm, worker: number): PathEvent {
  const { kind, ...details } = alarm
  const facts = JSON.stringify(details, (_key, value: unknown) => (value instanceof Error ? value.message : value))
  return { kind: 'alarm', symbol: `spool-${kind}`, text: `worker ${worker}: ${ADVICE[kind]} ${facts}` }
}
