/** The spam filter's memory of one worker: a reader of the store, and the batches that go to the desk. */
import type { Report } from '#mail/event.ts'
import type { Judged } from '#scan/spam/memory/near-duplicates.ts'
import { SpamMemory } from '#scan/spam/memory/spam-memory.ts'
import { readNames } from '#store/remembered-names.ts'
import { CorrespondentReader } from '#store/spam-correspondents.ts'
import { SpamSenderReader } from '#store/spam-senders.ts'
import { SpamTextStore } from '#store/spam-texts.ts'
import { steadyWallOf } from '#store/steady-wall.ts'
import type { Clock } from '#sys/clock.ts'
import { spamLessonsFor } from '../relay/spam-lessons.ts'
import type { Shared } from './assemble.ts'
import type { SpamMemoryNews } from './clerks/spam-memory.ts'
import { SpamMemoryBatch } from './spam-memory-batch.ts'

export interface RememberedSpam {
  readonly memory: SpamMemory
  /** The report, with an ear for what the path shows. */
  readonly ear: (report: Report) => Report
  /** The desk says what other workers saw, and what people said. */
  news(news: SpamMemoryNews): void
  flush(): Promise<void>
}

/** Absent: a worker that runs alone remembers nothing. */
export function rememberedSpam(shared: Shared | undefined, worker: number, clock: Clock): RememberedSpam | undefined {
  if (shared === undefined) return undefined
  const { store, desk } = shared
  const wall = steadyWallOf(store, clock)
  const batch = new SpamMemoryBatch(clock, worker, desk)
  const memory = new SpamMemory({
    senders: new SpamSenderReader(store),
    correspondents: new CorrespondentReader(store),
    names: readNames(store),
    wallMs: () => wall.now(),
    tell: batch,
  })
  const texts = new SpamTextStore(store).all(wall.now())
  memory.judged(texts.map(({ high, low, ...text }): Judged => ({ ...text, fingerprint: [high, low] })))
  return {
    memory,
    ear: (report) => spamLessonsFor(batch, report),
    news({ worker: from, sightings = [], judged = [] }) {
      memory.judged(judged)
      if (from !== worker) memory.sawElsewhere(sightings)
    },
    flush: () => batch.flush(),
  }
}
