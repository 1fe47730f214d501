/**
 * Who wants to know what became of a message finds out: by its id from the reply, in lines of the kind that Postfix
 * writes, in figures, and with a health check.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccount } from '../harness/account.ts'
import { bakery } from '../harness/bakery.ts'
import { startSink } from '../harness/sink.ts'
import { greeted, smtpTalk } from '../harness/smtp-talk.ts'
import { startVorposten } from '../harness/vorposten.ts'
import { waitFor } from '../harness/wait-for.ts'

/** As pflogsumm and its kind take lines apart: time, host, program/part[pid], and then the part's own grammar. */
const LINE =
  /^\S+ relay\.test vorposten\/(?<part>smtpd|cleanup|qmgr|smtp)\[\d+\]: (?<id>[0-9A-Z]+|NOQUEUE): (?<rest>.*)$/
const SENT =
  /^to=<(?<to>[^>]*)>, relay=(?<relay>\S+)\[[\d.]+\]:\d+, delay=[\d.]+, delays=[\d.]+\/[\d.]+\/[\d.]+\/[\d.]+, dsn=(?<dsn>\d\.\d\.\d), status=(?<status>\w+) \((?<why>.*)\)$/
const REJECT =
  /^reject: (?<at>\w+) from (?<client>\S+\[[\d.]+\]): (?<code>\d{3}) (?<dsn>\d\.\d\.\d) (?<text>[^;]*); from=<(?<from>[^>]*)> to=<(?<to>[^>]*)> proto=(?<proto>E?SMTPS?) helo=<(?<helo>[^>]*)>/

const fieldsOf = (lines: readonly string[], pattern: RegExp): Record<string, string>[] =>
  lines.flatMap((line) => {
    const fields = pattern.exec(line)?.groups
    return fields ? [fields] : []
  })

const queueId = (text: string): string => /queued as ([0-9A-Z]+)/.exec(text)?.[1] ?? assert.fail(text)

test('the id in the reply tells the story', async () => {
  await using sink = await startSink({ dot: '451 4.3.0 full for the moment' })
  await using relay = await startVorposten({ config: bakery(sink.port, { commit: 'spool' }) })
  using talk = await greeted(relay.port)
  const content = 'Message-ID: <4711@x.test>\r\nSubject: x\r\n\r\nx\r\n'
  const reply = await talk.message({ from: 'a@x.test', to: ['anna@dest.test'], content })
  const id = queueId(reply.text)
  await relay.logged(/status=deferred/)
  sink.behave({})
  await relay.command('queue', 'flush', id)
  await relay.logged(/removed/)

  const story = async () => (await relay.command('trace', id)).text
  await waitFor('the end of the story', async () => /settled|removed/.test(await story()))
  const text = await story()
  const order = [/accepted|a@x\.test/, /full for the moment/, /sent|delivered/].map((pattern) => text.search(pattern))
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
    text,
  )
  assert.ok(order[0] !== undefined && order[0] >= 0, text)
  const records = (await relay.command('trace', id, '--json')).text
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly event: string; readonly messageId?: string })
  assert.deepEqual(
    records.map(({ event }) => event),
    ['filtered', 'accepted', 'attempted', 'attempted', 'settled'],
  )
  assert.equal(records[1]?.messageId, '<4711@x.test>')
  assert.notEqual((await relay.command('trace', '0NOSUCHID')).code, 0)

  await assertAccount(relay, [sink], { accepted: 1, delivered: 1, refused: 0, held: 0 })
})

test('the log has the grammar of Postfix', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port, { recipients: { listed: ['anna'] } }) })
  using talk = await greeted(relay.port)
  await talk.say('MAIL FROM:<a@x.test>', /^250 /)
  await talk.say('RCPT TO:<nobody@dest.test>', /^550 /)
  await talk.say('RCPT TO:<anna@dest.test>', /^250 /)
  await talk.say('DATA', /^354 /)
  await talk.content('Subject: x\r\n\r\nx\r\n')
  await relay.logged(/status=sent/)
  await relay.logged(/from=<a@x\.test>, size=/)

  const lines = fieldsOf(relay.log(), LINE)
  const of = (part: string, pattern: RegExp) => {
    const spoken = lines.filter((line) => line['part'] === part)
    return fieldsOf(
      spoken.map(({ rest = '' }) => rest),
      pattern,
    )
  }
  const { client, why, ...reject } = Object.assign({ client: '', why: '' }, of('smtpd', REJECT)[0])
  assert.deepEqual(reject, {
    at: 'RCPT',
    code: '550',
    dsn: '5.1.1',
    text: 'No such recipient here',
    from: 'a@x.test',
    to: 'nobody@dest.test',
    proto: 'ESMTP',
    helo: 'client.test',
  })
  assert.equal(client, 'unknown[127.0.0.1]')
  assert.deepEqual(
    of('smtp', SENT).map(({ to, dsn, status }) => ({ to, dsn, status })),
    [{ to: 'anna@dest.test', dsn: '2.0.0', status: 'sent' }],
  )
  assert.ok(lines.some(({ rest = '' }) => rest === 'client=unknown[127.0.0.1]'))
  assert.ok(lines.some(({ rest = '' }) => /^from=<a@x\.test>, size=\d+, nrcpt=1 \(/.test(rest)))

  await assertAccount(relay, [sink], { accepted: 1, delivered: 1, refused: 1, held: 0 })
})

test('what a sender writes cannot forge a line', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port, { recipients: { listed: ['anna'] } }) })
  using talk = await smtpTalk(relay.port)
  await talk.expect(/^220 /)
  await talk.say('HELO x\x1b[31m', /^[25]/)
  await talk.say('HELO x', /^250/)
  await talk.say('MAIL FROM:<"a\x1b[2J\nb"@x.test>', /^5/)
  await talk.say('MAIL FROM:<a@x.test>', /^250 /)
  await talk.say('RCPT TO:<"no\\)\\;status=sent"@dest.test>', /^550 /)
  await relay.logged(/NOQUEUE/)
  const isPrintable = (character: string) => character >= ' ' && character !== '\x7f'
  for (const line of relay.log()) assert.ok([...line].every(isPrintable), JSON.stringify(line))

  await assertAccount(relay, [sink], { accepted: 0, delivered: 0, refused: 3, held: 0 })
})

test('figures and health are there for the asking', async () => {
  await using sink = await startSink()
  await using relay = await startVorposten({ config: bakery(sink.port), workers: 2 })
  assert.deepEqual(await relay.get('/healthz/live'), { status: 200, text: 'live\n' })
  assert.deepEqual(await relay.get('/healthz/ready'), { status: 200, text: 'ready\n' })
  assert.equal((await relay.get('/')).status, 404)
  assert.equal(await relay.metric('vorposten_workers{state="ready"}'), 2)
  const { text } = await relay.get('/metrics')
  for (const line of text.trimEnd().split('\n')) {
    assert.match(line, /^(# (HELP|TYPE) vorposten_\w+ .+|vorposten_\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? -?[\d.e+-]+)$/)
  }

  await assertAccount(relay, [sink], { accepted: 0, delivered: 0, refused: 0, held: 0 })
})
