import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Content, content } from '#mail/content.ts'
import type { PathEvent } from '#mail/event.ts'
import type { FeedbackDecision, Lesson } from '#mail/feedback.ts'
import { authentication, forwardPath, session, transaction } from '#mail/testing.ts'
import { Tokens } from '#policy/feedback-token.ts'
import { HandClock, route } from '#queue/testing.ts'
import { declaredDirectory } from '#tenant/declared.ts'
import type { BounceProtection, OutboundWay, Tenant } from '#tenant/directory.ts'
import { complaint, dsn } from '../../test/harness/feedback.ts'
import { Feedback, type FeedbackSettings, UNDER_WAY_MAX } from './feedback.ts'
import { served } from './testing.ts'

const ANNA = 'anna@bakery.test'
const FBL = 'fbl@bakery.test'
const outbound = { route: 'bakery/world' } as unknown as Tenant['outbound'] & object
const tenantOf = (more: object = {}): Tenant => ({ name: 'bakery', language: 'en', outbound, ...more })
const RECORD: BounceProtection = { kind: 'sent-record', sinceMs: 0, warmUpMs: 0 }

interface Options {
  readonly protection?: BounceProtection
  readonly settings?: Partial<FeedbackSettings>
  readonly vouched?: Parameters<typeof authentication>[0] | undefined
  readonly onRecord?: readonly string[]
}

function bench({ protection, settings, vouched, onRecord = [] }: Options = {}) {
  const clock = new HandClock()
  const events: PathEvent[] = []
  const learned: { source: string; lessons: readonly Lesson[] }[] = []
  const state = {
    learn: async (lessons: readonly Lesson[]): Promise<readonly FeedbackDecision[]> => lessons.map(() => 'suppressed'),
  }
  const tenant = tenantOf(protection && { bounceProtection: protection })
  const tokens = new Tokens(Buffer.alloc(32, 1))
  let nonce = 0
  const feedback = new Feedback({
    clock,
    directory: () =>
      declaredDirectory({ domains: [served({ tenant })], routes: [route()], tenants: [tenant] } as never),
    tokens: () => tokens,
    random: (octets) => Buffer.alloc(octets, ++nonce),
    records: { known: async (_tenant, _kind, facts) => facts.map((fact) => onRecord.includes(fact)) },
    settings: () => ({ addresses: new Set([FBL]), trusts: () => false, domains: [], ...settings }),
    learn(source, lessons) {
      learned.push({ source, lessons })
      return state.learn(lessons)
    },
    report: (event) => void events.push(event),
  })
  const way = { tenant } as unknown as OutboundWay
  /** As the world received it. */
  const stamped = (to: readonly string[], login: string | undefined = ANNA): string => {
    const text = `From: ${ANNA}\r\nTo: ${to[0]}\r\nMessage-ID: <7@bakery.test>\r\n\r\nBread.\r\n`
    const of = session(login === undefined ? {} : ({ authenticated: { login, tenant: 'bakery' } } as object))
    return textOf(feedback.stamp(transaction(to, ANNA, of), way, content([Buffer.from(text)])))
  }
  const comes = async (to: string, text: string, from = '') => {
    const before = events.length
    const mail = {
      transaction: transaction([to], from),
      way: served({ tenant }),
      content: content([Buffer.from(text)]),
      authentication: vouched && authentication(vouched),
    }
    await feedback.accepted(mail)
    return events.slice(before).map((event) => {
      assert.ok(event.kind === 'feedback')
      return `${event.about} ${event.address ?? '-'} ${event.decision}`
    })
  }
  return { feedback, clock, events, learned, state, stamped, comes, tokens }
}

const textOf = ({ chunks }: Content): string => Buffer.concat([...chunks]).toString()

test('a bounce with our token is learned, with who sent it and who says so', async () => {
  const { comes, stamped, learned } = bench()
  const original = stamped(['gone@far.test'])
  assert.deepEqual(await comes(ANNA, dsn({ recipient: 'Gone@far.test', original })), [
    'hard-bounce gone@far.test suppressed',
  ])
  const { source, lessons } = learned[0]!
  assert.equal(source, 'bounces bakery')
  const [lesson] = lessons
  assert.deepEqual([lesson?.tenant, lesson?.login, lesson?.proof], ['bakery', ANNA, 'token'])
  assert.match(lesson!.evidence, /^\w{15} from mx\.far\.test, by the token in our message$/)
  assert.match(lesson!.text, /550 5\.1\.1 no such user/)
  await comes(ANNA, dsn({ recipient: 'gone@far.test', original }))
  assert.equal(learned[1]!.lessons[0]!.once, lesson!.once, 'the same answer, however often it comes')
  await comes(ANNA, dsn({ recipient: 'gone@far.test', original: stamped(['gone@far.test']) }))
  assert.notEqual(learned[2]!.lessons[0]!.once, lesson!.once, 'another message')
})

