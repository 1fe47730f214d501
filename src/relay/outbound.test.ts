import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mailboxText, pathText } from '#mail/address.ts'
import { content } from '#mail/content.ts'
import type { PathEvent } from '#mail/event.ts'
import { replyLine } from '#mail/reply.ts'
import { forwardPath, session, transaction } from '#mail/testing.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import { messageId } from '#mime/trace-fields.ts'
import { HandClock, route } from '#queue/testing.ts'
import { declaredDirectory } from '#tenant/declared.ts'
import type { OutboundSettings, Tenant } from '#tenant/directory.ts'
import { type Judged, Outbound, type QuotaAnswer } from './outbound.ts'
import type { Verified } from './sender-rights.ts'
import { served } from './testing.ts'

const SETTINGS: OutboundSettings = {
  networks: ['192.0.2.0/24'],
  route: 'bakery/main',
  senders: 'own-domains',
  contentOctetsMax: 100_000,
  ndrs: 'verified',
  autoReplies: { limit: 2, windowMs: 7 * 86_400_000, per: 'correspondent' },
  dkim: { ifUnavailable: 'defer' },
}
const BATV = {
  kind: 'batv',
  sinceMs: 0,
  warmUpMs: 0,
  signingKey: 1,
  keys: new Map([[1, Buffer.from('sixteen octets or more')]]),
} as const

const REPLY = 'From: anna@bakery.test\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.\r\n'
const ORDINARY = 'From: anna@bakery.test\r\nMessage-ID: <7@bakery.test>\r\nSubject: bread\r\n\r\nToday.\r\n'
const BOUNCE = [
  'From: MAILER-DAEMON@bakery.test',
  'Subject: Undelivered Mail Returned to Sender',
  'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
  '',
  '--b\r\n\r\nsorry\r\n--b\r\nContent-Type: message/delivery-status\r\n',
  'Reporting-MTA: dns; mail.bakery.test\r\n',
  'Final-Recipient: rfc822; nobody@bakery.test\r\nAction: failed\r\nStatus: 5.1.1\r\n',
  '--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <1@far.test>\r\n\r\nx\r\n--b--\r\n',
].join('\r\n')

function bench(outbound: Partial<OutboundSettings> = {}, more: Partial<Tenant> = {}, verified?: Verified) {
  const tenant: Tenant = { name: 'bakery', language: 'en', outbound: { ...SETTINGS, ...outbound }, ...more }
  const other: Tenant = { name: 'smith', language: 'en' }
  const directory = declaredDirectory({
    tenants: [tenant, other],
    routes: [route('bakery/main')],
    domains: [served({ tenant }), served({ name: 'smith.test', tenant: other })],
  })
  const events: PathEvent[] = []
  const desk = {
    asked: [] as unknown[],
    takes: async (counters: readonly string[]): Promise<readonly boolean[]> => counters.map(() => true),
    known: async (facts: readonly string[]): Promise<readonly (boolean | undefined)[]> => facts.map(() => false),
    remembers: async (): Promise<void> => {},
  }
  const door = new Outbound({
    clock: new HandClock(),
    directory: () => directory,
    limits: {
      take(...asked) {
        desk.asked.push(asked)
        return desk.takes(asked[1])
      },
    },
    records: {
      remember(...asked) {
        desk.asked.push(asked)
        return desk.remembers()
      },
      known(...asked) {
        desk.asked.push(asked)
        return desk.known(asked[2])
      },
    },
    report: (event) => void events.push(event),
    ...(verified && { verified }),
  })
  const judge = async (text: string, to: readonly string[], from = ''): Promise<Judged> => {
    const whole = content([Buffer.from(text)])
    const header = readHeaderSection(whole)
    const sent = transaction(to, from, session({ service: 'outbound' }))
    const way = door.way(sent.session)!
    return door.content({ transaction: sent, way, content: whole, header, messageId: messageId(header) })
  }
  const decisions = () =>
    events.flatMap((event) => (event.kind === 'governed' ? [`${event.subject} ${event.decision}`] : []))
  const discards = () => events.filter((event) => event.kind === 'discarded')
  return { door, desk, directory, judge, events, decisions, discards }
}

const said = (judged: Judged): string => {
  if ('reply' in judged) return replyLine(judged.reply)
  if (judged.kind === 'discard') return 'discard'
  const { reversePath, recipients } = judged.transaction.envelope
  const to = recipients.map(({ forwardPath }) => pathText(forwardPath)).join()
  return `${pathText(reversePath)} ${to}${judged.hold === undefined ? '' : ` held: ${judged.hold}`}`
}

