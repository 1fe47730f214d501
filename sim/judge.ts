/**
 * The verdict over a simulated time: the ledger of senders and customers against what the spool still holds. Only the
 * outside counts: a message that a sender heard 250 for has reached somebody, or lies where an operator can see it.
 */
import type { RecipientState } from '#mail/stored.ts'
import type { Arrival, Ledger, Try } from './ledger.ts'

/** By try and recipient: where the spool says that it stands. */
export type Kept = ReadonlyMap<string, ReadonlyMap<string, RecipientState['kind']>>

export function judge(ledger: Ledger, kept: Kept): void {
  for (const made of ledger.tries.values()) {
    const arrivals = ledger.arrivals.get(made.id) ?? []
    const states = kept.get(made.id)
    for (const fault of faultsOf(made, arrivals, states, ledger)) ledger.violation(`${made.id}: ${fault}`)
  }
  for (const tryId of kept.keys())
    if (!ledger.tries.has(tryId)) ledger.violation(`the spool holds ${tryId}, which nobody sent`)
}

function* faultsOf(
  made: Try,
  arrivals: readonly Arrival[],
  states: ReadonlyMap<string, RecipientState['kind']> | undefined,
  ledger: Ledger,
): Iterable<string> {
  if (!made.dotSent && arrivals.length > 0) yield 'delivered, and its content was never whole'
  if (made.heard !== undefined && made.heard >= 400) {
    if (arrivals.length > 0) yield `delivered, and the sender heard ${made.heard}`
    if (states !== undefined) yield `kept, and the sender heard ${made.heard}`
  }
  for (const { recipient } of arrivals) {
    if (!made.accepted.includes(recipient)) yield `delivered to ${recipient}, whom we did not accept`
  }
  for (const recipient of made.accepted) {
    const own = arrivals.filter((arrival) => arrival.recipient === recipient)
    yield* recipientFaults(made, own, states?.get(recipient), ledger).map((fault) => `${recipient}: ${fault}`)
  }
}

function recipientFaults(
  made: Try,
  arrivals: readonly Arrival[],
  state: RecipientState['kind'] | undefined,
  ledger: Ledger,
): string[] {
  const faults: string[] = []
  const promised = made.heard !== undefined && made.heard < 300
  if (promised && arrivals.length === 0 && (state === undefined || state === 'delivered')) faults.push('LOST')
  if (state === 'pending') faults.push('still in the queue after a long calm')
  const inOrder = [...arrivals].sort((a, b) => a.givenMs - b.givenMs)
  const duplicates = inOrder.filter((copy, i) => i > 0 && !isExcused(inOrder[i - 1]!, copy.givenMs, ledger))
  if (duplicates.length > 0) faults.push(`delivered ${arrivals.length} times`)
  const last = inOrder.at(-1)
  if (state === 'held' && last && !isExcused(last, Number.POSITIVE_INFINITY, ledger)) faults.push('held, and delivered')
  return faults
}

/** The relay may give a message again if it had no reply, or died after it had one and before that was on its disk. */
function isExcused({ givenMs, takenMs }: Arrival, againMs: number, { deathsMs }: Ledger): boolean {
  if (takenMs === undefined || takenMs > againMs) return true
  return deathsMs.some((deathMs) => deathMs >= givenMs && deathMs <= againMs)
}
