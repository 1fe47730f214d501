/** Reports to senders as the queue causes them: when, once, within the cap, and held where nobody may or can be told. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Content, head } from '#mail/content.ts'
import { SpoolReceipt } from '#mail/custody.ts'
import type { Attempt } from '#mail/outcome.ts'
import type { NewMessage } from '#mail/stored.ts'
import { attempted, deferred, delivered, failed, newTraceId } from '#mail/testing.ts'
import { Queue } from '#queue/queue.ts'
import { HOUR, MINUTE, newMessage, queueBench, route, settle } from '#queue/testing.ts'
import { SpoolError } from '#spool/contract.ts'
import type { Directory, ServedDomain } from '#tenant/directory.ts'
import { StatusReports } from './status-reports.ts'
import { served } from './testing.ts'

const REFUSED = failed('550 5.1.1 no such user')
const LATER = deferred('connect')
const OUT = route('bakery/out', { lifetimeMs: 20 * HOUR })

interface Given {
  readonly attempts: readonly Attempt[]
  readonly to?: readonly string[]
  readonly more?: Partial<NewMessage>
  readonly cap?: number
  readonly delayAfterMs?: number
  readonly append?: () => void
  readonly take?: () => Promise<readonly boolean[]>
  readonly domain?: ServedDomain
}

/** One submitted message, from `anna@sender.example`; what was told of it. */
async function bench({ attempts, to = ['bob@far.test'], more, cap = 10, append, take, domain, ...settings }: Given) {
  const { clock, keep, events, report } = queueBench([OUT])
  const reports: { message: NewMessage; text: string }[] = []
  const counted: unknown[] = []
  const outcomes = [...attempts]
  const directory = {
    route: () => OUT,
    tenant: () => ({ name: 'bakery', language: 'en' }),
    domain: (name: string) => (name === domain?.name ? domain : undefined),
  } as unknown as Directory
  const queue: Queue = new Queue({
    clock,
    random: () => 0.5,
    keep,
    route: () => OUT,
    attempt: async () => outcomes.shift()!,
    report,
    tell: (message, tried) => told.tell(message, tried),
  })
  const told = new StatusReports({
    hostname: 'relay.example',
    settings: () => ({ perDomainAndDayMax: cap, ...settings }),
    directory: () => directory,
    newTraceId,
    limits: {
      take: async (...asked) => {
        counted.push(asked)
        return take === undefined ? [counted.length <= cap] : take()
      },
    },
    plain: (path) => path,
    spool: {
      async append(message: NewMessage, content: Content) {
        append?.()
        reports.push({ message, text: head(content, content.octets).toString() })
        return SpoolReceipt.afterSync(message.id)
      },
      get: () => undefined,
    },
    queue,
    report,
  })
  const message = newMessage(to, OUT.id, queue.nowMs())
  const entry = keep.put({ ...message, submission: { credential: 'network' }, ...more }, queue.nowMs())
  queue.add(entry)
  await settle()
  const states = () => keep.messages.get(entry.id)?.recipients.map((state) => state.kind)
  const held = () => events.flatMap((event) => (event.kind === 'held' ? [event.text] : []))
  return { clock, queue, keep, id: entry.id, events, reports, states, held, counted }
}

