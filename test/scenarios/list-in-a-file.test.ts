/**
 * A list of recipients stands in a file that something else writes. It counts from the first moment, a reload reads it
 * again, and a file that went wrong takes nobody away: the last good list stays, through a restart too.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { knows, startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { tempFolder } from '../harness/temp-folder.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'

const SESSIONS = 6

async function everywhere(relay: Vorposten, mailbox: string, expected: RegExp): Promise<void> {
  const talks = await Promise.all(Array.from({ length: SESSIONS }, () => greeted(relay.port)))
  for (const talk of talks) {
    await talk.say('MAIL FROM:<a@x.test>', /^250 /)
    await talk.say(`RCPT TO:<${mailbox}>`, expected)
    talk[Symbol.dispose]()
  }
}

test('a file says who exists, from the start and after each reload; a faulty one changes nothing', async () => {
  using folder = tempFolder()
  await using sink = await startSink()
  const file = `${folder.path}/staff`
  const write = (text: string) => writeFileSync(file, text)
  write('# staff\nanna # at the counter\nBert@dest.test\n')
  const config = bakery(sink.port, { recipients: { file, 'subaddress-separator': '+' } })
  await using relay = await startVorposten({ config, workers: 2 })
  await everywhere(relay, 'bert+bread@dest.test', /^250 /)
  await everywhere(relay, 'carl@dest.test', /^550 5\.1\.1 /)

  write('anna\ncarl\n')
  await relay.reload(config)
  await everywhere(relay, 'carl@dest.test', /^250 /)
  await everywhere(relay, 'bert@dest.test', /^550 5\.1\.1 /)

  write('anna\nb c\n')
  const from = relay.log().length
  await relay.reload(config)
  await relay.logged(
    /alarm: recipients of dest\.test not read, the last good list stays: .*staff:2:1: "b c" is not/,
    from,
  )
  await everywhere(relay, 'carl@dest.test', /^250 /)
  assert.match(
    (await relay.command('recipients', 'status')).text,
    /2 entries, file, .* old\n.*1 try failed: .*staff:2:1/,
  )
  const failing = await relay.command('recipients', 'status', '--failing')
  assert.equal(failing.code, 69)
  assert.match(failing.text, /^dest\.test: /)
  const checked = await relay.command('check-config')
  assert.equal(checked.code, 0)
  assert.match(checked.text, /staff:2:1: warning/)
  await relay.stop()
  await relay.start()
  await everywhere(relay, 'carl@dest.test', /^250 /)
  await everywhere(relay, 'bert@dest.test', /^550 5\.1\.1 /)

  write('')
  const empty = await relay.command('recipients', 'refresh', 'dest.test')
  assert.equal(empty.code, 65)
  assert.match(empty.text, /staff knows nobody; the list was kept .*--force/)
  write('anna\ndora\n')
  assert.match(
    (await relay.command('recipients', 'refresh', 'dest.test')).text,
    /\+ dora@dest\.test\n +- carl@dest\.test/,
  )
  await everywhere(relay, 'dora@dest.test', /^250 /)
  const imported = await relay.commandWithInput('anna\n', 'recipients', 'import', 'dest.test')
  assert.match(imported.text, /comes from a file/)
  await assertAccount(relay, [sink], { accepted: 0, delivered: 0, refused: SESSIONS, held: 0 })
})

test('who is not in the file is asked live, if the configuration says so; without the file nobody is refused for good', async () => {
  using folder = tempFolder()
  await using sink = await startSink(knows('anna@dest.test', 'bert@dest.test'))
  const file = `${folder.path}/staff`
  await using relay = await startVorposten({ config: bakery(sink.port, { recipients: { file } }) })
  await relay.logged(/alarm: recipients of dest\.test not read, there is no list yet, .*staff does not exist/)
  await everywhere(relay, 'anna@dest.test', /^450 4\.1\.1 /)
  writeFileSync(file, 'anna\n')
  await relay.reload(bakery(sink.port, { recipients: { file, otherwise: 'live' } }))
  await everywhere(relay, 'anna@dest.test', /^250 /)
  await everywhere(relay, 'bert@dest.test', /^250 /)
  await everywhere(relay, 'carl@dest.test', /^550 5\.1\.1 /)
})