describe('MAIL', () => {
  it('is taken from who has a key of the tenant, wherever he is; the refusal says what was looked at', () => {
    const key = 'ab'.repeat(32)
    const from = (clientKey?: string, service: 'outbound' | 'inbound' | 'submission' = 'outbound') => {
      const client = { address: '198.51.100.9', port: 1 }
      const tls = { protocol: 'TLSv1.3', cipher: 'X', ...(clientKey !== undefined && { clientKey }) }
      const sender = session({ service, client, tls })
      const gate = bench({ clientKeys: [key] }).door.mail(transaction([], 'anna@bakery.test', sender))
      return 'reply' in gate ? `${replyLine(gate.reply)} | ${gate.reasons[0]?.text}` : gate.kind
    }
    assert.equal(from(key), 'accept')
    assert.match(from(), /your address belongs to no customer.*it showed no certificate/)
    assert.match(
      from('cd'.repeat(32)),
      /neither your address nor your certificate.*its key (cd){32} is in no from-client-keys/,
    )
    assert.doesNotMatch(from(key, 'submission'), /accept/)
  })

  it('is taken from the tenant’s networks and domains only', () => {
    const from = (path: string, address = '192.0.2.1', settings = {}) => {
      const sender = session({ service: 'outbound', client: { address, port: 1 } })
      const gate = bench(settings).door.mail(transaction([], path, sender))
      return 'reply' in gate ? `${gate.reply.code} ${gate.reasons[0]?.symbol}` : gate.kind
    }
    assert.equal(from('anna@bakery.test'), 'accept')
    assert.equal(from('anna@bakery.test', '::ffff:192.0.2.9'), 'accept')
    assert.equal(from(''), 'accept')
    assert.equal(from('anna@bakery.test', '198.51.100.1'), '550 outbound-denied')
    assert.equal(from('', '198.51.100.1'), '550 outbound-denied')
    assert.equal(from('joe@smith.test'), '550 foreign-sender')
    assert.equal(from('joe@far.test'), '550 foreign-sender')
    assert.equal(from('anna@[192.0.2.1]'), '550 foreign-sender')
    assert.equal(from('joe@far.test', '192.0.2.1', { senders: 'any' }), 'accept')
  })

  it('is taken from a sender domain that is verified, refused from one that is not, and put off when nobody can say', () => {
    const settings = { senderDomains: new Set(['shop.test']) }
    const from = (path: string, verified?: Verified, more = {}) => {
      const gate = bench({ ...settings, ...more }, {}, verified).door.mail(
        transaction([], path, session({ service: 'outbound' })),
      )
      return 'reply' in gate ? `${gate.reply.code} ${gate.reasons[0]?.symbol}` : gate.kind
    }
    const yes = (tenant: string, domain: string) => tenant === 'bakery' && domain === 'shop.test'
    const fails = () => {
      throw new Error('the disk is gone')
    }
    assert.equal(from('info@shop.test', yes), 'accept')
    assert.equal(
      from('info@shop.test', () => false),
      '550 unverified-sender-domain',
    )
    assert.equal(from('info@shop.test'), '550 unverified-sender-domain')
    assert.equal(from('info@shop.test', fails), '451 sender-rights-unknown')
    assert.equal(from('anna@bakery.test', fails), 'accept')
    assert.equal(
      from('info@sub.shop.test', () => true),
      '550 foreign-sender',
    )
    assert.equal(from('info@shop.test', yes, { senderDomains: undefined }), '550 foreign-sender')
  })
})

describe('RCPT', () => {
  const limits = { login: { per10Minutes: 1, perDay: 1 }, servers: { per10Minutes: 1, perDay: 1 } }
  const as = { tenant: 'bakery', login: 'anna@bakery.test', mechanism: 'PLAIN', senders: [] }

  const asked = async (answer: QuotaAnswer | Error, authenticated?: typeof as, settings: object = { limits }) => {
    const quota = { take: async () => (answer instanceof Error ? Promise.reject(answer) : answer) }
    const { directory } = bench(settings)
    const report = () => {}
    const records = { remember: async () => {}, known: async () => [] }
    const parts = { clock: new HandClock(), directory: () => directory, limits: { take: async () => [] }, records }
    const door = new Outbound({ ...parts, quota, report })
    const sender = session({
      service: authenticated ? 'submission' : 'outbound',
      ...(authenticated && { authenticated }),
    })
    const gate = await door.rcpt(sender, door.way(sender)!, forwardPath('bob@far.test'))
    return 'reply' in gate ? replyLine(gate.reply) : gate.kind
  }

  it('over a limit a server comes back; a person is told, when the day is over his', async () => {
    const over = (window: 'burst' | 'day') => ({ kind: 'over', window, text: 'x', waitMs: 7_000_000 }) as const
    assert.equal(await asked({ kind: 'taken' }, as), 'accept')
    assert.match(await asked(over('burst'), as), /^451 4\.7\.1 Too many recipients, try again in 117 min/)
    assert.match(await asked(over('day'), as), /^550 5\.7\.1 Too many recipients today, try again in 2 h/)
    assert.match(await asked(over('day')), /^451 4\.7\.1 /)
    assert.equal(await asked(over('day'), undefined, { limits: { login: limits.login } }), 'accept')
    assert.match(
      await asked({ kind: 'locked', reason: 'it looks stolen' }, as),
      /^550 5\.7\.13 This login is locked: it/,
    )
    assert.match(await asked(new Error('no supervisor'), as), /^451 4\.3\.0 /)
  })
})

