/**
 * Lists of recipients as metrics. A relay may have ten thousand of them, so no domain is a label: how many are good, how old
 * the oldest is, and for the rest there is `vorposten recipients status --failing`.
 */
import type { Snapshot } from '#report/metrics.ts'
import type { ListSource, ListState } from '#store/recipient-lists.ts'

const SOURCES: readonly ListSource[] = ['imported', 'file', 'ldap']

/** Lists that are in use, with what is known of them. */
export interface ListInUse {
  readonly source: ListSource
  readonly state: ListState | undefined
}

/** `absent`: there is no list, so mail for its domain is deferred, or its server is asked. */
const standingOf = ({ state }: ListInUse): 'good' | 'failing' | 'absent' =>
  state?.loadedAtMs === undefined ? 'absent' : state.failures > 0 ? 'failing' : 'good'

export function listMetrics(lists: readonly ListInUse[], wallMs: number): Snapshot {
  const of = (source: ListSource) => lists.filter((list) => list.source === source)
  const bySource = (value: (lists: readonly ListInUse[]) => number, name: string) =>
    Object.fromEntries(SOURCES.map((source) => [`${name}{source="${source}"}`, value(of(source))]))
  const age = ({ state }: ListInUse): number => Math.max(0, wallMs - (state?.loadedAtMs ?? wallMs)) / 1000
  return {
    vorposten_recipient_lists: {
      kind: 'gauge',
      help: 'Lists of recipients in use, by source and state',
      samples: Object.fromEntries(
        SOURCES.flatMap((source) =>
          ['good', 'failing', 'absent'].map((state) => [
            `vorposten_recipient_lists{source="${source}",state="${state}"}`,
            of(source).filter((list) => standingOf(list) === state).length,
          ]),
        ),
      ),
    },
    vorposten_recipient_list_entries: {
      kind: 'gauge',
      help: 'Addresses on lists in use',
      samples: bySource(
        (some) => some.reduce((sum, { state }) => sum + (state?.entries ?? 0), 0),
        'vorposten_recipient_list_entries',
      ),
    },
    vorposten_recipient_list_age_seconds: {
      kind: 'gauge',
      help: 'Since the oldest list in use was read, fetched or imported',
      samples: bySource(
        (some) => some.reduce((oldest, list) => Math.max(oldest, age(list)), 0),
        'vorposten_recipient_list_age_seconds',
      ),
    },
  }
}
