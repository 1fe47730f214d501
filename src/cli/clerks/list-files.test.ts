import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openStore } from '#store/database.ts'
import { ListReader, RECIPIENT_LISTS, RecipientLists } from '#store/recipient-lists.ts'
import { ListFiles } from './list-files.ts'

function bench(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'list-files-'))
  const database = openStore(':memory:', [RECIPIENT_LISTS])
  t.after(() => {
    database.close()
    rmSync(folder, { recursive: true })
  })
  let nowMs = 0
  const clock = { wall: () => nowMs, monotonic: () => nowMs, after: () => () => {} }
  const log: string[] = []
  const changed: string[] = []
  const lists = new RecipientLists(database)
  const open = () =>
    new ListFiles({ lists, clock, log: (line) => log.push(line), changed: async (domain) => void changed.push(domain) })
  const path = (domain: string) => join(folder, domain)
  return {
    files: open(),
    /** As after a restart. */
    open,
    lists,
    log,
    changed,
    path,
    job: (domain: string) => ({ domain, tenant: 'bakery', path: path(domain) }),
    write: (domain: string, ...lines: string[]) =>
      writeFileSync(path(domain), lines.map((line) => `${line}\n`).join('')),
    has: (name: string, domain = 'x.test') => new ListReader(database).has(domain, `${name}@${domain}`)?.listed,
    pass: (ms: number) => void (nowMs += ms),
  }
}

test('files are read when they are named, again when they have changed, and not otherwise', async (t) => {
  const { files, open, job, write, has, changed, lists, pass, log } = bench(t)
  write('x.test', 'anna')
  write('y.test', 'carl')
  await files.replace([job('x.test'), job('y.test')])
  assert.deepEqual(changed, ['x.test', 'y.test'])
  assert.deepEqual([has('anna'), has('bert'), has('carl', 'y.test')], [true, false, true])
  write('x.test', 'bert')
  pass(1000)
  await open().replace([job('x.test'), job('y.test')])
  assert.deepEqual(changed, ['x.test', 'y.test', 'x.test'])
  assert.deepEqual([has('anna'), has('bert')], [false, true])
  // What has not changed is as good as new.
  assert.deepEqual(
    lists.states().map(({ loadedAtMs }) => loadedAtMs),
    [1000, 1000],
  )
  // Touched, and the same.
  write('x.test', '# by the panel', 'bert')
  await files.replace([job('x.test')])
  assert.equal(changed.length, 3)
  assert.equal(files.has('y.test'), false)
  assert.deepEqual(log, [])
})

test('a faulty file keeps the last list, says where, and is read again the next time', async (t) => {
  const { files, job, write, has, log, lists, path } = bench(t)
  write('x.test', 'anna', 'b c', 'x@other.test')
  await files.replace([job('x.test')])
  assert.equal(has('anna'), undefined)
  const place = `${path('x.test')}:2:1: "b c" is not`
  assert.ok(
    log[0]?.startsWith(
      `alarm: recipients of x.test not read, there is no list yet, so mail for it is deferred: ${place}`,
    ),
  )
  assert.match(log[0] ?? '', /\(and 1 further faults\)$/)
  write('x.test', 'anna')
  await files.replace([job('x.test')])
  assert.equal(has('anna'), true)
  write('x.test', 'bert', '"')
  for (let times = 1; times < 3; times++) {
    await files.replace([job('x.test')])
    assert.match(log.at(-1) ?? '', /^alarm: recipients of x\.test not read, the last good list stays: .*:2:1: /)
    assert.equal(lists.state('x.test')?.failures, times)
  }
  assert.deepEqual([has('anna'), has('bert')], [true, false])
  rmSync(path('x.test'))
  await files.replace([job('x.test')])
  assert.match(log.at(-1) ?? '', /x\.test does not exist$/)
  assert.equal(has('anna'), true)
  // As it was when it was good: the trouble is over.
  write('x.test', 'anna')
  await files.replace([job('x.test')])
  const { failures, error } = lists.state('x.test') ?? {}
  assert.deepEqual([failures, error], [0, undefined])
  write('x.test', 'b c')
  await files.replace([job('x.test')])
  write('x.test', 'bert')
  await files.replace([job('x.test')])
  assert.deepEqual([has('bert'), lists.state('x.test')?.error], [true, undefined])
})

test('a file that is back ends the trouble; a list that was imported before is the file’s from now on', async (t) => {
  const { files, job, write, changed, lists, path } = bench(t)
  const staged = lists.stage('x.test')
  await staged.add([{ key: 'anna@x.test' }])
  await staged.commit({ tenant: 'bakery', source: 'imported' }, 0)
  write('x.test', 'anna')
  await files.replace([job('x.test')])
  assert.equal(lists.state('x.test')?.source, 'file')
  assert.deepEqual(changed, ['x.test'])
  renameSync(path('x.test'), path('away'))
  await files.replace([job('x.test')])
  assert.equal(lists.state('x.test')?.failures, 1)
  renameSync(path('away'), path('x.test'))
  await files.replace([job('x.test')])
  assert.equal(lists.state('x.test')?.failures, 0)
  assert.deepEqual(changed, ['x.test'])
})

test('a file that lost its people counts by force only', async (t) => {
  const { files, job, write, has, log } = bench(t)
  const people = Array.from({ length: 60 }, (_, i) => `user${i}`)
  write('x.test', ...people)
  await files.replace([job('x.test')])
  for (const left of [[], people.slice(20)]) {
    write('x.test', ...left)
    await files.replace([job('x.test')])
    assert.equal(has('user0'), true)
    await assert.rejects(files.refresh('x.test', false), /list was kept \(If that is right: .* --force\)/)
  }
  assert.match(log.at(-1) ?? '', /lacks 20 of 60 addresses/)
  const { difference } = await files.refresh('x.test', true)
  assert.equal(difference.removed, 20)
  assert.equal(has('user0'), false)
})

test('a reload while a file is read counts; what it no longer names is not read', async (t) => {
  const { files, job, write, has } = bench(t)
  write('x.test', 'anna')
  write('y.test', 'anna')
  const first = files.replace([job('x.test'), job('y.test')])
  const second = files.replace([job('x.test')])
  await Promise.all([first, second])
  assert.deepEqual([has('anna'), has('anna', 'y.test')], [true, undefined])
  write('y.test', 'bert')
  const last = files.replace([job('y.test')])
  files.close()
  await last
  assert.equal(has('bert', 'y.test'), undefined)
})

test('the workers cannot be told: the list counts all the same, and is not thrown away', async (t) => {
  const { lists, job, write, has } = bench(t)
  const clock = { wall: () => 0, monotonic: () => 0, after: () => () => {} }
  const changed = () => Promise.reject(new Error('the store is read-only'))
  const files = new ListFiles({ lists, clock, log: () => {}, changed })
  write('x.test', 'anna')
  await files.replace([job('x.test')])
  await lists.sweep()
  assert.equal(has('anna'), true)
})
