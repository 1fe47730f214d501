import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ForwardPath, mailboxKey, parseForwardPath } from '#mail/address.ts'
import type { ProbeAnswer } from '#mail/probe.ts'
import { remoteReply } from '#mail/reply.ts'
import type { Clock } from '#sys/clock.ts'
import type { RecipientSource, Route, ServedDomain } from '#tenant/directory.ts'
import { KNOWLEDGE_LIMITS, RecipientKnowledge } from './knowledge.ts'
import { OwnMemory } from './memory.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const route = {
  id: 'bakery/main',
  tenant: 'bakery',
  hosts: [{ name: 'mail.bakery.test', port: 25 }],
} as unknown as Route
const domain = (recipients: RecipientSource): ServedDomain =>
  ({ name: 'bakery.test', route, recipients }) as unknown as ServedDomain
const LIVE = domain({ kind: 'live' })

function path(text: string): ForwardPath {
  const parsed = parseForwardPath(`<${text}>`)
  assert.ok(parsed.ok)
  return parsed.value
}

const known: ProbeAnswer = { kind: 'known', reply: remoteReply(250, ['2.1.5 Ok']) }
const unknown: ProbeAnswer = { kind: 'unknown', reply: remoteReply(550, ['5.1.1 no such user']) }
const down: ProbeAnswer = { kind: 'unreachable', obstacle: 'connect', text: 'refused' }

/** A knowledge with a clock that tests turn, and a customer's server that answers `server.answer`. */
function bench(answer: ProbeAnswer) {
  let nowMs = 1000
  const clock: Clock = { wall: () => nowMs, monotonic: () => nowMs, after: () => () => {} }
  const server = {
    answer,
    madeUp: unknown as ProbeAnswer,
    asked: 0,
    tested: 0,
    gate: undefined as Promise<void> | undefined,
  }
  const events: boolean[] = []
  const knowledge = new RecipientKnowledge({
    clock,
    limits: KNOWLEDGE_LIMITS,
    memory: new OwnMemory(clock, KNOWLEDGE_LIMITS),
    random: Math.random,
    route: (id) => (id === route.id ? route : undefined),
    probe: async (_route, mailbox) => {
      if (/^[a-z]+\.[a-z]+\d\d$/.test(mailbox.localPart)) {
        server.tested++
        return server.madeUp
      }
      server.asked++
      await server.gate
      return server.answer
    },
    tested: (_route, _name, takesAll) => events.push(takesAll),
  })
  const ask = async (to = 'anna@bakery.test') => (await knowledge.verify(LIVE, path(to))).kind
  return { knowledge, server, events, clock, ask, pass: (ms: number) => void (nowMs += ms) }
}

