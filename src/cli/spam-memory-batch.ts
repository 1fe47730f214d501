/**
 * What a worker's spam filter learns, on its way to the desk: evidence of one sender is added up, since a flood has much of it.
 * What a killed worker had not yet told is lost, a second of verdicts; what people say is told at once.
 */

import type { AskDesk } from '#recipients/shared-memory.ts'
import type { Judged, Sighting } from '#scan/spam/memory/near-duplicates.ts'
import { type Evidence, together } from '#scan/spam/memory/reputation.ts'
import type { SenderEvidence, Written } from '#scan/spam/memory/spam-memory.ts'
import type { Clock } from '#sys/clock.ts'
import { Batch } from './batch.ts'
import type { SpamMemoryQuestions } from './clerks/spam-memory.ts'

const BATCH_MS = 1_000
/** Senders at a time: the desk writes them in one transaction, in some tens of ms. */
export const BATCH_MAX = 1_000
/** Messages that other workers hear of: beyond these, in two seconds, one knows what is going on. */
const SIGHTINGS_MS = 2_000
export const SIGHTINGS_MAX = 2_000

type Answers = { [About in keyof SpamMemoryQuestions]: SpamMemoryQuestions[About]['body'] }

export class SpamMemoryBatch {
  readonly #evidence: Batch<SenderEvidence>
  readonly #written: Batch<Written>
  readonly #seen: Batch<Sighting>
  readonly #say: <About extends keyof Answers>(about: About, body: Answers[About]) => Promise<unknown>
  #sightings = 0

  /** `worker`: its number; so it does not hear of its own messages again. Absent desk: nobody is told. */
  constructor(clock: Clock, worker: number, desk: AskDesk | undefined) {
    this.#say = async (about, body) => desk?.(about, body)
    const common = { clock, afterMs: BATCH_MS, max: BATCH_MAX, whenFull: 'tell' } as const
    this.#evidence = new Batch({ ...common, tell: (batch) => this.#say('spam-memory/evidence', batch) })
    this.#written = new Batch({ ...common, tell: (batch) => this.#say('spam-memory/written', batch) })
    this.#seen = new Batch({
      clock,
      afterMs: SIGHTINGS_MS,
      max: SIGHTINGS_MAX,
      whenFull: 'drop',
      tell: (sightings) => this.#say('spam-memory/seen', { worker, sightings }),
    })
  }

  evidence({ tenant, sender, evidence }: SenderEvidence): void {
    const key = `${tenant ?? ''}\0${sender.kind}\0${sender.name}`
    this.#evidence.put(key, (before) => ({
      ...(tenant !== undefined && { tenant }),
      sender,
      evidence: before === undefined ? evidence : together(before.evidence, evidence),
    }))
    if (isOfPeople(evidence)) void this.#evidence.flush()
  }

  wrote(written: Written): void {
    this.#written.put(`${written.tenant}\0${written.messageId ?? written.addresses.join(' ')}`, () => written)
  }

  seen(sighting: Sighting): void {
    this.#seen.put(String(this.#sightings++), () => sighting)
  }

  judged(judged: Judged): void {
    void this.#say('spam-memory/judged', judged).catch(() => {})
  }

  /** Never rejects. */
  async flush(): Promise<void> {
    await Promise.all([this.#evidence.flush(), this.#written.flush()])
  }
}

const isOfPeople = ({ sureGood, sureBad }: Evidence): boolean => sureGood + sureBad > 0
