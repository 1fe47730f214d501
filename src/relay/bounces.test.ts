import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mailboxText, pathText } from '#mail/address.ts'
import { content } from '#mail/content.ts'
import type { PathEvent } from '#mail/event.ts'
import { forwardPath, mailbox, transaction } from '#mail/testing.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import { withTag } from '#policy/prvs.ts'
import { HandClock } from '#queue/testing.ts'
import type { BounceProtection } from '#tenant/directory.ts'
import { Bounces } from './bounces.ts'
import { served } from './testing.ts'

const KEY = Buffer.from('sixteen octets or more')
const clock = new HandClock()
const DAY_MS = 86_400_000
const PROTECTION = { sinceMs: clock.wall() - 8 * DAY_MS, warmUpMs: 7 * DAY_MS }
const BATV: BounceProtection = { kind: 'batv', ...PROTECTION, signingKey: 1, keys: new Map([[1, KEY]]) }
const RECORD: BounceProtection = { kind: 'sent-record', ...PROTECTION }
const signed = mailboxText(withTag(mailbox('anna@bakery.test'), 1, KEY, clock.wall())!)

function bench(bounceProtection?: BounceProtection, takesReports = false) {
  const events: PathEvent[] = []
  const record = {
    known: async (facts: readonly string[]): Promise<readonly (boolean | undefined)[]> => facts.map(() => false),
  }
  const asked: (readonly string[])[] = []
  const bounces = new Bounces({
    clock,
    records: {
      known(_tenant, _kind, facts) {
        asked.push(facts)
        return record.known(facts)
      },
    },
    takesReports: () => takesReports,
    report: (event) => void events.push(event),
  })
  const domain = served({ tenant: { name: 'bakery', language: 'en', ...(bounceProtection && { bounceProtection }) } })
  const rcpt = (to: string, from = '') => {
    const gate = bounces.rcpt(transaction([], from), forwardPath(to), domain)
    return 'reply' in gate ? `${gate.reply.code} ${gate.reply.status}` : gate.kind
  }
  const body = async (text: string, from = '') => {
    const whole = content([Buffer.from(text)])
    const judged = await bounces.content({
      transaction: transaction(['anna@bakery.test'], from),
      way: domain,
      content: whole,
      header: readHeaderSection(whole),
      messageId: undefined,
    })
    return 'reply' in judged ? `${judged.reply.code} ${judged.reply.status}` : judged.kind
  }
  const decisions = () => events.flatMap((event) => (event.kind === 'governed' ? [event.decision] : []))
  return { bounces, domain, rcpt, body, record, asked, decisions }
}

const dsn = (original: string | undefined, failed: string): string =>
  [
    'From: MAILER-DAEMON@far.test',
    'Subject: Undelivered Mail Returned to Sender',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
    '',
    '--b\r\n\r\nsorry\r\n--b\r\nContent-Type: message/delivery-status\r\n',
    'Reporting-MTA: dns; far.test\r\n',
    `Final-Recipient: rfc822; ${failed}\r\nAction: failed\r\nStatus: 5.1.1\r\n`,
    ...(original === undefined
      ? []
      : [`--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: ${original}\r\n\r\nx\r\n`]),
    '--b--\r\n',
  ].join('\r\n')

describe('signed mail', () => {
  it('a bounce needs a valid signature; other mail needs none', () => {
    const { rcpt, decisions } = bench(BATV)
    assert.equal(rcpt(signed), 'accept')
    assert.equal(rcpt('anna@bakery.test'), '550 5.7.1')
    assert.equal(rcpt('prvs=1000000000=anna@bakery.test'), '550 5.7.1')
    assert.equal(rcpt('Postmaster@bakery.test'), 'accept')
    assert.equal(rcpt('Postmaster'), 'accept')
    assert.equal(rcpt(`${'a'.repeat(60)}@bakery.test`), 'accept')
    assert.deepEqual(decisions(), ['signed', 'refused', 'refused', 'postmaster', 'too-long-to-sign'])
    assert.equal(rcpt('anna@bakery.test', 'bob@far.test'), 'accept')
    assert.equal(decisions().length, 5)
  })

  it('a report of a feedback loop may come from <> without one', () => {
    const { rcpt, decisions } = bench(BATV, true)
    assert.equal(rcpt('fbl@bakery.test'), 'accept')
    assert.deepEqual(decisions(), [])
  })

  it('during the warm-up nothing is refused', () => {
    const { rcpt, decisions } = bench({ ...BATV, warmUpMs: 9 * DAY_MS })
    assert.equal(rcpt('anna@bakery.test'), 'accept')
    assert.deepEqual(decisions(), ['warm-up'])
  })

  it('who did not opt in is not touched', () => {
    const { rcpt, bounces, domain, decisions } = bench()
    assert.equal(rcpt('anna@bakery.test'), 'accept')
    assert.equal(pathText(bounces.plain(forwardPath(signed), domain)), `<${signed}>`)
    assert.deepEqual(decisions(), [])
  })

  it('a signed recipient is the plain one behind this; its ORCPT stays', () => {
    const { bounces, domain } = bench(BATV)
    const orcpt = `rfc822;${signed.replace(/=/g, '+3D')}`
    const received = transaction([signed, 'joe@bakery.test'], '')
    const [first, second] = received.envelope.recipients
    received.envelope.recipients[0] = { ...first!, orcpt }
    const { envelope } = bounces.withPlainRecipients(received, domain)
    assert.deepEqual(envelope.recipients, [{ forwardPath: forwardPath('anna@bakery.test'), orcpt }, second])
    assert.equal(pathText(received.envelope.recipients[0].forwardPath), `<${signed}>`)
  })
})

describe('a record of sent mail', () => {
  it('a DSN about something else is refused; one fact on record is enough', async () => {
    const { body, record, asked, decisions } = bench(RECORD)
    assert.equal(await body(dsn('<7@bakery.test>', 'bob@far.test')), '550 5.7.1')
    assert.deepEqual(asked[0], ['id 7@bakery.test', 'pair anna@bakery.test bob@far.test'])
    record.known = async (facts) => facts.map((_, i) => i === 1)
    assert.equal(await body(dsn('<7@bakery.test>', 'bob@far.test')), 'pass')
    assert.deepEqual(decisions(), ['refused', 'on-record'])
  })

  it('what cannot be judged gets through: no answer, a gap, nothing said, no bounce', async () => {
    const { body, record, decisions } = bench(RECORD)
    record.known = async (facts) => facts.map(() => undefined)
    assert.equal(await body(dsn('<7@bakery.test>', 'bob@far.test')), 'pass')
    record.known = () => Promise.reject(new Error('no answer'))
    assert.equal(await body(dsn('<7@bakery.test>', 'bob@far.test')), 'pass')
    assert.equal(await body(dsn(undefined, 'unreadable')), 'pass')
    assert.deepEqual(decisions(), ['no-record', 'no-record', 'says-nothing'])
    assert.equal(await body('Subject: hello\r\n\r\nhello\r\n'), 'pass')
    assert.equal(await body(dsn('<7@bakery.test>', 'bob@far.test'), 'bob@far.test'), 'pass')
    assert.equal(decisions().length, 3)
  })

  it('during the warm-up nothing is refused', async () => {
    const { body, decisions } = bench({ ...RECORD, warmUpMs: 9 * DAY_MS })
    assert.equal(await body(dsn('<7@bakery.test>', 'bob@far.test')), 'pass')
    assert.deepEqual(decisions(), ['warm-up'])
  })
})
