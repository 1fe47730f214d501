import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { mailboxKey } from '#mail/address.ts'
import type { ProbeAnswer } from '#mail/probe.ts'
import { remoteReply } from '#mail/reply.ts'
import { KNOWLEDGE_LIMITS, RecipientKnowledge } from './knowledge.ts'
import { OwnMemory } from './memory.ts'
import { bench, DAY, domain, down, HOUR, known, LIVE, MINUTE, path, route, unknown } from './testing.ts'

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

  it('does not leave a server alone because of one recipient that it does not want to speak about', async () => {
    const { ask, server } = bench({ kind: 'unreachable', obstacle: 'refused-for-now', about: 'recipient', text: '450' })
    assert.equal(await ask('greylisted@bakery.test'), 'unreachable')
    assert.equal(await ask('greylisted@bakery.test'), 'unreachable')
    assert.equal(server.asked, 1)
    server.answer = known
    assert.equal(await ask(), 'known')
  })

  it('finds out that a server takes every address, and then learns nothing from its yes', async () => {
    const { ask, knowledge, server, events, pass } = bench(known)
    server.madeUp = known
    assert.equal(await ask(), 'known')
    await turn()
    assert.deepEqual(events, [true])
    const { size } = knowledge
    for (let i = 0; i < 100; i++) {
      const answer = await knowledge.verify(LIVE, path(`invented${i}@bakery.test`))
      assert.deepEqual(answer, { kind: 'known', source: 'takes-all', ageMs: 0 })
    }
    assert.equal(knowledge.size, size)
    assert.deepEqual([server.asked, server.tested], [1, 1])
    // Tested again after a day; until the answer is there the old one holds, also through an outage.
    pass(DAY + 1)
    server.madeUp = down
    assert.equal(await ask('other@bakery.test'), 'known')
    await turn()
    server.madeUp = unknown
    pass(MINUTE + 1)
    assert.equal(await ask('other@bakery.test'), 'known')
    await turn()
    assert.deepEqual(events, [true, false])
    server.answer = unknown
    assert.equal(await ask('other@bakery.test'), 'unknown')
  })

  it('needs no test where a refusal shows that not every address is taken', async () => {
    const { ask, server } = bench(unknown)
    await ask('nobody@bakery.test')
    server.answer = known
    await ask()
    await turn()
    assert.equal(server.tested, 0)
  })

  it('tests again when a delivery is refused where every address was taken', async () => {
    const { ask, knowledge, server, pass } = bench(known)
    server.madeUp = known
    await ask()
    await turn()
    pass(MINUTE + 1)
    knowledge.learn('gone@bakery.test', 'unknown', route.id)
    assert.equal(await ask('gone@bakery.test'), 'unknown')
    server.madeUp = unknown
    assert.equal(await ask('other@bakery.test'), 'known')
    await turn()
    assert.equal(server.tested, 2)
  })

  it('does not let a session wait for a silent server, and learns what it says later', async () => {
    const { ask, server, pass } = bench(known)
    let open = () => {}
    server.gate = new Promise((resolve) => {
      open = resolve
    })
    const answer = ask()
    await turn()
    pass(31_000)
    assert.equal(await answer, 'unreachable')
    open()
    await turn()
    server.answer = down
    assert.equal(await ask(), 'known')
  })

  it('does not learn a refusal from before a change of the directory', async () => {
    const { ask, knowledge, server } = bench(unknown)
    let open = () => {}
    server.gate = new Promise((resolve) => {
      open = resolve
    })
    const answer = ask()
    await turn()
    knowledge.changed()
    server.gate = undefined
    server.answer = known
    open()
    assert.equal(await answer, 'unreachable')
    assert.equal(await ask(), 'known')
  })

  it('believes nothing that another tenant’s server said', async () => {
    const { ask, knowledge, server } = bench(down)
    knowledge.learn('anna@bakery.test', 'known', 'butcher/main')
    assert.equal(await ask(), 'unreachable')
    server.answer = known
    knowledge.learn('anna@bakery.test', 'known', 'bakery/other')
    assert.equal(await ask(), 'known')
  })

  it('asks for who is not on the list, refuses them, or says that nobody knows, as the domain wants', async () => {
    const { clock, knowledge: bare } = bench(known)
    const lists = {
      has: (name: string, key: string) =>
        name === 'bakery.test'
          ? { listed: key === 'anna@bakery.test', tenant: 'bakery', source: 'import', loadedAtMs: 0 }
          : undefined,
    }
    const knowledge = new RecipientKnowledge({
      clock,
      limits: KNOWLEDGE_LIMITS,
      memory: new OwnMemory(clock, KNOWLEDGE_LIMITS),
      random: Math.random,
      lists,
      probe: async () => known,
    })
    const refuse = { kind: 'directory', otherwise: 'refuse' } as const
    assert.deepEqual(await knowledge.verify(domain(refuse), path('anna@bakery.test')), {
      kind: 'known',
      source: 'listed',
      ageMs: 1000,
    })
    assert.equal((await knowledge.verify(domain(refuse), path('bert@bakery.test'))).kind, 'unknown')
    assert.equal((await bare.verify(domain(refuse), path('anna@bakery.test'))).kind, 'unreachable')
    const live = domain({ kind: 'directory', otherwise: 'live' })
    assert.deepEqual(await knowledge.verify(live, path('bert@bakery.test')), {
      kind: 'known',
      source: 'live',
      ageMs: 0,
    })
  })
})

const turn = () => new Promise(setImmediate)

describe('whatever happens (law 4)', () => {
  const nos: ProbeAnswer[] = [
    down,
    { kind: 'unreachable', obstacle: 'refused-for-now', about: 'recipient', text: '450' },
    { kind: 'unreachable', obstacle: 'refused-for-now', text: '550 to MAIL', senderRefused: remoteReply(550, ['no']) },
    { kind: 'unreachable', obstacle: 'tls', text: 'handshake' },
    { kind: 'unreachable', obstacle: 'timeout', text: 'silence' },
    { kind: 'unreachable', obstacle: 'closed', text: 'closed' },
  ]
  const step = fc.oneof(
    fc.record({ answer: fc.constantFrom(...nos) }),
    fc.record({ pass: fc.integer({ min: 0, max: 12 * HOUR }) }),
    fc.constant({ ask: true as const }),
    fc.constant({ reached: true as const }),
    fc.constant({ changed: true as const }),
  )

  it('no sequence of failures says unknown, or shortens the life of a good address', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, begunGood) => {
        const { ask, knowledge, server, pass } = bench(known)
        if (begunGood) await ask()
        await turn()
        server.answer = down
        server.madeUp = down
        let passedMs = 0
        for (const each of steps) {
          if ('answer' in each) server.answer = server.madeUp = each.answer
          else if ('pass' in each) {
            pass(each.pass)
            passedMs += each.pass
          } else if ('reached' in each) knowledge.reached(route.id)
          else if ('changed' in each) knowledge.changed()
          const answer = await ask()
          assert.equal(answer, begunGood && passedMs <= 31 * DAY ? 'known' : 'unreachable')
        }
      }),
      { numRuns: 200 },
    )
  })
})
