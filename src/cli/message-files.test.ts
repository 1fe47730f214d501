/** Messages in bulk: files, folders and mailboxes, with CRLF whatever they had. */
import assert from 'node:assert/strict'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { tempFolder } from '../../test/harness/temp-folder.ts'
import { withCrlf } from './message-file.ts'
import { messagesIn } from './message-files.ts'

async function found(folder: string, paths = [folder]): Promise<[string, string][]> {
  const all: [string, string][] = []
  for await (const { name, content } of messagesIn(paths))
    all.push([relative(folder, name), Buffer.concat(content.chunks).toString('latin1')])
  return all
}

test('each message once, with a name by which it is found again', async () => {
  using folder = tempFolder('messages')
  const at = (name: string) => join(folder.path, name)
  await mkdir(at('below'))
  await writeFile(at('a.eml'), 'Subject: a\n\nx\r\ny')
  await writeFile(at('.hidden'), 'x')
  await writeFile(at('empty'), '')
  await symlink(folder.path, at('round'))
  const long = 'z'.repeat(200_000)
  await writeFile(
    at('below/m.mbox'),
    `From a@b Mon\nSubject: 1\n\n>From x\n>>From y\nFrom there\n${long}\n\nFrom c@d Tue\r\nSubject: 2\r\n\r\nlast`,
  )
  await writeFile(at('below/only-from'), 'From ')
  assert.deepEqual(await found(folder.path), [
    ['a.eml', 'Subject: a\r\n\r\nx\r\ny'],
    ['below/m.mbox#1', `Subject: 1\r\n\r\nFrom x\r\n>From y\r\nFrom there\r\n${long}\r\n\r\n`],
    ['below/m.mbox#2', 'Subject: 2\r\n\r\nlast'],
  ])
})

test('what does not begin as a mailbox is one message, whatever it holds', async () => {
  using folder = tempFolder('messages')
  const file = join(folder.path, 'one')
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('\n', 'From a\n', '>From b\n', 'x', '\r', ' ')), async (pieces) => {
      const text = `S: 1\n${pieces.join('')}`
      await writeFile(file, text)
      assert.deepEqual(await found(folder.path, [file]), [['one', withCrlf(Buffer.from(text)).toString()]])
    }),
    { numRuns: 100 },
  )
})
