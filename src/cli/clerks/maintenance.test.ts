import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { directoryFrom } from '#config/directory.ts'
import { parseConfig } from '#config/parse.ts'
import { type Database, openStore } from '#store/database.ts'
import { OUTAGES_PART, OutagesStore } from '#store/outages.ts'
import { MaintenanceDesk } from './maintenance.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const databases = new Set<Database>()
after(() => {
  for (const database of databases) database.close()
})

function bench() {
  const parsed = parseConfig(
    'hostname: relay.test\ntenants: {bakery: {domains: {bakery.test: {deliver-to: mx.bakery.test}}}}\n',
    'test.yaml',
  )
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const directory = directoryFrom(parsed.config)
  const database = openStore(':memory:', [OUTAGES_PART])
  databases.add(database)
  const now = { ms: 1_000 * DAY + 0.25 }
  const parts = {
    store: new OutagesStore(database),
    wallMs: () => now.ms,
    directory: () => directory,
    changed: () => {},
  }
  const desk = new MaintenanceDesk(parts)
  const start = (untilMs: number) => desk.command('maintenance-start', { target: 'bakery.test', untilMs })
  /** What is told at this moment, and then known. */
  const tell = (whose = desk) => {
    const untold = whose.untold()
    for (const one of untold) whose.told(one)
    return untold.map((one) => one.tell)
  }
  return { now, start, tell, restarted: () => new MaintenanceDesk(parts) }
}

describe('the near end of a maintenance', () => {
  for (const [lasts, lead] of [
    [5 * DAY, DAY],
    [2 * DAY, DAY],
    [2 * DAY - HOUR, HOUR],
    [2 * HOUR, HOUR],
  ] as const) {
    it(`of ${lasts / HOUR} hours is told ${lead / HOUR} hours before it, once`, () => {
      const { now, start, tell, restarted } = bench()
      const untilMs = now.ms + lasts
      start(untilMs)
      assert.deepEqual(tell(), ['began'])
      assert.deepEqual(tell(), [])
      now.ms = untilMs - lead - MINUTE
      assert.deepEqual(tell(), [])
      now.ms = untilMs - lead + 1
      assert.deepEqual(tell(), ['ending'])
      assert.deepEqual([tell(), tell(restarted())], [[], []])
      now.ms = untilMs
      assert.deepEqual([tell(), tell()], [['ended'], []])
    })
  }

  it('of a short one is not: its begin has just told it', () => {
    const { now, start, tell } = bench()
    const untilMs = now.ms + 2 * HOUR - MINUTE
    start(untilMs)
    assert.deepEqual(tell(), ['began'])
    now.ms = untilMs - MINUTE
    assert.deepEqual(tell(), [])
  })

  it('is told again when the end was moved, before the new end', () => {
    const { now, start, tell } = bench()
    const untilMs = now.ms + 5 * DAY
    start(untilMs)
    tell()
    now.ms = untilMs - HOUR
    assert.deepEqual(tell(), ['ending'])
    start(untilMs + 5 * DAY)
    assert.deepEqual(tell(), [])
    now.ms = untilMs + 4 * DAY + MINUTE
    assert.deepEqual(tell(), ['ending'])
  })
})
