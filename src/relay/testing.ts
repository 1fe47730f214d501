/** For tests: a served domain, and the pieces around a commit that the test answers for. */
import type { SpoolReceipt } from '#mail/custody.ts'
import { SpoolReceipt as Receipt } from '#mail/custody.ts'
import type { PathEvent } from '#mail/event.ts'
import type { Attempt } from '#mail/outcome.ts'
import type { NewMessage, QueueEntry } from '#mail/stored.ts'
import { traceIds } from '#mail/trace-id.ts'
import { HandClock, MemoryKeep, route } from '#queue/testing.ts'
import { SpoolError, type SpoolErrorKind } from '#spool/contract.ts'
import type { Route, ServedDomain } from '#tenant/directory.ts'
import { Commit } from './commit.ts'
import { spoolRefusal } from './spool-faults.ts'

export const served = (more: Partial<ServedDomain> = {}): ServedDomain => ({
  name: 'bakery.test',
  tenant: { name: 'bakery', language: 'en' },
  route: route(),
  recipients: { kind: 'accept-all' },
  commit: 'cut-through',
  policyClass: 'plain',
  contentOctetsMax: 1000,
  ...more,
})

export interface CommitBenchOptions {
  readonly route?: (id: string) => Route | undefined
  /** With what the spool refuses this message, if it does. */
  readonly refuses?: (message: NewMessage) => SpoolErrorKind | undefined
}

/** A commit with a spool in memory; the attempt and the spool's refusal are the test's. */
export function commitBench({ route: routeOf, refuses }: CommitBenchOptions = {}) {
  const clock = new HandClock()
  const keep = new MemoryKeep()
  const events: PathEvent[] = []
  const seen = {
    down: false,
    spoolError: undefined as unknown,
    observed: [] as Attempt[],
    adopted: [] as { id: string; route: Route; attempt: Promise<Attempt> }[],
    queued: [] as QueueEntry[],
    options: undefined as unknown,
  }
  const trying = Promise.withResolvers<Attempt>()
  const append = async (message: NewMessage, _: unknown, firstAttemptMs: number): Promise<SpoolReceipt> => {
    if (seen.spoolError !== undefined) throw seen.spoolError
    const refusal = refuses?.(message)
    if (refusal !== undefined) throw new SpoolError(refusal, 'as the test says')
    keep.put(message, firstAttemptMs)
    return Receipt.afterSync(message.id)
  }
  const newTraceId = traceIds(
    1,
    () => clock.wall(),
    () => 0,
  )
  const startMs = clock.wall()
  const monotonicMs = clock.monotonic()
  const commit = new Commit({
    clock,
    report: (event) => void events.push(event),
    route: (id) => routeOf?.(id),
    newTraceId,
    spool: { append, get: (id) => keep.get(id), change: (id, change) => keep.change(id, change) },
    spoolRefusal,
    queue: {
      nowMs: () => startMs + clock.monotonic() - monotonicMs,
      add: (entry) => void seen.queued.push(entry),
      adopt: (id, to, attempt) => void seen.adopted.push({ id, route: to, attempt }),
      observe: (_, attempt) => void seen.observed.push(attempt),
      isDown: () => seen.down,
    },
    attempt: (_, __, options) => {
      seen.options = options
      return trying.promise
    },
  })
  const kinds = () => events.map(({ kind }) => kind)
  return { clock, keep, events, seen, trying, commit, kinds }
}
