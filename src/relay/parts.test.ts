/** Transactions to several destinations: each is a message of its own, and the 250 stands for all of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pathText } from '#mail/address.ts'
import { content } from '#mail/content.ts'
import { SpoolReceipt } from '#mail/custody.ts'
import type { NewMessage } from '#mail/stored.ts'
import { transaction } from '#mail/testing.ts'
import { route } from '#queue/testing.ts'
import type { SpoolErrorKind } from '#spool/contract.ts'
import { declaredDirectory } from '#tenant/declared.ts'
import type { OutboundWay } from '#tenant/directory.ts'
import { DESTINATIONS_MAX, Spread } from './parts.ts'
import { commitBench } from './testing.ts'

const CONTENT = content([Buffer.from('Subject: hello\r\n\r\nhello\r\n')])
const directory = declaredDirectory({
  tenants: [
    {
      name: 'bakery',
      language: 'en',
      outbound: {
        networks: ['192.0.2.0/24'],
        route: 'bakery/internet',
        senders: 'any',
        contentOctetsMax: 1000,
        ndrs: 'pass',
        dkim: { ifUnavailable: 'defer' },
        autoReplies: { limit: 2, windowMs: 1, per: 'mailbox' },
      },
    },
  ],
  routes: [route('bakery/internet', { byMx: { port: 25 } })],
  domains: [],
})
const way: OutboundWay = directory.outbound('192.0.2.7')!
const TO = ['a@one.test', 'b@two.test', 'c@One.Test', 'd@three.test']

async function taken(fails: (message: NewMessage) => SpoolErrorKind | undefined, hold?: string) {
  const bench = commitBench({ route: directory.route, refuses: fails })
  const ready = { transaction: transaction(TO), domain: way, content: CONTENT, messageId: undefined }
  const answer = await bench.commit.take({ ...ready, ...(hold !== undefined && { hold }) })
  const stored = [...bench.keep.messages.values()].map(
    (message) =>
      `${message.route}: ${message.envelope.recipients.map(({ forwardPath }) => pathText(forwardPath)).join(' ')}`,
  )
  return { ...bench, answer, stored, id: ready.transaction.id }
}

test('one message for each destination; the first has the id that the sender hears', async () => {
  const { answer, stored, keep, seen, events, id } = await taken(() => undefined)
  assert.ok(answer.kind === 'accept' && SpoolReceipt.is(answer.custody))
  assert.equal(answer.custody.id, id)
  assert.deepEqual(stored, [
    'bakery/internet/one.test: <a@one.test> <c@one.test>',
    'bakery/internet/two.test: <b@two.test>',
    'bakery/internet/three.test: <d@three.test>',
  ])
  const ids = [...keep.messages.keys()]
  assert.equal(ids[0], id)
  assert.equal(new Set(ids).size, 3)
  assert.deepEqual(
    seen.queued.map((entry) => entry.id),
    ids,
  )
  assert.deepEqual(
    events.map((event) => (event.kind === 'split' ? `${event.id === id} ${event.part}` : event.kind)),
    ['accepted', `true ${ids[1]}`, `true ${ids[2]}`],
  )
})

test('held mail is held at each of its destinations', async () => {
  const { keep, seen, events } = await taken(() => undefined, 'a person decides')
  for (const { recipients } of keep.messages.values()) {
    assert.deepEqual(new Set(recipients.map(({ kind }) => kind)), new Set(['held']))
  }
  assert.equal(seen.queued.length, 0)
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['accepted', 'split', 'split', 'held', 'held', 'held'],
  )
})

test('none stored: the sender hears why', async () => {
  const full = await taken(() => 'full')
  assert.equal(full.answer.kind, 'defer')
  assert.equal(full.events.length, 0)
  const oneUncertain = await taken(({ route: id }) => (id.endsWith('three.test') ? 'uncertain' : 'broken'))
  assert.equal(oneUncertain.answer.kind, 'vanish', 'it may come back: no 4yz')
})

test('some stored: they are dropped again, nothing starts, and the sender hears nothing', async () => {
  for (const lost of ['one.test', 'two.test', 'three.test']) {
    for (const hold of [undefined, 'a person decides']) {
      const { answer, keep, seen, events } = await taken(
        ({ route: id }) => (id.endsWith(lost) ? 'full' : undefined),
        hold,
      )
      assert.equal(answer.kind, 'vanish')
      assert.deepEqual([seen.queued.length, events.length], [0, 0])
      for (const { recipients } of keep.messages.values()) {
        assert.ok(recipients.every(({ kind }) => kind === 'dropped'))
      }
    }
  }
})

test('the number of destinations of a transaction is bounded', () => {
  const spread = new Spread()
  const open = transaction([])
  const path = (text: string) => transaction([text]).envelope.recipients[0]!.forwardPath
  const takes = (text: string) => spread.takes(open, way, path(text), directory.route)
  for (let i = 0; i < DESTINATIONS_MAX; i++) assert.ok(takes(`a@d${i}.test`))
  assert.ok(!takes('a@one-more.test'))
  assert.equal(spread.copies(open), DESTINATIONS_MAX)
  assert.equal(spread.copies(transaction([])), 1)
  assert.ok(takes('b@d0.test'), 'to a destination that is there already')
  assert.ok(spread.takes(transaction([]), way, path('a@one-more.test'), directory.route), 'in the next one')
})
