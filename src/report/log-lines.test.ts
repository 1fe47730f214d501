import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { remoteReply } from '#mail/reply.ts'
import { logLines } from './log-lines.ts'
import { oneLine } from './report.ts'
import { oneOfEach } from './testing.ts'
import { traceRecord } from './trace-record.ts'

const TIME = '2027-01-15T08:00:00.000Z'
const all = oneOfEach()
const { id } = all.accepted
const texts = (event: Parameters<typeof logLines>[0]) => logLines(event).map(({ part, text }) => `${part} ${text}`)

describe('log lines are in Postfix’s grammar', () => {
  it('an accepted message has its client, its Message-ID and its envelope', () => {
    assert.deepEqual(texts(all.accepted), [
      `smtpd ${id}: client=unknown[192.0.2.1]`,
      `cleanup ${id}: message-id=plain`,
      `qmgr ${id}: from=<>, size=1234, nrcpt=1 (queue active; plain)`,
    ])
    const { messageId: _, note: __, ...bare } = all.accepted
    const inSession = texts({ ...bare, custody: 'next-hop' })
    assert.equal(inSession.length, 2)
    assert.match(inSession[1] ?? '', /nrcpt=1 \(delivered in session\)$/)
  })

  it('a refusal is NOQUEUE: reject, with the reply, the envelope and the reasons', () => {
    assert.deepEqual(texts(all.refused), [
      'smtpd NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550 5.1.1 plain; from=<> to=<bob@bakery.test>' +
        ` proto=ESMTP helo=<plain> trace=${all.refused.id} (plain)`,
    ])
    const { envelope: _, recipient: __, ...early } = all.refused
    assert.match(texts({ ...early, at: 'connect' })[0] ?? '', /reject: CONNECT from [^;]*; proto=ESMTP helo=<plain>/)
    assert.match(texts({ ...all.refused, at: 'content' })[0] ?? '', /reject: END-OF-MESSAGE from/)
  })

  it('an attempt has a line for each recipient: sent, deferred, held; never bounced', () => {
    const relay = 'relay=mail.bakery.test[192.0.2.9]:25, delay=0.21, delays=0/0.1/0.05/0.06'
    const lines = texts(all.attempt)
    assert.deepEqual(lines, [
      `smtp ${id}: to=<bob@bakery.test>, ${relay}, dsn=2.0.0, status=sent (250 plain)`,
      `smtp ${id}: to=<eve@bakery.test>, ${relay}, dsn=4.2.0, class=recipient, status=deferred (450 4.2.0 plain)`,
      `smtp ${id}: to=<joe@bakery.test>, ${relay}, dsn=5.1.1, class=recipient, status=held (550 5.1.1 plain)`,
    ])
    assert.match(texts({ ...all.attempt, inSession: true })[2] ?? '', /status=refused/)
    const verified = { ...all.attempt, attempt: { ...all.attempt.attempt, verifiedBy: 'MTA-STS' as const } }
    assert.match(texts(verified)[0] ?? '', /:25, tls=MTA-STS-verified, delay=/)
  })

  it('holds, commands, ends and alarms', () => {
    assert.equal(texts(all.held).length, 3)
    assert.match(texts(all.held)[0] ?? '', /^qmgr \w+: to=<bob@bakery\.test>, status=held \(refused: plain\)$/)
    assert.match(texts(all.dropped)[0] ?? '', /^qmgr \w+: to=<bob@bakery\.test>, status=dropped \(kept: plain\)$/)
    assert.match(
      texts(all.noticed)[0] ?? '',
      /^qmgr \w+: from=<>, to=<bob@bakery\.test>, size=\d+, nrcpt=1 \(notice of ours/,
    )
    assert.match(texts({ ...all.attempt, notice: true })[2] ?? '', /status=dropped/)
    assert.match(texts(all.operator)[0] ?? '', /^qmgr \w+: released by operator \(plain\)$/)
    assert.deepEqual(texts(all.sent), [
      `bounce ${id}: sender non-delivery notification: ${all.sent.report} (to=<anna@bakery.test>, submission)`,
    ])
    assert.deepEqual(texts(all.feedback), [
      `cleanup ${id}: feedback=complaint, to=<bob@far.test>, sasl_username=anna@bakery.test, tenant=bakery, status=suppressed (abuse report)`,
    ])
    assert.deepEqual(texts(all.settled), [`qmgr ${id}: removed`])
    assert.deepEqual(texts(all.alarm), ['vorposten warning: spool-full: plain'])
    assert.deepEqual([...texts(all.probed), ...texts(all.closed)], [])
  })
})

describe('what a peer says', () => {
  const hostile = 'x\r\n2027 relay vorposten/smtpd[1]: \x1b[2J\u009b31m\u2028\u2029\0\x7f\x85end'
  it('cannot begin a line, nor move a cursor', () => {
    for (const event of Object.values(oneOfEach(hostile))) {
      for (const { text } of logLines(event)) {
        const line = oneLine(text)
        assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f\u2028\u2029]/)
        assert.equal(line.length, text.length)
      }
    }
    assert.equal(oneLine('j\u00f6rg \u{1f606}'), 'j\u00f6rg \u{1f606}')
  })

  it('stays one record, and comes back as it was', () => {
    for (const event of Object.values(oneOfEach(hostile))) {
      const record = traceRecord(event, TIME)
      if (record === undefined) continue
      const json = JSON.stringify(record)
      assert.ok(!json.includes('\n') && !json.includes('\r'))
      assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(record)))
    }
  })
})

describe('trace records', () => {
  it('have the id, and what happened to whom', () => {
    const record = traceRecord(all.attempt, TIME)
    assert.deepEqual([record?.event, record?.id, record?.time], ['attempted', id, TIME])
    assert.deepEqual(record?.['recipients'], [
      { to: '<bob@bakery.test>', status: 'sent', text: '250 plain' },
      { to: '<eve@bakery.test>', status: 'deferred', class: 'recipient', text: '450 4.2.0 plain' },
      { to: '<joe@bakery.test>', status: 'held', class: 'recipient', text: '550 5.1.1 plain' },
    ])
    const reply = remoteReply(550, ['5.1.1 no'])
    const held = traceRecord({ ...all.held, stage: 'rcpt', reply }, TIME)
    assert.deepEqual([held?.['stage'], held?.['reply']], ['rcpt', '550 5.1.1 no'])
    assert.deepEqual(traceRecord(all.dropped, TIME)?.['reason'], 'kept')
    assert.deepEqual(traceRecord(all.refused, TIME)?.['to'], ['<bob@bakery.test>'])
    assert.deepEqual(traceRecord(all.accepted, TIME)?.['from'], '<>')
  })

  it('are not made of what only the metrics need', () => {
    assert.equal(traceRecord(all.probed, TIME), undefined)
    assert.equal(traceRecord(all.closed, TIME), undefined)
  })
})
