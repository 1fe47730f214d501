/** For tests: a customer whose server answers as the test says, and a clock that the test turns. */
import assert from 'node:assert/strict'
import { type ForwardPath, parseForwardPath } from '#mail/address.ts'
import type { ProbeAnswer } from '#mail/probe.ts'
import { remoteReply } from '#mail/reply.ts'
import type { Clock } from '#sys/clock.ts'
import type { RecipientSource, Route, ServedDomain } from '#tenant/directory.ts'
import { KNOWLEDGE_LIMITS, RecipientKnowledge } from './knowledge.ts'
import { OwnMemory } from './memory.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

export const route = {
  id: 'bakery/main',
  tenant: 'bakery',
  hosts: [{ name: 'mail.bakery.test', port: 25 }],
} as unknown as Route
export const domain = (recipients: RecipientSource): ServedDomain =>
  ({ name: 'bakery.test', tenant: { name: 'bakery' }, route, recipients }) as unknown as ServedDomain
export const LIVE = domain({ kind: 'live' })

export function path(text: string): ForwardPath {
  const parsed = parseForwardPath(`<${text}>`)
  assert.ok(parsed.ok)
  return parsed.value
}

export const known: ProbeAnswer = { kind: 'known', reply: remoteReply(250, ['2.1.5 Ok']) }
export const unknown: ProbeAnswer = { kind: 'unknown', reply: remoteReply(550, ['5.1.1 no such user']) }
export const down: ProbeAnswer = { kind: 'unreachable', obstacle: 'connect', text: 'refused' }

/** A knowledge with a clock that tests turn, and a customer's server that answers `server.answer`. */
export function bench(answer: ProbeAnswer) {
  let nowMs = 1000
  let timers: { atMs: number; call: () => void }[] = []
  const clock: Clock = {
    wall: () => nowMs,
    monotonic: () => nowMs,
    after(ms, call) {
      const timer = { atMs: nowMs + ms, call }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
  }
  const pass = (ms: number): void => {
    nowMs += ms
    const due = timers.filter(({ atMs }) => atMs <= nowMs)
    timers = timers.filter(({ atMs }) => atMs > nowMs)
    for (const { call } of due) call()
  }
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
      const said = server.answer
      await server.gate
      return said
    },
    tested: (_route, _name, takesAll) => events.push(takesAll),
  })
  const ask = async (to = 'anna@bakery.test') => (await knowledge.verify(LIVE, path(to))).kind
  return { knowledge, server, events, clock, ask, pass }
}