describe('a failure', () => {
  it('is told from <> to the sender, by the way that his mail takes, and the message is settled', async () => {
    const { reports, states, events } = await bench({ attempts: [attempted(REFUSED)] })
    const [only, ...others] = reports
    assert.equal(others.length, 0)
    assert.deepEqual(
      [only?.message.envelope.reversePath.kind, only?.message.route, only?.message.notice],
      ['null', OUT.id, true],
    )
    assert.match(only?.text ?? '', /^Final-Recipient: rfc822; ?bob@far\.test\r$/m)
    assert.deepEqual(states(), undefined)
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['dsn-sent', 'attempted', 'settled'],
    )
  })

  it('goes to the server of the sender’s domain where that is ours, but not where it is another tenant’s', async () => {
    const own = served({ name: 'sender.example', route: route('bakery/shop') })
    const { reports } = await bench({ attempts: [attempted(REFUSED)], domain: own })
    assert.equal(reports[0]?.message.route, 'bakery/shop')
    const foreign = { ...own, tenant: { name: 'smith', language: 'en' } } as const
    const other = await bench({ attempts: [attempted(REFUSED)], domain: foreign })
    assert.equal(other.reports[0]?.message.route, OUT.id)
  })

  it('of one recipient is told while the others go on', async () => {
    const { reports, states, clock } = await bench({
      attempts: [attempted(REFUSED, LATER), attempted(delivered())],
      to: ['bob@far.test', 'eve@far.test'],
    })
    assert.deepEqual(states(), ['returned', 'pending'])
    await clock.pass(HOUR)
    assert.deepEqual([states(), reports.length], [undefined, 1])
  })

  it('is told when the lifetime ends', async () => {
    const { reports, clock, held } = await bench({ attempts: new Array(60).fill(attempted(LATER)) })
    await clock.pass(24 * HOUR)
    assert.deepEqual([reports.length, held()], [1, []])
    assert.match(reports[0]?.text ?? '', /^Status: 4\.4\.7\r$/m)
  })

  for (const [name, more] of [
    ['a message that nobody vouches for', { submission: undefined }],
    ['automatic mail', { submission: { credential: 'network', automatic: true } }],
    [
      'a message from <>',
      { envelope: { ...newMessage(['bob@far.test'], OUT.id, 0).envelope, reversePath: { kind: 'null' } } },
    ],
  ] as const) {
    it(`of ${name} is told to nobody, and held`, async () => {
      const { reports, states, counted } = await bench({
        attempts: [attempted(REFUSED)],
        more: more as Partial<NewMessage>,
      })
      assert.deepEqual([reports.length, states(), counted.length], [0, ['held'], 0])
    })
  }

  it('above the cap is held, with the reason; and so it is when nobody can count, or the disk is full', async () => {
    const above = await bench({ attempts: [attempted(REFUSED)], take: async () => [false] })
    assert.match(
      above.held()[0] ?? '',
      /^550 5\.1\.1 no such user; the sender is not told: the reports that one domain/,
    )
    const silent = await bench({ attempts: [attempted(REFUSED)], take: () => Promise.reject(new Error('too slow')) })
    assert.match(silent.held()[0] ?? '', /cannot be counted now: too slow/)
    const full = await bench({
      attempts: [attempted(REFUSED)],
      append: () => {
        throw new SpoolError('full', 'no space')
      },
    })
    assert.match(full.held()[0] ?? '', /could not be stored: no space/)
    for (const one of [above, silent, full]) assert.deepEqual([one.states(), one.reports.length], [['held'], 0])
  })

  it('counts for the domain of the sender, whoever the tenant is', async () => {
    const { counted } = await bench({ attempts: [attempted(REFUSED)] })
    assert.deepEqual(counted, [['*', ['dsn sender.example'], 10, 24 * HOUR]])
  })

  it('of a recipient that an operator sent elsewhere is no news for the sender', async () => {
    const { queue, keep, id, reports, states, clock } = await bench({
      attempts: [attempted(REFUSED), attempted(REFUSED)],
      take: async () => [false],
    })
    const forwardPath = newMessage(['new@far.test'], OUT.id, 0).envelope.recipients[0]!.forwardPath
    const nowMs = queue.nowMs()
    const text = 'elsewhere'
    keep.change(id, {
      kind: 'redirect',
      atMs: nowMs,
      recipients: [0],
      forwardPath,
      route: OUT.id,
      nextAttemptMs: nowMs,
      text,
    })
    queue.flush(id)
    await clock.pass(MINUTE)
    assert.deepEqual([reports.length, states()], [0, ['held']])
    assert.doesNotMatch(
      keep.messages
        .get(id)
        ?.recipients.map((state) => ('text' in state ? state.text : ''))
        .join() ?? '',
      /not told/,
    )
  })
})

describe('a delay', () => {
  it('is told once, after the first attempt that fails late enough', async () => {
    const { reports, clock, keep, id } = await bench({
      attempts: new Array(60).fill(attempted(LATER)),
      delayAfterMs: 4 * HOUR,
    })
    await clock.pass(3 * HOUR)
    assert.equal(reports.length, 0)
    await clock.pass(2 * HOUR)
    assert.equal(reports.length, 1)
    assert.match(reports[0]?.text ?? '', /^Action: delayed\r$/m)
    assert.equal(keep.messages.get(id)?.delayTold, true)
    await clock.pass(10 * HOUR)
    assert.equal(reports.length, 1)
    await clock.pass(10 * HOUR)
    assert.match(reports[1]?.text ?? '', /^Action: failed\r$/m)
    assert.equal(reports.length, 2)
  })

  it('is not told without a time for it, nor held against anybody', async () => {
    const { reports, clock, states } = await bench({ attempts: new Array(60).fill(attempted(LATER)) })
    await clock.pass(15 * HOUR)
    assert.deepEqual([reports.length, states()], [0, ['pending']])
  })
})

describe('success', () => {
  const envelope = newMessage(['bob@far.test'], OUT.id, 0).envelope
  const asked = {
    envelope: { ...envelope, recipients: [{ ...envelope.recipients[0]!, notify: ['success'] }] },
  } as const

  it('is told when asked for, unless the next server does it', async () => {
    const told = await bench({ attempts: [attempted(delivered())], more: asked })
    assert.match(told.reports[0]?.text ?? '', /^Action: relayed\r$/m)
    const left = await bench({ attempts: [{ ...attempted(delivered()), dsn: true }], more: asked })
    assert.equal(left.reports.length, 0)
  })

  it('is told once, also when others are tried again', async () => {
    const two = {
      ...envelope,
      recipients: [asked.envelope.recipients[0]!, ...newMessage(['eve@far.test'], OUT.id, 0).envelope.recipients],
    }
    const { reports, clock } = await bench({
      attempts: [attempted(delivered(), LATER), attempted(delivered())],
      to: ['bob@far.test', 'eve@far.test'],
      more: { envelope: two } as Partial<NewMessage>,
    })
    await clock.pass(HOUR)
    assert.equal(reports.length, 1)
  })
})
