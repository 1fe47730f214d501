import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding } from '#mail/finding.ts'
import { openStore } from './database.ts'
import { FINDING_DAYS_MAX, FINDINGS, FINDINGS_MAX, FindingsStore } from './findings.ts'

const DAY_MS = 86_400_000
const NOON = Date.UTC(2026, 10, 24, 12)
const finding = (given: Partial<Finding> = {}): Finding => ({
  tenant: 'bakery',
  route: 'bakery/shop',
  prerequisite: 'R3',
  symbol: 'content-refused',
  evidence: '554 virus',
  ...given,
})
const store = () => new FindingsStore(openStore(':memory:', [FINDINGS]))

test('findings of one day and kind are one row, with the newest evidence', () => {
  const findings = store()
  findings.add({ finding: finding(), count: 2 }, NOON)
  findings.add({ finding: finding({ evidence: '554 worm' }), count: 3 }, NOON + 1000)
  findings.add({ finding: finding(), count: 1 }, NOON + DAY_MS)
  findings.add({ finding: finding({ tenant: 'school', route: 'school/main' }), count: 1 }, NOON)
  const rows = findings.list({ tenant: 'bakery', rowsMax: 10 })
  assert.deepEqual(
    rows.map(({ day, count, evidence, atMs }) => [day, count, evidence, atMs]),
    [
      ['2026-11-25', 1, '554 virus', NOON + DAY_MS],
      ['2026-11-24', 5, '554 worm', NOON + 1000],
    ],
  )
  assert.equal(findings.list({ rowsMax: 10 }).length, 3)
  assert.equal(findings.list({ rowsMax: 1 }).length, 1)
})

test('the oldest go: after a quarter, and when there are too many', () => {
  const findings = store()
  findings.add({ finding: finding(), count: 1 }, NOON - (FINDING_DAYS_MAX + 1) * DAY_MS)
  findings.add({ finding: finding(), count: 1 }, NOON - FINDING_DAYS_MAX * DAY_MS)
  findings.prune(NOON)
  assert.equal(findings.list({ rowsMax: 10 }).length, 1)
  for (let i = 0; i < FINDINGS_MAX; i++) findings.add({ finding: finding({ route: `bakery/${i}` }), count: 1 }, NOON)
  findings.prune(NOON)
  const rows = findings.list({ rowsMax: FINDINGS_MAX + 10 })
  assert.equal(rows.length, FINDINGS_MAX)
  assert.ok(rows.every(({ day }) => day === '2026-11-24'))
})
