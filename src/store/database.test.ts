import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { beforehand, inTransaction, NewerStore, openStore, readStore } from './database.ts'

const PETS = { name: 'pets', steps: ['CREATE TABLE pets (name TEXT PRIMARY KEY) STRICT'] }
const MORE_PETS = { name: 'pets', steps: [...PETS.steps, 'ALTER TABLE pets ADD COLUMN legs INTEGER'] }

function path(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'store-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'store.db')
}

test('a part is brought up step by step, and each step runs once', (t) => {
  const file = path(t)
  const first = openStore(file, [PETS])
  first.exec("INSERT INTO pets VALUES ('cat')")
  first.close()
  openStore(file, [PETS]).close()
  const second = openStore(file, [MORE_PETS])
  assert.deepEqual({ ...second.prepare('SELECT * FROM pets').get() }, { name: 'cat', legs: null })
  second.close()
})

test('a file of a newer release is not touched', (t) => {
  const file = path(t)
  openStore(file, [MORE_PETS]).close()
  assert.throws(() => openStore(file, [PETS]), NewerStore)
})

test('a step that fails leaves the part as it was', (t) => {
  const file = path(t)
  openStore(file, [PETS]).close()
  const broken = { name: 'pets', steps: [...MORE_PETS.steps, 'ALTER TABLE nobody ADD COLUMN x'] }
  assert.throws(() => openStore(file, [broken]), /no such table/)
  openStore(file, [MORE_PETS]).close()
})

test('a reader sees what was committed, cannot write, and an undone transaction leaves nothing', (t) => {
  const writer = openStore(path(t), [PETS])
  const reader = readStore(writer.location()!)
  const insert = writer.prepare('INSERT INTO pets VALUES (?)')
  const names = () => reader.prepare('SELECT name FROM pets').all()
  inTransaction(writer, () => insert.run('dog'))
  assert.throws(() =>
    inTransaction(writer, () => {
      insert.run('bee')
      insert.run('dog')
    }),
  )
  assert.deepEqual(
    names().map((row) => row['name']),
    ['dog'],
  )
  assert.throws(() => reader.exec("INSERT INTO pets VALUES ('ant')"), /readonly/)
  reader.close()
  writer.close()
})

test('what is written beforehand is not synced, and everything after it is', () => {
  const database = openStore(':memory:', [])
  const level = () => database.prepare('PRAGMA synchronous').get()?.['synchronous']
  assert.equal(level(), 2)
  assert.equal(beforehand(database, level), 1)
  assert.equal(level(), 2)
  const fails = () => {
    throw new Error('disk full')
  }
  assert.throws(() => beforehand(database, () => inTransaction(database, fails)), /disk full/)
  assert.equal(level(), 2)
  database.close()
})

test('a transaction that SQLite has undone itself says why, and the next one works', () => {
  const database = openStore(':memory:', [{ name: 'a', steps: ['CREATE TABLE a (b TEXT) STRICT'] }])
  const pages = Number(database.prepare('PRAGMA page_count').get()?.['page_count'])
  database.exec(`PRAGMA max_page_count = ${pages}`)
  const insert = (octets: number) =>
    inTransaction(database, () => database.prepare('INSERT INTO a VALUES (?)').run('x'.repeat(octets)))
  assert.throws(() => insert(1_000_000), /full/)
  insert(10)
  assert.equal(database.prepare('SELECT count(*) AS n FROM a').get()?.['n'], 1)
})