describe('recipient knowledge', () => {
  it('asks once and remembers a good address; confirms it in the background after a day', async () => {
    const { ask, server, pass } = bench(known)
    assert.equal(await ask(), 'known')
    assert.equal(await ask(), 'known')
    assert.equal(server.asked, 1)
    pass(DAY + 1)
    assert.equal(await ask(), 'known')
    assert.equal(server.asked, 2)
  })

  it('keeps a good address good through an outage of 30 days, and not for ever', async () => {
    const { ask, server, pass } = bench(known)
    await ask()
    server.answer = down
    for (let day = 0; day < 30; day++) {
      pass(DAY)
      assert.equal(await ask(), 'known', `day ${day}`)
    }
    pass(2 * DAY)
    assert.equal(await ask(), 'unreachable')
  })

  it('takes back a good address only when the server itself refuses it', async () => {
    const { ask, server, pass } = bench(known)
    await ask()
    server.answer = unknown
    pass(DAY + 1)
    await ask()
    await new Promise(setImmediate)
    assert.equal(await ask(), 'unknown')
  })

  it('remembers an unknown address for 15 minutes, then longer, up to two hours', async () => {
    const { ask, server, pass } = bench(unknown)
    assert.equal(await ask(), 'unknown')
    pass(14 * MINUTE)
    assert.equal(await ask(), 'unknown')
    assert.equal(server.asked, 1)
    pass(2 * MINUTE)
    await ask()
    assert.equal(server.asked, 2)
    pass(29 * MINUTE)
    await ask()
    assert.equal(server.asked, 2)
    for (let i = 0; i < 6; i++) {
      pass(2 * HOUR + 1)
      await ask()
    }
    assert.equal(server.asked, 8)
  })

  it('learns nothing about the address from a server that cannot be asked, and leaves it alone for a minute', async () => {
    const { ask, server, pass } = bench(down)
    assert.equal(await ask(), 'unreachable')
    assert.equal(await ask('bert@bakery.test'), 'unreachable')
    assert.equal(server.asked, 1)
    server.answer = known
    pass(MINUTE + 1)
    assert.equal(await ask(), 'known')
  })

  it('sends one trial after the pause, not a herd', async () => {
    const { ask, server, pass } = bench(down)
    await ask()
    pass(MINUTE + 1)
    let open = () => {}
    server.gate = new Promise((resolve) => {
      open = resolve
    })
    const answers = ['a', 'b', 'c', 'd'].map((name) => ask(`${name}@bakery.test`))
    open()
    await Promise.all(answers)
    assert.equal(server.asked, 2)
  })

  it('asks one question for fifty sessions', async () => {
    const { ask, server } = bench(known)
    await Promise.all(Array.from({ length: 50 }, () => ask()))
    assert.equal(server.asked, 1)
  })

  it('asks at most ten questions a second, whatever arrives', async () => {
    const { ask, server, pass } = bench(unknown)
    for (let i = 0; i < 500; i++) {
      await ask(`invented${i}@bakery.test`)
      pass(2)
    }
    assert.equal(server.asked, 10)
    for (let i = 0; i < 500; i++) {
      await ask(`further${i}@bakery.test`)
      pass(2)
    }
    assert.equal(server.asked, 20)
  })

  it('knows postmaster in every served domain, in any case', async () => {
    const { knowledge, server } = bench(unknown)
    for (const source of [{ kind: 'live' }, { kind: 'listed', keys: new Set<string>() }] as const) {
      const answer = await knowledge.verify(domain(source), path('PostMaster@bakery.test'))
      assert.equal(answer.kind, 'known')
    }
    assert.equal(server.asked, 0)
  })

  it('believes the list, but not against a refusal of a moment ago', async () => {
    const { knowledge, pass } = bench(known)
    const listed = domain({ kind: 'listed', keys: new Set(['anna@bakery.test']) })
    assert.equal((await knowledge.verify(listed, path('Anna@Bakery.TEST'))).kind, 'known')
    assert.equal((await knowledge.verify(listed, path('bert@bakery.test'))).kind, 'unknown')
    const anna = path('anna@bakery.test')
    assert.ok(anna.kind === 'mailbox')
    knowledge.learn(mailboxKey(anna.mailbox), 'unknown', route.id)
    assert.equal((await knowledge.verify(listed, anna)).kind, 'unknown')
    pass(16 * MINUTE)
    assert.equal((await knowledge.verify(listed, anna)).kind, 'known')
  })

  it('asks again at once when a delivery shows that the server is back', async () => {
    const { ask, knowledge, server } = bench(down)
    assert.equal(await ask(), 'unreachable')
    server.answer = known
    assert.equal(await ask(), 'unreachable')
    knowledge.reached('bakery/other')
    assert.equal(await ask(), 'unreachable')
    knowledge.reached(route.id)
    assert.equal(await ask(), 'known')
  })

  it('forgets refusals at once when told that the directory changed', async () => {
    const { ask, knowledge, server } = bench(unknown)
    await ask()
    server.answer = known
    knowledge.changed()
    assert.equal(await ask(), 'known')
  })
})
