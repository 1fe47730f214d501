/** What is in quarantine, and what became of it, as metrics. docs/metrics.md lists them. */
import { QUARANTINE_CLASSES, type QuarantineClass } from '#mail/quarantine.ts'
import type { Snapshot } from '#report/metrics.ts'

type ByClass = Record<QuarantineClass, number>

const none = (): ByClass => Object.fromEntries(QUARANTINE_CLASSES.map((of) => [of, 0])) as ByClass

export class QuarantineCounts {
  readonly #entries = none()
  readonly #octets = none()
  readonly #ended = { released: none(), deleted: none(), expired: none() }
  readonly #refused = { tenant: 0, disk: 0 }

  constructor(totals: readonly { class: QuarantineClass; entries: number; octets: number }[]) {
    for (const { class: of, entries, octets } of totals) {
      this.#entries[of] = entries
      this.#octets[of] = octets
    }
  }

  added(of: QuarantineClass, octets: number): void {
    this.#entries[of]++
    this.#octets[of] += octets
  }

  ended(of: QuarantineClass, octets: number, how: 'deleted' | 'expired'): void {
    this.#entries[of]--
    this.#octets[of] -= octets
    this.#ended[how][of]++
  }

  released(of: QuarantineClass): void {
    this.#ended.released[of]++
  }

  refused(of: 'tenant' | 'disk'): void {
    this.#refused[of]++
  }

  snapshot(): Snapshot {
    const byClass = (name: string, counts: ByClass) =>
      Object.fromEntries(QUARANTINE_CLASSES.map((of) => [`${name}{class="${of}"}`, counts[of]]))
    const decided = Object.entries(this.#ended).flatMap(([action, counts]) =>
      QUARANTINE_CLASSES.map((of) => [
        `vorposten_quarantine_ended_total{action="${action}",class="${of}"}`,
        counts[of],
      ]),
    )
    return {
      vorposten_quarantine_messages: {
        kind: 'gauge',
        help: 'Messages in quarantine',
        samples: byClass('vorposten_quarantine_messages', this.#entries),
      },
      vorposten_quarantine_octets: {
        kind: 'gauge',
        help: 'What they count against the shares of their tenants',
        samples: byClass('vorposten_quarantine_octets', this.#octets),
      },
      vorposten_quarantine_ended_total: {
        kind: 'counter',
        help: 'Releases, deletions, and messages that nobody decided about in time',
        samples: Object.fromEntries(decided) as Record<string, number>,
      },
      vorposten_quarantine_full_total: {
        kind: 'counter',
        help: 'Messages that could not be taken for want of room, by whose',
        samples: Object.fromEntries(
          Object.entries(this.#refused).map(([of, count]) => [`vorposten_quarantine_full_total{of="${of}"}`, count]),
        ),
      },
    }
  }
}
