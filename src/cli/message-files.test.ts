/** Messages in bulk: files, folders and mailboxes, with CRLF whatever they had. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { messagesIn } from './message-files.ts'

test('each message once, with a name by which it is found again', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'vorposten-messages-'))
  t.after(() => rm(folder, { recursive: true }))
  await mkdir(join(folder, 'below'))
  await writeFile(join(folder, 'a.eml'), 'Subject: a\n\nx\r\ny')
  await writeFile(join(folder, '.hidden'), 'x')
  await writeFile(join(folder, 'empty'), '')
  const long = 'z'.repeat(200_000)
  await writeFile(
    join(folder, 'below', 'm.mbox'),
    `From a@b Mon\nSubject: 1\n\n>From x\nxFrom y\n${long}\nFrom c@d Tue\r\nSubject: 2\r\n\r\nlast`,
  )
  const found: [string, string][] = []
  for await (const { name, content } of messagesIn([folder]))
    found.push([relative(folder, name), Buffer.concat(content.chunks).toString()])
  assert.deepEqual(found, [
    ['a.eml', 'Subject: a\r\n\r\nx\r\ny'],
    [join('below', 'm.mbox#1'), `Subject: 1\r\n\r\n>From x\r\nxFrom y\r\n${long}\r\n`],
    [join('below', 'm.mbox#2'), 'Subject: 2\r\n\r\nlast'],
    ['empty', ''],
  ])
})
