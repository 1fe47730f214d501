import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStore } from './database.ts'
import { GroupCommit } from './group-commit.ts'

const PART = { name: 'x', steps: ['CREATE TABLE x (n INTEGER PRIMARY KEY) STRICT'] }

function bench() {
  const database = openStore(':memory:', [PART])
  const begun: string[] = []
  const exec = database.exec.bind(database)
  database.exec = (sql) => {
    begun.push(sql)
    exec(sql)
  }
  const commits = new GroupCommit(database)
  const add = (n: number) => commits.run(() => Number(database.prepare('INSERT INTO x VALUES (?)').run(n).changes))
  const count = () => Number(database.prepare('SELECT count(*) AS n FROM x').get()?.['n'])
  return { database, commits, add, begun, count }
}

test('what is asked for at the same time is one transaction, in order; what comes later is another', async () => {
  const { add, begun, count } = bench()
  assert.deepEqual(await Promise.all([add(1), add(2), add(3)]), [1, 1, 1])
  assert.deepEqual(begun, ['BEGIN IMMEDIATE', 'COMMIT'])
  await add(4)
  assert.equal(begun.length, 4)
  assert.equal(count(), 4)
})

test('a work that fails takes its transaction with it, and nothing else', async () => {
  const { add, commits, count } = bench()
  const results = await Promise.allSettled([add(1), add(1), add(2)])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  )
  assert.equal(count(), 0)
  assert.equal(await add(1), 1)
  const last = add(5)
  commits.flush()
  assert.equal(count(), 2)
  await last
})
