/**
 * A list of recipients comes in by the command line and counts at once, in every worker; a faulty one changes nothing.
 * Before the first list nobody is refused for good: unknown is not no.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'

const SESSIONS = 8

/** The reply to RCPT in so many sessions that each of two workers has some. */
async function everywhere(relay: Vorposten, mailbox: string, expected: RegExp): Promise<void> {
  const talks = await Promise.all(Array.from({ length: SESSIONS }, () => greeted(relay.port)))
  for (const talk of talks) {
    await talk.say('MAIL FROM:<a@x.test>', /^250 /)
    await talk.say(`RCPT TO:<${mailbox}>`, expected)
    talk[Symbol.dispose]()
  }
}

test('an imported list counts at once in both workers, and one with a fault changes nothing', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({
    config: bakery(sink.port, { recipients: { list: 'imported', 'subaddress-separator': '+' } }),
    workers: 2,
  })
  const file = `${relay.folder}/list`
  const recipients = (list: string, ...options: string[]) => {
    writeFileSync(file, list)
    return relay.command('recipients', 'import', 'dest.test', file, ...options)
  }
  await everywhere(relay, 'anna@dest.test', /^450 4\.1\.1 /)
  await everywhere(relay, 'postmaster@dest.test', /^250 /)

  const dry = await recipients('anna\n', '--dry-run')
  assert.equal(dry.code, 0, dry.text)
  assert.match(dry.text, /\+ anna@dest\.test[\s\S]*0 before, 1 after: 1 added, 0 removed[\s\S]*Nothing was changed/)
  await everywhere(relay, 'anna@dest.test', /^450 4\.1\.1 /)

  const first = await relay.commandWithInput(
    'anna # at the counter\nBert@dest.test\n',
    'recipients',
    'import',
    'dest.test',
  )
  assert.equal(first.code, 0, first.text)
  await everywhere(relay, 'anna@dest.test', /^250 /)
  await everywhere(relay, 'ANNA+bread@dest.test', /^250 /)
  await everywhere(relay, 'carl@dest.test', /^550 5\.1\.1 /)
  const simulated = (to: string) => relay.command('simulate', '--from', 'a@x.test', '--to', to)
  assert.match((await simulated('anna@dest.test')).text, /250: the recipient is known/)
  assert.match((await simulated('carl@dest.test')).text, /550 5\.1\.1 /)

  const faulty = await recipients('anna\ncarl@other.test\nb ad\n')
  assert.equal(faulty.code, 65)
  assert.match(
    faulty.text,
    /list:2:1: .*not an address of dest\.test[\s\S]*list:3:1: [\s\S]*2 faults; nothing was changed/,
  )
  await everywhere(relay, 'bert@dest.test', /^250 /)

  assert.equal((await recipients('address,note\ncarl@dest.test,"the new one, from May"\nanna,\n')).code, 0)
  await everywhere(relay, 'bert@dest.test', /^550 5\.1\.1 /)
  await everywhere(relay, 'carl@dest.test', /^250 /)

  const exported = await relay.command('recipients', 'export', 'dest.test')
  assert.equal(exported.text.trim(), 'address,note\nanna@dest.test,\ncarl@dest.test,"the new one, from May"')
  const status = (await relay.command('recipients', 'status', '--json')).json() as Record<string, unknown>
  assert.deepEqual([status['domain'], status['entries'], status['source']], ['dest.test', 2, 'imported'])
  assert.match((await relay.command('recipients', 'import', 'elsewhere.test', file)).text, /not a domain of this relay/)
  await assertAccount(relay, [sink], { accepted: 0, delivered: 0, refused: 4 * SESSIONS, held: 0 })
})

test('a list that would lose more than a fifth is taken only by force, and outlives a restart', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port, { recipients: { list: 'imported' } }) })
  const file = `${relay.folder}/list`
  const sizes = async (count: number, ...options: string[]) => {
    writeFileSync(file, Array.from({ length: count }, (_, i) => `user${i}\n`).join(''))
    return relay.command('recipients', 'import', 'dest.test', file, ...options)
  }
  assert.equal((await sizes(100)).code, 0)
  const refused = await sizes(79)
  assert.equal(refused.code, 65)
  assert.match(refused.text, /21 % of the list would go; nothing was changed\..*--force/)
  await everywhere(relay, 'user99@dest.test', /^250 /)
  assert.equal((await sizes(80)).code, 0)
  assert.equal((await sizes(10, '--force')).code, 0)
  await everywhere(relay, 'user79@dest.test', /^550 /)

  await relay.stop()
  await relay.start()
  using talk = await greeted(relay.port)
  const letter = { from: 'a@x.test', to: ['user9@dest.test'], content: 'Subject: x\r\n\r\nx\r\n' }
  assert.match((await talk.message(letter)).text, /^250 /)
  await assertAccount(relay, [sink], { accepted: 1, delivered: 1, refused: 0, held: 0 })
})

test('the list of a domain that is served no more is still there, until somebody drops it', async () => {
  await using sink = await startSink()
  const imported = { list: 'imported' }
  const other = { 'other.test': { route: 'shop', recipients: imported } }
  await using relay = await startVorposten({ config: bakery(sink.port, { recipients: imported, domains: other }) })
  assert.equal((await relay.commandWithInput('anna\nbert\n', 'recipients', 'import', 'other.test')).code, 0)
  assert.equal(await relay.metric('vorposten_recipient_lists{source="imported",state="absent"}'), 1)
  assert.match((await relay.command('recipients', 'drop', 'other.test')).text, /in use/)
  await relay.reload(bakery(sink.port, { recipients: imported }))
  assert.match(
    (await relay.command('recipients', 'status')).text,
    /^other\.test: 2 entries, .*not used: .*not served$/m,
  )
  assert.match((await relay.command('recipients', 'export', 'other.test')).text, /anna@other\.test/)
  assert.equal(
    (await relay.command('recipients', 'drop', 'other.test')).text.trim(),
    'other.test: the list is gone (2 entries)',
  )
  assert.doesNotMatch((await relay.command('recipients', 'status')).text, /other\.test/)
})