test('what is no failure is nothing, and what is no missing mailbox is a soft bounce', async () => {
  const { comes, stamped } = bench()
  const original = stamped(['bob@far.test'])
  const of = (more: object) => comes(ANNA, dsn({ recipient: 'bob@far.test', original, ...more }))
  assert.deepEqual(await of({ action: 'delivered', status: '2.0.0', diagnostic: '250 ok' }), [])
  const soft = ['soft-bounce bob@far.test suppressed']
  assert.deepEqual(await of({ action: 'delayed', status: '4.4.7', diagnostic: 'expired' }), soft)
  assert.deepEqual(await of({ status: '5.2.2', diagnostic: '552 5.2.2 mailbox full' }), soft)
  assert.deepEqual(await of({ status: '5.1.1', diagnostic: '550 5.1.1 rejected as spam' }), soft)
  assert.deepEqual(await of({ status: '5.0.0', diagnostic: 'it failed' }), soft)
  assert.deepEqual(await of({ status: '5.0.0', diagnostic: 'User unknown' }), ['hard-bounce bob@far.test suppressed'])
})

test('nothing is learned of a recipient whom the message did not go to, nor without a token of this tenant', async () => {
  const { comes, stamped, learned, clock, tokens } = bench()
  const original = stamped(['bob@far.test'])
  const bob = (returned: string) => comes(ANNA, dsn({ recipient: 'bob@far.test', original: returned }))
  assert.deepEqual(await comes(ANNA, dsn({ recipient: 'eve@far.test', original })), [
    'hard-bounce eve@far.test not-proven',
  ])
  const not = ['hard-bounce bob@far.test not-proven']
  assert.deepEqual(await bob('Message-ID: <7@bakery.test>\r\n\r\n'), not)
  const field = (of: Tokens, tenant: string) =>
    of.field({ tenant, recipients: ['bob@far.test'] }, Buffer.alloc(12, 9), clock.wall())
  assert.deepEqual(await bob(`${field(tokens, 'smith')}\r\n`), not)
  assert.deepEqual(await bob(`${field(new Tokens(Buffer.alloc(32, 2)), 'bakery')}\r\n`), not)
  assert.equal(learned.length, 0)
  assert.deepEqual(await bob(`${field(tokens, 'smith')}${original}`), ['hard-bounce bob@far.test suppressed'])
  clock.jumpMs += 32 * 86_400_000
  assert.deepEqual(await bob(original), not, 'too old')
})

test('the record of what was sent proves a bounce too, where the tenant keeps one', async () => {
  const onRecord = ['to 7@bakery.test bob@far.test', 'id 7@bakery.test', `pair ${ANNA} eve@far.test`]
  const original = 'Message-ID: <7@bakery.test>\r\n\r\n'
  const outcomes = async (options: Options) => {
    const { comes } = bench({ ...options, onRecord })
    return [
      ...(await comes(ANNA, dsn({ recipient: 'bob@far.test', original }))),
      ...(await comes(ANNA, dsn({ recipient: 'eve@far.test', original }))),
    ]
  }
  const eve = 'hard-bounce eve@far.test not-proven'
  assert.deepEqual(await outcomes({ protection: RECORD }), ['hard-bounce bob@far.test suppressed', eve])
  assert.deepEqual(await outcomes({}), ['hard-bounce bob@far.test not-proven', eve])
})

test('only a bounce from <> to a tenant that sends through us is read', async () => {
  const { comes, stamped, feedback, learned, events } = bench()
  const text = dsn({ recipient: 'gone@far.test', original: stamped(['gone@far.test']) })
  assert.deepEqual(await comes(ANNA, text, 'x@far.test'), [])
  const way = served({ tenant: { name: 'bakery', language: 'en' } })
  await feedback.accepted({
    transaction: transaction([ANNA], ''),
    way,
    content: content([Buffer.from(text)]),
    authentication: undefined,
  })
  assert.deepEqual([learned.length, events.length], [0, 0])
  assert.deepEqual(await comes(ANNA, 'Subject: hello\r\n\r\nText.\r\n'), [])
})

