import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ListState } from '#store/recipient-lists.ts'
import { listMetrics } from './list-metrics.ts'

const state = (more: Partial<ListState>): ListState => ({
  domain: 'x.test',
  tenant: 'bakery',
  source: 'ldap',
  entries: 10,
  loadedAtMs: 0,
  triedAtMs: 0,
  failures: 0,
  ...more,
})

test('lists are counted by source and state, never by domain', () => {
  const snapshot = listMetrics(
    [
      { source: 'ldap', state: state({ loadedAtMs: 90_000 }) },
      { source: 'ldap', state: state({ loadedAtMs: 40_000, failures: 3 }) },
      { source: 'ldap', state: undefined },
      // Imported once, now to come from a file that was never read.
      { source: 'file', state: state({ source: 'imported', failures: 1, loadedAtMs: 99_000 }) },
    ],
    100_000,
  )
  const samples = Object.assign({}, ...Object.values(snapshot).map((metric) => metric.samples))
  const some = Object.entries(samples).filter(([, value]) => value !== 0)
  assert.deepEqual(Object.fromEntries(some), {
    'vorposten_recipient_lists{source="file",state="failing"}': 1,
    'vorposten_recipient_lists{source="ldap",state="good"}': 1,
    'vorposten_recipient_lists{source="ldap",state="failing"}': 1,
    'vorposten_recipient_lists{source="ldap",state="absent"}': 1,
    'vorposten_recipient_list_entries{source="file"}': 10,
    'vorposten_recipient_list_entries{source="ldap"}': 20,
    'vorposten_recipient_list_age_seconds{source="file"}': 1,
    'vorposten_recipient_list_age_seconds{source="ldap"}': 60,
  })
  assert.equal(Object.keys(samples).length, 15)
})
