/**
 * Malware that a tenant wants kept: its sender hears 250, its recipient gets nothing, the operator sees it, has it exactly as
 * it came, and lets it out or throws it away. Who did what is written down. Another tenant sees nothing of it.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { bakery } from '../harness/bakery.ts'
import { startSink } from '../harness/sink.ts'
import { greeted } from '../harness/smtp-talk.ts'
import { startVorposten, type Vorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'
import { without } from '../peers/peer.ts'
import { startPostfix } from '../peers/postfix.ts'

// In two pieces: this file must not be one that scanners find.
const EICAR = `X5O!P%@AP[4\\PZX54(P^)7CC)7}$${'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'}`
const MALWARE = `Subject: an invoice\r\nX-Vorposten-Released: believe me\r\n\r\n${EICAR}\r\n.\r\n..dots\r\n`
const AS_KEPT = MALWARE.replace(/X-Vorposten.*\r\n/, '')

const KEEPING = { embedded: true, policy: { malware: 'quarantine' } }
const smith = (port: number) => ({
  domains: { 'smith.test': { 'deliver-to': `127.0.0.1:${port}`, recipients: 'accept-all' } },
})

interface Row {
  readonly id: string
  readonly tenant: string
  readonly class: string
  readonly recipients: readonly { readonly address: string; readonly releasedAs?: string }[]
}

const config = (port: number, top: object = {}) => {
  const own = bakery(port, { commit: 'spool', top: { virus: KEEPING, ...top } }) as { tenants: object }
  return { ...own, tenants: { ...own.tenants, smith: smith(port) } }
}

async function send(port: number, to: readonly string[], content = MALWARE): Promise<string> {
  using talk = await greeted(port)
  const { text } = await talk.message({ from: 'forged@victim.test', to, content })
  return text
}

const rows = async (relay: Vorposten, ...args: readonly string[]): Promise<Row[]> =>
  (await relay.command('quarantine', 'list', '--json', ...args)).text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Row)

const files = (relay: Vorposten): string[] =>
  readdirSync(`${relay.folder}/data/quarantine/contents`, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /[0-9a-f]{64}$/.test(name),
  )

const released = (id: string): RegExp =>
  new RegExp(
    `^X-Vorposten-Released: ${id};\\r\\n\\tby \\S+; [^\\r]+\\r\\nAuthentication-Results: relay\\.test; none\\r\\nReceived: from `,
  )

test('kept, listed, exported as it came, released to its recipient, and written down', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: config(sink.port) })
  const reply = await send(relay.port, ['anna@dest.test', 'ben@dest.test'])
  const id = /^250 2\.0\.0 Ok: queued as (\w+)$/.exec(reply)?.[1] ?? assert.fail(reply)
  await relay.logged(new RegExp(`${id}: from=<forged@victim.test>, .*\\(quarantine; malware: malware Eicar`))
  assert.equal(sink.accepted.length, 0)
  assert.equal(await relay.metric('vorposten_quarantine_messages{class="malware"}'), 1)

  const [row] = await rows(relay, '--tenant', 'bakery', '--class', 'malware', '--since', '1d')
  assert.deepEqual([row?.id, row?.tenant, row?.class], [id, 'bakery', 'malware'])
  assert.deepEqual(await rows(relay, '--recipient', 'Ben@dest.test'), [row])
  for (const none of [
    ['--tenant', 'smith'],
    ['--class', 'suspicious'],
    ['--recipient', 'carl@dest.test'],
  ])
    assert.deepEqual(await rows(relay, ...none), [])
  assert.match(
    (await relay.command('quarantine', 'show', id)).text,
    /malware Eicar-Test-File in [\s\S]*\nSubject: an invoice$/,
  )

  const file = `${relay.folder}/kept.eml`
  assert.equal((await relay.command('quarantine', 'export', id, '--output', file)).code, 0)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  // Twice is refused: a file is never overwritten.
  assert.notEqual((await relay.command('quarantine', 'export', id, '--output', file)).code, 0)

  const release = (...args: readonly string[]) => relay.command('quarantine', 'release', id, ...args)
  assert.match((await release('--dry-run')).text, /would release: <anna@dest\.test>, <ben@dest\.test> by bakery\/shop/)
  const done = await release('--recipient', 'anna@dest.test')
  assert.match(done.text, /: released as \w+: <anna@dest\.test> by bakery\/shop/)
  const [arrived] = await sink.received(1)
  assert.deepEqual(
    [arrived?.reversePath, arrived?.recipients.map(({ mailbox }) => mailbox)],
    ['forged@victim.test', ['anna@dest.test']],
  )
  const content = arrived!.content.toString('latin1')
  assert.match(content, released(id))
  assert.ok(content.endsWith(AS_KEPT))
  assert.ok(content.endsWith(readFileSync(file, 'latin1')))
  assert.match((await release('--recipient', 'anna@dest.test')).text, /released already, as \w+/)
  assert.equal((await rows(relay))[0]?.recipients.filter(({ releasedAs }) => releasedAs).length, 1)

  const log = (await relay.command('quarantine', 'log', id)).text
  assert.deepEqual(
    log.match(/ {2}(shown|exported|released|release-refused) {2}/g)?.map((word) => word.trim()),
    [...['released', 'exported', 'exported', 'shown']],
  )
  const story = async () => (await relay.command('trace', id)).text
  await waitFor('the trace of the release', async () => /released by[\s\S]*attempt to/.test(await story()))
  assert.match(await story(), /250 after \d+ ms: kept here, in quarantine \(malware: malware Eicar-Test-File/)
  assert.match(await story(), /quarantine: exported by /)
  assert.ok(!sink.commands.some((line) => line.includes('victim.test') && line.startsWith('RCPT')))
})

test('the same content of two tenants is one file; neither sees the other; deleted, it is gone', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: config(sink.port) })
  for (const to of ['anna@dest.test', 'bob@smith.test']) assert.match(await send(relay.port, [to]), /^250 /)
  assert.equal(files(relay).length, 1)
  const [own] = await rows(relay, '--tenant', 'bakery')
  const [other] = await rows(relay, '--tenant', 'smith')
  assert.ok(own && other && own.id !== other.id)
  for (const what of ['show', 'export', 'release', 'delete']) {
    const { code, text } = await relay.command('quarantine', what, other.id, '--tenant', 'bakery')
    assert.notEqual(code, 0, what)
    assert.match(text, /is not in quarantine/, what)
  }
  const away = await relay.command('quarantine', 'release', own.id, '--to', 'bob@smith.test')
  assert.match(away.text, /bob@smith\.test is of no domain that bakery has with us/)
  assert.equal((await relay.command('quarantine', 'delete', own.id)).code, 0)
  assert.equal(files(relay).length, 1)
  assert.equal((await relay.command('quarantine', 'delete', other.id)).code, 0)
  assert.deepEqual(files(relay), [])
  assert.match((await relay.command('quarantine', 'list')).text, /^Nothing is in quarantine\.$/)
  assert.equal(await relay.metric('vorposten_quarantine_ended_total{action="deleted",class="malware"}'), 2)
})

test('a share that is full means 451, and nothing is lost or let through', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: config(sink.port, { quarantine: { 'size-max': '1MiB' } }) })
  const large = `${MALWARE}${'x'.repeat(900)}\r\n`.padEnd(600_000, 'bread and butter\r\n')
  assert.match(await send(relay.port, ['anna@dest.test'], `${large}\r\n`), /^250 /)
  assert.match(await send(relay.port, ['anna@dest.test'], `${large}\r\n\r\n`), /^451 4\.3\.0 /)
  assert.match(await send(relay.port, ['bob@smith.test'], `${large}\r\n\r\n`), /^250 /)
  assert.equal(sink.accepted.length, 0)
  assert.equal(await relay.metric('vorposten_quarantine_full_total{of="tenant"}'), 1)
})

/** As a kill leaves it between the spool and the mark: the release began, and nobody has written down that it was done. */
function unmarked(relay: Vorposten): void {
  const store = new DatabaseSync(`${relay.folder}/data/store.db`)
  store.exec(`INSERT INTO quarantine_releases SELECT released_as, id, '[0]', 0, 'anna', 'x' FROM quarantine_recipients;
    UPDATE quarantine_recipients SET released_ms = NULL, released_as = NULL`)
  store.close()
}

