/** A worker put together as in production, on loopback: what the supervisor's clerks ask of it about held mail. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '#config/parse.ts'
import type { PathEvent } from '#mail/event.ts'
import { startSink } from '../../test/harness/sink.ts'
import { tempFolder } from '../../test/harness/temp-folder.ts'
import { waitFor } from '../../test/harness/wait-for.ts'
import { assembleWorker, realOutside } from './assemble.ts'
import { NOTICE_OCTETS_MAX, type NoticeQuestion } from './notices.ts'

async function worker(port: number) {
  const folder = tempFolder('notices')
  const text = JSON.stringify({
    hostname: 'relay.test',
    'data-folder': folder.path,
    listeners: [{ name: 'mx', addresses: ['127.0.0.1:2525'] }],
    tenants: { bakery: { domains: { 'dest.test': { 'deliver-to': `127.0.0.1:${port}`, recipients: 'accept-all' } } } },
  })
  const parsed = parseConfig(text, `${folder.path}/v.yaml`)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed))
  const spoolFolders = [`${folder.path}/spool`]
  const events: PathEvent[] = []
  const outside = realOutside()
  const made = await assembleWorker(
    { config: parsed.config, index: 0, spoolFolders, reusePort: false, ticketKeys: Buffer.alloc(48) },
    {
      ...outside,
      report(options) {
        const real = outside.report({ ...options, destination: { path: '/dev/null' } })
        const { report } = real
        const heard = (event: PathEvent) => {
          events.push(event)
          report(event)
        }
        return { report: heard, metrics: real.metrics, notice: (line) => real.notice(line), end: () => real.end() }
      },
    },
  )
  const dispose = async () => {
    await made.drain()
    folder.remove()
  }
  return { made, events, [Symbol.asyncDispose]: dispose }
}

const CONTENT = 'From: relay@relay.test\r\nSubject: held mail\r\n\r\nOne message is held.\r\n'
const question = (more: Partial<NoticeQuestion> = {}): NoticeQuestion => ({
  tenant: 'bakery',
  route: 'bakery/dest.test',
  recipient: 'postmaster@dest.test',
  content: Buffer.from(CONTENT),
  smtputf8: false,
  ...more,
})

test('a notice goes to the postmaster as it was written, from the null path, without a Received field', async () => {
  await using sink = await startSink()
  await using bench = await worker(sink.port)
  const answer = await bench.made.sendNotice(question())
  assert.ok(answer.kind === 'queued')
  const [arrived] = await sink.received(1)
  assert.equal(arrived?.reversePath, '')
  assert.equal(arrived?.content.toString(), CONTENT)
  await waitFor('the end', () => bench.events.some((event) => event.kind === 'settled' && event.id === answer.id))
  assert.equal(bench.events[0]?.kind, 'notice-queued')
})

test('a notice that is refused is dropped, never held', async () => {
  await using sink = await startSink({ rcpt: '550 5.1.1 no postmaster here' })
  await using bench = await worker(sink.port)
  const { made, events } = bench
  assert.equal((await made.sendNotice(question())).kind, 'queued')
  await waitFor('the end', () => events.some(({ kind }) => kind === 'settled'))
  const dropped = events.find(({ kind }) => kind === 'dropped')
  assert.ok(dropped?.kind === 'dropped' && dropped.reason === 'refused')
  assert.match(dropped.text, /no postmaster here/)
  assert.deepEqual([...made.spool.entries()], [])
  assert.deepEqual(await made.holds.list({ rowsMax: 10 }), { rows: [], found: 0, more: false })
})

test('what is no notice is refused, with the reason', async () => {
  await using sink = await startSink()
  await using bench = await worker(sink.port)
  const refusals: [Partial<NoticeQuestion>, RegExp][] = [
    [{ recipient: 'postmaster' }, /no address/],
    [{ route: 'bakery/gone' }, /no route/],
    [{ content: Buffer.from('Subject: x\n\nx\n') }, /CRLF/],
    [{ content: Buffer.from('Subject: x\r\n\r\nx') }, /CRLF/],
    [{ content: Buffer.from(`${'x'.repeat(999)}\r\n`) }, /1000 octets/],
    [{ content: Buffer.alloc(NOTICE_OCTETS_MAX + 1) }, /octets at most/],
  ]
  for (const [more, why] of refusals) {
    const answer = await bench.made.sendNotice(question(more))
    assert.ok(answer.kind === 'refused' && why.test(answer.text), JSON.stringify(answer))
  }
  assert.deepEqual(bench.events, [])
})

test('a report that nothing signs does not go', async () => {
  await using sink = await startSink()
  await using bench = await worker(sink.port)
  const answer = await bench.made.sendNotice(question({ onlySigned: true }))
  assert.deepEqual(answer, {
    kind: 'refused',
    text: 'no DKIM key of its domain can sign it now: see vorposten dkim list',
  })
  assert.deepEqual([...bench.made.spool.entries()], [])
})