describe('who submitted', () => {
  const submitted = async (text: string, from: string, settings = {}) => {
    const judged = await bench(settings).judge(text, ['bob@far.test'], from)
    return judged.kind === 'pass' ? judged.submission : judged.kind
  }

  it('is known of the tenant’s own domains, not of others whose mail its servers pass on, nor of <>', async () => {
    assert.deepEqual(await submitted(ORDINARY, 'anna@bakery.test'), { credential: 'network' })
    assert.equal(await submitted(ORDINARY, 'joe@far.test', { senders: 'any' }), undefined)
    assert.equal(await submitted(ORDINARY, 'joe@smith.test', { senders: 'any' }), undefined)
    assert.equal(await submitted(BOUNCE, '', { ndrs: 'pass' }), undefined)
  })

  it('is told of mail to many, and of lists', async () => {
    const list = await submitted(`List-Id: <news.bakery.test>\r\n${ORDINARY}`, 'anna@bakery.test')
    assert.deepEqual(list, { credential: 'network', bulk: true })
    for (const count of [10, 11]) {
      const to = Array.from({ length: count }, (_, i) => `bob${i}@far.test`)
      const judged = await bench({}).judge(ORDINARY, to, 'anna@bakery.test')
      assert.equal(judged.kind === 'pass' && judged.submission?.bulk, count > 10 ? true : undefined)
    }
  })

  it('is told of automatic mail together with what it is', async () => {
    assert.deepEqual(await submitted(REPLY, 'anna@bakery.test'), { credential: 'network', automatic: true })
  })
})

describe('a login at a listener for servers', () => {
  const FOREIGN = ORDINARY.replace('From: anna@bakery.test', 'From: ceo@far.test')
  const written = async (text: string, from: string, senders: readonly string[], settings = {}) => {
    const { door } = bench(settings)
    const authenticated = { tenant: 'bakery', login: 'anna', mechanism: 'PLAIN', senders }
    const sent = transaction(['bob@far.test'], from, session({ service: 'outbound', authenticated }))
    const gate = door.mail(sent)
    if ('reply' in gate) return replyLine(gate.reply).slice(0, 9)
    const whole = content([Buffer.from(text)])
    const header = readHeaderSection(whole)
    const judged = await door.content({
      transaction: sent,
      way: door.way(sent.session)!,
      content: whole,
      header,
      messageId: undefined,
    })
    return 'reply' in judged ? replyLine(judged.reply).slice(0, 9) : judged.kind
  }

  it('writes as itself only, as it does where users log in', async () => {
    assert.equal(await written(ORDINARY, 'anna@bakery.test', []), 'pass')
    assert.equal(await written(FOREIGN, 'anna@bakery.test', []), '550 5.7.1')
  })

  it('is bound to its senders also where the tenant’s servers may send for anyone', async () => {
    const any = { senders: 'any' }
    assert.equal(await written(FOREIGN, 'ceo@far.test', [], any), 'pass')
    assert.equal(await written(ORDINARY, 'ceo@far.test', ['anna@bakery.test'], any), '550 5.7.1')
    assert.equal(await written(FOREIGN, 'anna@bakery.test', ['anna@bakery.test'], any), '550 5.7.1')
  })
})

describe('automatic replies', () => {
  it('go out within the limit, are discarded beyond it, and deferred where nobody can count', async () => {
    const { judge, desk, decisions, discards } = bench()
    assert.equal(said(await judge(REPLY, ['bob@far.test'])), '<> <bob@far.test>')
    assert.deepEqual(desk.asked, [['bakery', ['anna@bakery.test bob@far.test'], 2, SETTINGS.autoReplies.windowMs]])
    desk.takes = async () => [false]
    assert.equal(said(await judge(REPLY, ['bob@far.test'])), 'discard')
    assert.equal(discards().length, 1)
    desk.takes = () => Promise.reject(new Error('no answer'))
    assert.match(said(await judge(REPLY, ['bob@far.test'])), /^451 4\.3\.0 /)
    assert.equal(discards().length, 1)
    const expected = ['auto-reply passed', 'auto-reply discarded', 'auto-reply deferred']
    assert.deepEqual(
      decisions().filter((one) => one.startsWith('auto')),
      expected,
    )
  })

  it('of several recipients those within the limit get it, each counted', async () => {
    const { judge, desk, events } = bench()
    desk.takes = async () => [true, false, true]
    assert.equal(said(await judge(REPLY, ['a@far.test', 'b@far.test', 'c@far.test'])), '<> <a@far.test>,<c@far.test>')
    const [discarded] = events.filter((event) => event.kind === 'discarded')
    assert.ok(discarded?.kind === 'discarded')
    assert.deepEqual(
      discarded.recipients.map(({ forwardPath }) => pathText(forwardPath)),
      ['<b@far.test>'],
    )
    assert.match(discarded.reasons[0]!.text, /anna@bakery\.test to b@far\.test: more than 2 within 168 h/)
  })
})

