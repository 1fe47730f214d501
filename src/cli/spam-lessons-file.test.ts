/** A file of lessons is read whole or not at all. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lessonsFile, readLessonsFile } from './spam-lessons-file.ts'

test('a file of lessons is read whole or not at all', () => {
  const one = {
    isSpam: true,
    teacher: 'operator',
    source: 'admin',
    atMs: 5,
    features: Buffer.of(0, 0, 0).toString('base64'),
  }
  const file = lessonsFile([one, one])
  assert.deepEqual(readLessonsFile(Buffer.from(file)), [one, one])
  assert.equal(readLessonsFile(Buffer.from('')), 'it is no file of lessons')
  assert.equal(readLessonsFile(Buffer.from(file.slice(0, -20))), 'it is cut')
  assert.equal(readLessonsFile(Buffer.from(file.replace('admin', 'Admin'))), 'its digest is wrong')
  assert.equal(readLessonsFile(Buffer.from(lessonsFile([{ ...one, features: 'gICA' }]))), 'lesson 1 is damaged')
  const newer = file.replace('"version":1', '"version":2')
  assert.equal(readLessonsFile(Buffer.from(newer)), 'it is of version 2, and 1 is what this release reads')
})
