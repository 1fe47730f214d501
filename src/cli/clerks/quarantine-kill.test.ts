/**
 * A real process on a real disk is killed (SIGKILL) while it puts messages into quarantine and deletes some, again and again in
 * one folder. What it said is kept must be there, whole; what it said is deleted must be gone; and no file stays that
 * nobody needs.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Config } from '#config/config.ts'
import { content } from '#mail/content.ts'
import type { KeepAnswer } from '#mail/quarantine.ts'
import { traceIds } from '#mail/trace-id.ts'
import { Contents } from '#quarantine/contents.ts'
import { Keeper } from '#quarantine/keeper.ts'
import { openStore } from '#store/database.ts'
import { GroupCommit } from '#store/group-commit.ts'
import { QUARANTINE, QuarantineReader } from '#store/quarantine.ts'
import { QUARANTINE_ACCESS } from '#store/quarantine-access.ts'
import { systemClock } from '#sys/clock.ts'
import { systemDisk } from '#sys/disk.ts'
import { QuarantineClerk } from './quarantine.ts'
import { quarantined } from './quarantine-testing.ts'

const KILLS = Number(process.env['QUARANTINE_TEST_KILLS'] ?? 5)
const PRODUCERS = 6
const CONFIG = {
  quarantine: { keepMs: 1e9, octetsMax: 1e12 },
  spool: { freeOctetsMin: 0 },
  tenants: [],
} as unknown as Config
const say = (what: string, id: string): unknown => writeSync(1, `${what} ${id}\n`)

async function open(folder: string) {
  const database = openStore(join(folder, 'store.db'), [QUARANTINE, QUARANTINE_ACCESS])
  const contents = new Contents(join(folder, 'quarantine'), systemDisk)
  const newTraceId = traceIds(1, Date.now, Math.random)
  const commits = new GroupCommit(database)
  const parts = {
    database,
    contents,
    commits,
    newTraceId,
    config: CONFIG,
    clock: systemClock,
    wallMs: Date.now,
    workers: 1,
  }
  const clerk = new QuarantineClerk({ ...parts, log: () => {} })
  await clerk.prepare()
  await clerk.collectOrphans()
  return { database, contents, clerk, newTraceId }
}

/** Kept `K`; about to be deleted `V`; deleted `D`. Every fourth content is one that others have, too. */
async function victim(folder: string): Promise<void> {
  const { contents, clerk, newTraceId } = await open(folder)
  const keeper = new Keeper(contents, {
    room: async () => undefined,
    keep: async (entry) => (await clerk.answer('keep', entry)) as KeepAnswer,
  })
  const produce = async (producer: number) => {
    for (let i = producer; ; i++) {
      const id = newTraceId()
      const body = Buffer.alloc(500 + ((i * 977) % 60_000), i % 4 === 0 ? 'shared' : id)
      const { trace, hash, octets, ...entry } = quarantined({ id })
      const kept = await keeper.keep(entry, content([Buffer.from(trace), body]), trace.length)
      assert.equal(kept.kind, 'kept')
      say('K', id)
      if (i % 3 !== 0) continue
      say('V', id)
      await clerk.command('delete', { ids: [id], who: 'victim' })
      say('D', id)
    }
  }
  await Promise.all(Array.from({ length: PRODUCERS }, (_, producer) => produce(producer)))
}

async function killOnce(folder: string, afterMs: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [import.meta.filename, 'victim', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let heard = ''
  child.stdout.setEncoding('latin1')
  child.stdout.on('data', (text: string) => {
    heard += text
  })
  const ended = once(child, 'close')
  await Promise.race([
    once(child.stdout, 'data'),
    ended.then(() => assert.fail('the victim ended before it was killed')),
  ])
  await new Promise((resolve) => setTimeout(resolve, afterMs))
  child.kill('SIGKILL')
  await ended
  return heard.split('\n').slice(0, -1)
}

async function check(folder: string, kept: ReadonlySet<string>, deleted: ReadonlySet<string>): Promise<void> {
  const { database, contents, clerk } = await open(folder)
  const reader = new QuarantineReader(database)
  for (const id of deleted) assert.equal(reader.find(id), undefined, `${id} was deleted and is there`)
  const needed = new Set<string>()
  for (const id of kept) {
    const entry = reader.find(id) ?? assert.fail(`${id} was promised and is not there`)
    const found = await contents.read(entry.hash)
    assert.equal(found.kind, 'content', `the content of ${id} is ${found.kind}`)
  }
  for (const row of database.prepare('SELECT DISTINCT hash FROM quarantine_entries').all())
    needed.add(String(row['hash']))
  assert.deepEqual(new Set(await Array.fromAsync(contents.hashes())), needed)
  assert.deepEqual(await readdir(join(folder, 'quarantine', 'incoming')), [])
  await clerk.close()
  database.close()
}

if (process.argv[2] === 'victim') await victim(process.argv[3]!)
else {
  test(`${KILLS} kills: nothing that was promised is lost, nothing stays that nobody needs`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'quarantine-kill-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const kept = new Set<string>()
    const deleted = new Set<string>()
    for (let kill = 0; kill < KILLS; kill++) {
      for (const line of await killOnce(folder, 20 + ((kill * 37) % 150))) {
        const [what, id = ''] = line.split(' ')
        if (what === 'K') kept.add(id)
        else kept.delete(id)
        if (what === 'D') deleted.add(id)
      }
      await check(folder, kept, deleted)
    }
    assert.ok(kept.size > 0 && deleted.size > 0, `${kept.size} kept, ${deleted.size} deleted`)
    t.diagnostic(`${kept.size} kept, ${deleted.size} deleted`)
  })
}
