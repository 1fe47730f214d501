/**
 * No space for new mail: senders hear 452 4.3.1 before they send it, what is kept goes on to the customer, and when there
 * is space again mail is taken again, without anybody's help.
 */
import assert from 'node:assert/strict'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { runToEnd } from '../harness/child.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { tempFolder } from '../harness/temp-folder.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'

const MIB = 1024 * 1024

async function smallDisk(): Promise<AsyncDisposable & { readonly path: string }> {
  const { path, remove } = tempFolder('disk')
  await runToEnd('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', path])
  return {
    path,
    async [Symbol.asyncDispose]() {
      await runToEnd('umount', [path])
      remove()
    },
  }
}

test('452 while the disk is full, and delivery goes on', {
  skip: process.getuid?.() === 0 ? false : 'needs root: it mounts a small file system',
}, async () => {
  await using disk = await smallDisk()
  await using sink = await startSink({}, { started: false })
  const top = { 'data-folder': `${disk.path}/data`, spool: { 'free-space-min': '1MiB', 'segment-size': '1MiB' } }
  await using relay = await startVorposten({ config: bakery(sink.port, { commit: 'spool', top }) })
  using talk = await greeted(relay.port)
  const account = { accepted: 0, refused: 0 }
  const attempt = async (): Promise<string> => {
    await talk.say('MAIL FROM:<a@x.test>', /^250 /)
    await talk.say('RCPT TO:<anna@dest.test>', /^250 /)
    const atData = await talk.send('DATA').reply()
    const reply = atData.code === 354 ? await talk.content('Subject: x\r\n\r\nx\r\n') : atData
    account[reply.code === 250 ? 'accepted' : 'refused']++
    await talk.say('RSET', /^250 /)
    return `${atData.code} ${reply.text}`
  }
  assert.match(await attempt(), /^354 250 /)

  const { bavail, bsize } = statfsSync(disk.path)
  writeFileSync(`${disk.path}/filler`, Buffer.alloc(bavail * bsize - MIB / 2))
  // The disk is looked at once a second; from then on nobody is let as far as to send content.
  const full = async () => /^452 452 4\.3\.1 /.test(await attempt())
  await waitFor('452 to DATA', full)
  assert.equal((await relay.get('/healthz/ready')).status, 503)
  await sink.start()
  await relay.command('queue', 'flush')
  await sink.received(account.accepted)

  rmSync(`${disk.path}/filler`)
  await relay.logged(/spool-recovered/)
  assert.match(await attempt(), /^354 250 /)
  await sink.received(account.accepted)
  assert.equal((await relay.get('/healthz/ready')).status, 200)

  await assertAccount(relay, [sink], { ...account, delivered: account.accepted, held: 0 })
})