test('a complaint is believed from a trusted network, or a verified domain', async () => {
  const trusts = () => true
  const domains = ['far.test']
  const spf = (domain: string) => ({ spf: { result: 'pass', identity: 'mailfrom', domain } }) as const
  const dkim = (domain: string) => ({ dkim: [{ result: 'pass', domain }] }) as const
  const dmarc = (domain: string) => ({ dmarc: { result: 'pass', domain, alignedBy: ['dkim'] } }) as const
  const heard = async (vouched: Options['vouched'], from = 'fbl@reports.far.test', settings: object = { domains }) => {
    const { comes, stamped } = bench({ settings, vouched })
    return (await comes(FBL, complaint(stamped(['bob@far.test'])), from))[0]?.split(' ').at(-1)
  }
  assert.equal(await heard(undefined, undefined, { trusts }), 'suppressed')
  assert.equal(await heard(spf('reports.far.test')), 'suppressed')
  assert.equal(await heard(dkim('far.test'), ''), 'suppressed')
  assert.equal(await heard(dmarc('far.test'), ''), 'suppressed')
  for (const other of [undefined, {}, spf('far.test'), dkim('other.test'), dmarc('other.test')])
    assert.equal(await heard(other), 'not-trusted')
  assert.equal(await heard(spf('notfar.test'), 'fbl@notfar.test'), 'not-trusted')
  assert.equal(await heard(spf('reports.far.test'), undefined, {}), 'not-trusted')
})

test('a complaint means who is named and proved, or the only one; of several it is counted only', async () => {
  const { comes, stamped, learned } = bench({ settings: { trusts: () => true } })
  const said = async (to: readonly string[], options: object = {}) =>
    comes(FBL, complaint(stamped(to), options), 'f@far.test')
  assert.deepEqual(await said(['bob@far.test']), ['complaint bob@far.test suppressed'])
  assert.deepEqual(await said(['bob@far.test'], { recipient: 'eve@far.test' }), ['complaint bob@far.test suppressed'])
  const three = ['bob@far.test', 'eve@far.test', 'kim@far.test']
  assert.deepEqual(await said(three, { recipient: 'eve@far.test' }), ['complaint eve@far.test suppressed'])
  assert.deepEqual(await said(three), ['complaint bob@far.test suppressed'], 'the only one in its To field')
  const hidden = complaint(stamped(three).replace('To: bob@', 'To: tom@'))
  assert.deepEqual(await comes(FBL, hidden, 'f@far.test'), ['complaint - suppressed'])
  assert.equal(learned.at(-1)!.lessons[0]!.login, ANNA)
})

test('a report of something else, without our token or at another address is no complaint', async () => {
  const { comes, stamped, learned } = bench({ settings: { trusts: () => true } })
  const original = stamped(['bob@far.test'])
  assert.deepEqual(await comes(FBL, complaint(original, { type: 'not-spam' })), ['complaint - no-complaint'])
  assert.deepEqual(await comes(FBL, complaint('Subject: x\r\n\r\ny')), ['complaint - not-proven'])
  assert.deepEqual(await comes(ANNA, complaint(original)), [])
  assert.equal(learned.length, 0)
})

test('when nobody can write it down, it says so, and nothing is thrown', async () => {
  const { comes, stamped, state } = bench()
  const text = dsn({ recipient: 'gone@far.test', original: stamped(['gone@far.test']) })
  state.learn = () => Promise.reject(new Error('no supervisor'))
  assert.deepEqual(await comes(ANNA, text), ['hard-bounce gone@far.test not-recorded'])
  let release = () => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  state.learn = async (lessons) => held.then(() => lessons.map(() => 'counted'))
  const waiting = Array.from({ length: UNDER_WAY_MAX }, () => comes(ANNA, text))
  assert.deepEqual(await comes(ANNA, text), ['report - over-limit'])
  release()
  await Promise.all(waiting)
  assert.equal((await comes(ANNA, text)).length, 1)
})

test('reports come to the addresses of the configuration', () => {
  const { feedback } = bench()
  assert.deepEqual(
    [FBL, 'FBL@Bakery.test', ANNA].map((to) => feedback.takes(forwardPath(to))),
    [true, true, false],
  )
})
