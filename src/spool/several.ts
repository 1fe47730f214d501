/**
 * Several spools as one: a worker's own, and those of workers that there used to be more of. New messages go to its
 * own; the others are emptied by delivery as if they had always been here.
 */
import type { Content } from '#mail/content.ts'
import type { SpoolReceipt } from '#mail/custody.ts'
import type { Soon } from '#mail/decisions.ts'
import type { Change, NewMessage, QueueEntry } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { ReadResult, Replayed, Spool, SpoolCounts, SpoolHealth } from './contract.ts'

export function severalSpools(own: Spool, adopted: readonly Spool[]): Spool {
  return adopted.length === 0 ? own : new SeveralSpools(own, adopted)
}

class SeveralSpools implements Spool {
  readonly #own: Spool
  readonly #all: readonly Spool[]

  constructor(own: Spool, adopted: readonly Spool[]) {
    this.#own = own
    this.#all = [own, ...adopted]
  }

  append(message: NewMessage, content: Content, firstAttemptMs: number): Promise<SpoolReceipt> {
    return this.#own.append(message, content, firstAttemptMs)
  }

  change(id: TraceId, change: Change): void {
    this.#holder(id)?.change(id, change)
  }

  *entries(): Iterable<QueueEntry> {
    for (const spool of this.#all) yield* spool.entries()
  }

  get(id: TraceId): QueueEntry | undefined {
    return this.#holder(id)?.get(id)
  }

  read(id: TraceId): Soon<ReadResult> {
    return this.#holder(id)?.read(id) ?? { kind: 'gone' }
  }

  onEntry(callback: (entry: QueueEntry) => void): void {
    for (const spool of this.#all) spool.onEntry(callback)
  }

  get replayed(): Promise<Replayed> {
    return Promise.all(this.#all.map((spool) => spool.replayed)).then((parts) => ({
      messages: sum(parts, (part) => part.messages),
      corrupt: sum(parts, (part) => part.corrupt),
      torn: sum(parts, (part) => part.torn),
    }))
  }

  /** Of the own spool: that is where new mail goes. */
  get health(): SpoolHealth {
    return this.#own.health
  }

  get roomOctets(): number {
    return this.#own.roomOctets
  }

  get counts(): SpoolCounts {
    const counts = this.#all.map((spool) => spool.counts)
    return {
      messages: sum(counts, (c) => c.messages),
      octets: sum(counts, (c) => c.octets),
      segments: sum(counts, (c) => c.segments),
      batches: sum(counts, (c) => c.batches),
      syncs: sum(counts, (c) => c.syncs),
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((spool) => spool.close()))
  }

  #holder(id: TraceId): Spool | undefined {
    return this.#all.find((spool) => spool.get(id) !== undefined)
  }
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
