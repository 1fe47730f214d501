/** What is gathered about a message, who waits for whom, and that nobody holds up the session. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { content } from '#mail/content.ts'
import { transaction } from '#mail/testing.ts'
import { HandClock } from '#queue/testing.ts'
import type { SpamAbout } from '#scan/spam/contract.ts'
import { aboutOf, BEFORE_READER_MS_MAX, GATHER_MS_MAX, Gathering, type Sources } from './gathering.ts'
import { served } from './testing.ts'

const ONE = transaction(['anna@bakery.test'])
const subject = { transaction: ONE, way: served(), content: content([Buffer.from('x')]), about: aboutOf(ONE) }
const said = async (symbol: string) => ({ signs: [{ symbol, weight: 1 }] })
const NOTHING = { kind: 'read', signs: [], trail: { answers: [] }, linkDomains: [], authorDomain: '' } as const
const read = async () => NOTHING
const never = () => new Promise<never>(() => {})

function gather(sources: Sources) {
  const clock = new HandClock()
  const gathered = new Gathering(clock, sources).gather(subject)
  return { clock, gathered }
}

test('the reader knows who vouched and what the client is called; lists and memory know what was read', async () => {
  const seen: SpamAbout[] = []
  const { gathered } = gather({
    client: async () => ({ signs: [], clientName: { kind: 'none' } }),
    authentication: async () => ({ ...(await said('AUTH')), authenticated: { dkim: ['a.test'], dmarc: 'pass' } }),
    engines: async ({ about }) => ({
      ...(await said(`ENGINE_KNOWS_${about.session?.clientName?.kind}`)),
      silent: ['rspamd'],
    }),
    async reader(_, about) {
      seen.push(about)
      return { ...NOTHING, signs: [{ symbol: 'READ', weight: 2 }] }
    },
    lists: (_, { signs }) => said(`LISTS_AFTER_${signs[0]?.symbol}`),
    memory: async ({ about }) => ({ ...(await said(`MEMORY_${about.authenticated?.dmarc}`)), silent: ['a store'] }),
  })
  const { signs, silent } = await gathered
  assert.deepEqual(seen[0]?.session?.clientName, { kind: 'none' })
  assert.deepEqual(seen[0]?.authenticated, { dkim: ['a.test'], dmarc: 'pass' })
  assert.deepEqual([seen[0]?.reversePath, seen[0]?.recipients], ['anna@sender.example', ['anna@bakery.test']])
  assert.deepEqual(signs.map(({ symbol }) => symbol).sort(), [
    ...['AUTH', 'ENGINE_KNOWS_none', 'LISTS_AFTER_READ', 'MEMORY_pass', 'READ'],
  ])
  assert.deepEqual(
    [...silent].sort(),
    ['a store', 'engines', 'rspamd'],
    'an engine that is silent is one of the engines',
  )
})

test('who does not answer is silent by name, with a sign that weighs nothing, and the verdict comes in time', async () => {
  const { clock, gathered } = gather({
    client: never,
    authentication: never,
    engines: never,
    reader: read,
    lists: never,
    memory: never,
  })
  await clock.pass(BEFORE_READER_MS_MAX)
  await clock.pass(GATHER_MS_MAX - BEFORE_READER_MS_MAX)
  const { signs, silent, durationMs } = await gathered
  assert.equal(durationMs, GATHER_MS_MAX)
  assert.deepEqual([...silent].sort(), ['authentication', 'client', 'engines', 'lists', 'memory'])
  assert.equal(signs.length, 5)
  for (const { symbol, weight } of signs) assert.deepEqual([symbol.endsWith('_SILENT'), weight], [true, 0], symbol)
  assert.equal(clock.timers, 0)
})

test('a source that throws is silent with its words; what was not read is not looked up', async () => {
  let isAsked = false
  const { gathered } = gather({
    engines: async () => {
      throw new Error('connection refused')
    },
    reader: async () => ({ kind: 'silent', text: 'busy: too many messages wait' }),
    async lists() {
      isAsked = true
      return { signs: [] }
    },
  })
  const { signs, silent } = await gathered
  assert.deepEqual([...silent].sort(), ['engines', 'reader'])
  assert.deepEqual(signs.map(({ detail }) => detail).sort(), ['busy: too many messages wait', 'connection refused'])
  assert.equal(isAsked, false)
})

test('nobody to ask: nothing is silent', async () => {
  assert.deepEqual(await gather({}).gathered, { signs: [], silent: [], durationMs: 0 })
})
