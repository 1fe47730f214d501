/** Where feedback stands on the path of a message: what leaves is stamped, what came in is read after it was accepted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Content, content } from '#mail/content.ts'
import type { ContentAnswer } from '#mail/decisions.ts'
import { recipient, session, transaction } from '#mail/testing.ts'
import { ACCEPT } from '#mail/verdict.ts'
import { HandClock, route } from '#queue/testing.ts'
import { Relay, type RelayParts } from '../relay.ts'
import { served } from './testing.ts'

const MESSAGE = content([Buffer.from('Subject: hello\r\nMessage-ID: <1@x>\r\n\r\nhello\r\n')])
const OUT = { tenant: served().tenant, route: route(), outbound: {}, contentOctetsMax: 1000, policyClass: 'out' }
const textOf = ({ chunks }: Content): string => Buffer.concat([...chunks]).toString()

function bench(answer: ContentAnswer) {
  const taken: string[] = []
  const read: string[] = []
  const parts = {
    hostname: 'mx1.relay.test',
    clock: new HandClock(),
    directory: () => ({ domain: () => served(), route: () => route() }),
    hopsMax: () => 5,
    recipients: { verify: () => ({ kind: 'known', source: 'live', ageMs: 0 }) },
    room: () => ACCEPT,
    outbound: {
      way: () => OUT,
      rcpt: () => ACCEPT,
      content: async ({ transaction: of }: { transaction: object }) => ({ kind: 'pass', transaction: of }),
    },
    bounces: {
      plain: (path: unknown) => path,
      withPlainRecipients: (of: unknown) => of,
      rcpt: () => ACCEPT,
      content: async ({ transaction: of }: { transaction: object }) => ({ kind: 'pass', transaction: of }),
    },
    calloutSender: { way: () => undefined, isWay: () => false },
    commit: {
      take(ready: { content: Content }) {
        taken.push(textOf(ready.content))
        return answer
      },
    },
    feedback: {
      stamp: (_of: unknown, _way: unknown, body: Content) => ({
        ...body,
        chunks: [Buffer.from('Stamp: 1\r\n'), ...body.chunks],
      }),
      accepted: async (mail: { content: Content }) => void read.push(textOf(mail.content)),
    },
    report: () => {},
  }
  const relay = new Relay(parts as unknown as RelayParts)
  const pass = async (service: 'inbound' | 'outbound') => {
    const one = transaction([], 'bob@far.test', session({ service }))
    const to = recipient('anna@bakery.test')
    assert.equal((await relay.rcpt(one, to)).kind, 'accept')
    one.envelope.recipients.push(to)
    await relay.content(one, MESSAGE)
  }
  return { pass, taken, read }
}

const TAKEN = { kind: 'accept', text: 'Ok', custody: {} } as unknown as ContentAnswer

test('what leaves is stamped, above all else, and is not read', async () => {
  const { pass, taken, read } = bench(TAKEN)
  await pass('outbound')
  assert.match(taken.join(), /^Stamp: 1\r\nReceived: /)
  assert.deepEqual(read, [])
})

test('what came in is read as it came, once it is accepted, and not stamped', async () => {
  const { pass, taken, read } = bench(TAKEN)
  await pass('inbound')
  assert.match(taken.join(), /^Received: /)
  assert.deepEqual(read, [textOf(MESSAGE)])
})

test('what was not accepted comes again: nothing is read', async () => {
  const { pass, taken, read } = bench({ kind: 'vanish' })
  await pass('inbound')
  assert.equal(taken.length, 1)
  assert.deepEqual(read, [])
})