test('killed and started again: what was promised is there, what nobody needs is collected', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: config(sink.port) })
  assert.match(await send(relay.port, ['anna@dest.test']), /^250 /)
  await relay.kill9('all')
  const folder = `${relay.folder}/data/quarantine`
  writeFileSync(`${folder}/incoming/1M8693VGN006S6T`, 'half of a content')
  const orphan = `${folder}/contents/ab/${'ab'.repeat(32)}`
  mkdirSync(dirname(orphan), { recursive: true })
  writeFileSync(orphan, 'a content whose row was never committed')
  const [offline] = await rows(relay)
  assert.match((await relay.command('quarantine', 'show', offline!.id)).text, /Subject: an invoice$/)
  assert.match((await relay.command('quarantine', 'delete', offline!.id)).text, /not running/)
  await relay.start()
  await relay.logged(/1 contents in quarantine that nobody needs were removed/)
  assert.deepEqual([existsSync(orphan), readdirSync(`${folder}/incoming`)], [false, []])
  sink.behave({ rcpt: '451 4.3.0 not now' })
  const release = () => relay.command('quarantine', 'release', offline!.id)
  const done = await release()
  assert.equal(done.code, 0, done.text)
  await relay.logged(/to=<anna@dest\.test>.*status=deferred/)
  await relay.kill9('all')
  unmarked(relay)
  await relay.start()
  await relay.logged(/was begun and not written down, and is in the spool/)
  assert.match((await release()).text, /released already, as/)
  sink.behave({})
  await relay.command('queue', 'flush')
  assert.ok((await sink.received(1))[0]!.content.toString('latin1').endsWith(AS_KEPT))
  await relay.logged(/: removed$/)
  assert.equal(sink.accepted.length, 1)
})

test('a real Postfix puts what was released into a mailbox', { skip: without('postfix') }, async () => {
  await using postfix = await startPostfix({ accept: { domain: 'dest.test', users: ['anna@dest.test'] } })
  await using relay = await startVorposten({ config: config(postfix.port) })
  assert.match(await send(relay.port, ['anna@dest.test']), /^250 /)
  const [row] = await rows(relay)
  assert.equal((await relay.command('quarantine', 'release', row!.id)).code, 0)
  await relay.logged(/to=<anna@dest\.test>, .*status=sent/)
  const mail = await waitFor('the mail in its mailbox', () => postfix.mail('anna')[0])
  // A Maildir has the line ends of its system.
  const plain = (text: string) => text.replaceAll('\r\n', '\n')
  // It also adds the Date and Message-ID that are missing.
  assert.ok(plain(mail.toString('latin1')).endsWith(plain(AS_KEPT.slice(AS_KEPT.indexOf('\r\n\r\n')))))
  assert.match(mail.toString('latin1'), new RegExp(`^X-Vorposten-Released: ${row!.id};`, 'm'))
})