describe('non-delivery messages', () => {
  let asked: readonly unknown[] = []
  const outcome = async (ndrs: OutboundSettings['ndrs'], known?: readonly (boolean | undefined)[] | Error) => {
    const { judge, desk, decisions } = bench({ ndrs })
    asked = desk.asked
    if (known !== undefined) desk.known = known instanceof Error ? () => Promise.reject(known) : async () => known
    return `${said(await judge(BOUNCE, ['bob@far.test']))} / ${decisions().join(', ')}`
  }

  it('go by the tenant’s rule, and are counted', async () => {
    assert.equal(await outcome('pass'), '<> <bob@far.test> / outbound dsn, ndr passed')
    assert.equal(await outcome('discard'), 'discard / outbound dsn, ndr discarded')
    assert.match(await outcome('hold'), /held: non-delivery message; ndrs: hold \/ outbound dsn, ndr held$/)
  })

  it('pass as verified only where the record says so of every recipient', async () => {
    assert.equal(await outcome('verified', [true]), '<> <bob@far.test> / outbound dsn, ndr verified')
    assert.deepEqual(asked, [['bakery', 'return-path', ['from 1@far.test bob@far.test']]])
    for (const known of [[false], [undefined], [], new Error('no answer')]) {
      assert.match(await outcome('verified', known), /held: .*not verified \/ outbound dsn, ndr held$/)
    }
  })
})

describe('bounce protection', () => {
  it('signs own addresses once, and nothing else', async () => {
    const { judge } = bench({ senders: 'any' }, { bounceProtection: BATV })
    const path = async (from: string) => said(await judge(ORDINARY, ['bob@far.test'], from)).split(' ')[0]
    assert.match(String(await path('anna@bakery.test')), /^<prvs=1\d{3}[0-9a-f]{6}=anna@bakery\.test>$/)
    assert.equal(await path('prvs=1123abcdef=anna@bakery.test'), '<prvs=1123abcdef=anna@bakery.test>')
    assert.equal(await path('joe@smith.test'), '<joe@smith.test>')
    assert.equal(await path(''), '<>')
    const long = `${'a'.repeat(60)}@bakery.test`
    assert.equal(await path(long), `<${long}>`)
  })

  it('does not sign before its day, nor without its key', async () => {
    for (const protection of [
      { ...BATV, sinceMs: Number.MAX_SAFE_INTEGER },
      { ...BATV, signingKey: 2 },
    ]) {
      const { judge } = bench({}, { bounceProtection: protection })
      assert.match(said(await judge(ORDINARY, ['bob@far.test'], 'anna@bakery.test')), /^<anna@/)
    }
  })

  it('records what leaves before it does, or defers it', async () => {
    const { judge, desk } = bench({}, { bounceProtection: { kind: 'sent-record', sinceMs: 0, warmUpMs: 0 } })
    assert.equal((await judge(ORDINARY, ['Bob@far.test'], 'anna@bakery.test')).kind, 'pass')
    const facts = ['id 7@bakery.test', 'pair anna@bakery.test bob@far.test', 'to 7@bakery.test bob@far.test']
    assert.deepEqual(desk.asked, [['bakery', 'sent', facts]])
    desk.remembers = () => Promise.reject(new Error('no answer'))
    assert.match(said(await judge(ORDINARY, ['bob@far.test'], 'anna@bakery.test')), /^451 4\.3\.0 /)
  })
})

describe('the session’s own envelope', () => {
  it('stays as the client gave it', async () => {
    const { door } = bench({}, { bounceProtection: BATV })
    const sent = transaction(['bob@far.test'], 'anna@bakery.test', session({ service: 'outbound' }))
    const whole = content([Buffer.from(ORDINARY)])
    const header = readHeaderSection(whole)
    const way = door.way(sent.session)!
    const judged = await door.content({ transaction: sent, way, content: whole, header, messageId: undefined })
    assert.ok(judged.kind === 'pass' && judged.transaction !== sent && judged.transaction.id === sent.id)
    const { reversePath } = sent.envelope
    assert.ok(reversePath.kind === 'mailbox' && mailboxText(reversePath.mailbox) === 'anna@bakery.test')
  })
})
