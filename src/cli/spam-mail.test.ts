import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { lessonsFile, readLessonsFile } from './spam-lessons-file.ts'
import { mailAt, messagesIn } from './spam-mail.ts'

const texts = (octets: string) => [...messagesIn(Buffer.from(octets))].map(String)

test('a mailbox file is its messages, a message is one', () => {
  const mbox = 'From a@b Mon Jan 1\nSubject: 1\n\n>From here\nFrom there\n\nFrom c@d Tue Jan 2\nSubject: 2\n\nx\n'
  assert.deepEqual(texts(mbox), ['Subject: 1\r\n\r\nFrom here\r\nFrom there\r\n\r\n', 'Subject: 2\r\n\r\nx\r\n'])
  assert.deepEqual(texts('Subject: 1\r\n\r\nFrom x\n'), ['Subject: 1\r\n\r\nFrom x\r\n'])
  assert.deepEqual(texts(''), [])
  assert.deepEqual(texts('From '), [])
})

test('folders are read through, in order, without what is hidden', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mail-'))
  mkdirSync(join(folder, 'cur'))
  writeFileSync(join(folder, 'cur', '2'), 'Subject: 2\n\n')
  writeFileSync(join(folder, 'cur', '1'), 'Subject: 1\n\n')
  writeFileSync(join(folder, '.index'), 'no mail')
  const found = (await Array.fromAsync(mailAt(folder))).map(String)
  assert.deepEqual(found, ['Subject: 1\r\n\r\n', 'Subject: 2\r\n\r\n'])
})

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
