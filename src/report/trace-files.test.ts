import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { newTraceId, WALL_MS } from '#mail/testing.ts'
import { HandClock } from '#queue/testing.ts'
import { WorkerReport } from './report.ts'
import { oneOfEach } from './testing.ts'
import { pruneTrace, readTrace, TRACE_KEEP_MS, TRACE_OCTETS_MAX, TraceFiles, traceIdMs } from './trace-files.ts'

const HOUR = 3_600_000

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'trace-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

/** The writer writes when it can; the file is there when it is there. */
async function eventually<T>(read: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < 500; i++) {
    const found = await read().catch(() => undefined)
    if (found !== undefined) return found
    await wait(10)
  }
  throw new Error('it did not happen')
}

test('an id tells its time', () => assert.equal(traceIdMs(newTraceId()), WALL_MS))

test('records are read back over workers and hours, in order of time', async (t) => {
  const folder = await folderFor(t)
  const id = newTraceId()
  const write = (worker: number, atMs: number, of: string, field = 'id') => {
    const files = new TraceFiles(folder, worker)
    const time = new Date(atMs).toISOString()
    files.write(`${JSON.stringify({ time, event: `e${worker}`, [field]: of })}\n`, atMs)
    files.end()
  }
  write(1, WALL_MS + 2 * HOUR, id)
  write(0, WALL_MS, id)
  write(2, WALL_MS + 5, id, 'session')
  write(3, WALL_MS + 6, newTraceId())
  write(4, WALL_MS + 7, `${id}x`)
  write(5, WALL_MS - 3 * HOUR, id)
  await eventually(async () => ((await readdir(folder)).length === 6 ? true : undefined))
  const records = await eventually(async () => {
    const found = await readTrace(folder, id)
    return found.length >= 3 ? found : undefined
  })
  assert.deepEqual(
    records.map(({ event }) => event),
    ['e0', 'e2', 'e1'],
  )
})

test('the messages into which a transaction was split belong to its story', async (t) => {
  const folder = await folderFor(t)
  const [id, part, stranger] = [newTraceId(), newTraceId(), newTraceId()]
  const files = new TraceFiles(folder, 0)
  const write = (seconds: number, event: string, facts: object) => {
    const time = new Date(WALL_MS + seconds * 1000).toISOString()
    files.write(`${JSON.stringify({ time, event, ...facts })}\n`, WALL_MS)
  }
  write(0, 'accepted', { id })
  write(1, 'split', { id, part })
  write(2, 'attempted', { id: part })
  write(3, 'attempted', { id })
  write(4, 'split', { id: stranger, part: newTraceId() })
  files.end()
  const events = async (of: typeof id, count: number) =>
    eventually(async () => {
      const found = (await readTrace(folder, of)).map(({ event, id: whose }) => `${event} ${whose === part}`)
      return found.length >= count ? found : undefined
    })
  assert.deepEqual(await events(id, 4), ['accepted false', 'split false', 'attempted true', 'attempted false'])
  assert.deepEqual(await events(part, 2), ['split false', 'attempted true'])
})

test('a line cut by a crash is no record, and hides no other', async (t) => {
  const folder = await folderFor(t)
  const id = newTraceId()
  const record = (event: string) => `${JSON.stringify({ time: 'T', event, id })}\n`
  const name = join(folder, `${new Date(WALL_MS).toISOString().slice(0, 13)}.0.jsonl`)
  await writeFile(name, record('one') + record('cut').slice(0, -2))
  await writeFile(name.replace('.0.', '.1.'), record('two'))
  await writeFile(join(folder, 'notes.txt'), record('three'))
  assert.deepEqual(
    (await readTrace(folder, id)).map(({ event }) => event),
    ['one', 'two'],
  )
})

test('files end after their retention, and the oldest where all together are too large', async (t) => {
  const folder = await folderFor(t)
  const fileAt = (ageMs: number, worker = 0) =>
    `${new Date(WALL_MS - ageMs).toISOString().slice(0, 13)}.${worker}.jsonl`
  const old = fileAt(TRACE_KEEP_MS + HOUR)
  const kept = [fileAt(TRACE_KEEP_MS), fileAt(2 * HOUR), fileAt(HOUR), fileAt(0), fileAt(0, 1)]
  for (const name of [...kept, old, 'notes.txt']) await writeFile(join(folder, name), 'x')
  await pruneTrace(folder, WALL_MS)
  assert.deepEqual((await readdir(folder)).sort(), [...kept, 'notes.txt'].sort())
  // Sparse: a large file that takes no space.
  await truncate(join(folder, fileAt(HOUR)), TRACE_OCTETS_MAX)
  await pruneTrace(folder, WALL_MS)
  assert.deepEqual((await readdir(folder)).sort(), [fileAt(0), fileAt(0, 1), 'notes.txt'].sort())
})

test('a folder that is not there yet is made', async (t) => {
  const folder = join(await folderFor(t), 'trace')
  await pruneTrace(folder, WALL_MS)
  assert.deepEqual(await readdir(folder), [])
})

test('a report writes lines and records, one each, and a hostile text begins none', async (t) => {
  const folder = await folderFor(t)
  const path = join(folder, 'log')
  const report = new WorkerReport({
    hostname: 'relay.example',
    format: 'both',
    destination: { path },
    traceFolder: join(folder, 'trace'),
    worker: 0,
    clock: new HandClock(),
  })
  const events = oneOfEach('x\nevil: \x1b[2J')
  for (const event of Object.values(events)) report.report(event)
  report.notice('started\nevil')
  report.end()
  const lines = await eventually(async () => {
    const text = await readFile(path, 'utf8')
    return text.includes('started') ? text.trimEnd().split('\n') : undefined
  })
  for (const line of lines)
    assert.match(line, /^(?:2027-01-15T08:00:01\.000Z relay\.example vorposten\/\w+\[\d+\]: |\{"time")/)
  assert.equal(lines.filter((line) => line.startsWith('{')).length, 14)
  assert.ok(lines.every((line) => !line.includes('\x1b')))
  const story = await eventually(async () => {
    const found = await readTrace(join(folder, 'trace'), events.accepted.id)
    return found.length > 0 ? found : undefined
  })
  assert.deepEqual(
    new Set(story.map(({ event }) => event)),
    new Set(['accepted', 'refused', 'discarded', 'scanned', 'attempted', 'dsn-sent', 'feedback', 'settled', 'split']),
  )
})

test('an event that cannot be told stops nobody', async (t) => {
  const folder = await folderFor(t)
  const destination = { path: join(folder, 'log') }
  const options = { hostname: 'relay.example', format: 'text', destination, worker: 0, clock: new HandClock() } as const
  const report = new WorkerReport(options)
  const { attempt } = oneOfEach()
  report.report({ ...attempt, attempt: { ...attempt.attempt, outcomes: [] } })
  const samples = report.metrics.snapshot()['vorposten_report_defects_total']?.samples
  assert.deepEqual(samples, { vorposten_report_defects_total: 1 })
  await eventually(async () => ((await readdir(folder)).length === 1 ? true : undefined))
  report.end()
})
