/** Quarantine as a step of the path: what the sender hears, and what is written down of the message. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { content } from '#mail/content.ts'
import { QuarantineReceipt } from '#mail/custody.ts'
import type { PathEvent } from '#mail/event.ts'
import { transaction } from '#mail/testing.ts'
import type { Kept } from '#quarantine/keeper.ts'
import { HandClock } from '#queue/testing.ts'
import { Quarantining } from './quarantining.ts'
import { served } from './testing.ts'

const CAUGHT = {
  transaction: transaction(['anna@bakery.test']),
  way: served(),
  content: content([Buffer.from('Received: x\r\nSubject: y\r\n\r\n')]),
  ownOctets: 13,
  messageId: '<1@x>',
}
const WHY = { kind: 'quarantine', class: 'malware', by: 'virus', text: 'malware Eicar', facts: [] } as const

async function take(kept: Kept) {
  const events: PathEvent[] = []
  const asked: unknown[] = []
  const keeper = {
    async keep(...question: readonly unknown[]) {
      asked.push(...question)
      return kept
    },
  }
  const step = new Quarantining({ clock: new HandClock(), keeper, report: (event) => void events.push(event) })
  return { answer: await step.take(CAUGHT, WHY), events, asked }
}

test('kept: custody, an accepted that says so, and an entry with all that a release needs', async () => {
  const receipt = QuarantineReceipt.afterSync(CAUGHT.transaction.id)
  const { answer, events, asked } = await take({ kind: 'kept', receipt })
  assert.deepEqual(answer, { kind: 'accept', custody: receipt })
  const [event] = events
  assert.ok(event?.kind === 'accepted' && event.custody === 'quarantine')
  assert.equal(event.note, 'malware: malware Eicar')
  const { id, envelope, startedMs } = CAUGHT.transaction
  const reception = {
    clientAddress: '192.0.2.1',
    greetingName: 'mail.sender.example',
    protocol: 'ESMTP',
    receivedMs: startedMs,
  }
  const { kind: _, ...why } = WHY
  assert.deepEqual(asked, [
    { id, tenant: 'bakery', service: 'inbound', ...why, envelope, reception },
    CAUGHT.content,
    13,
  ])
})

test('not kept: 451, with words that say nothing of a quarantine, and nothing is accepted', async () => {
  for (const kept of [
    { kind: 'full', of: 'tenant' },
    { kind: 'full', of: 'disk' },
    { kind: 'failed', text: 'EIO' },
  ] as const) {
    const { answer, events } = await take(kept)
    assert.ok(answer.kind === 'defer' && answer.reply.code === 451)
    assert.doesNotMatch(String(answer.reply.text), /quarantine|EIO|disk|share|malware/i)
    assert.match(answer.reasons[0]!.symbol, /^quarantine-(full|failed)$/)
    assert.deepEqual(events, [])
  }
})

test('nobody knows: no reply at all, and the operator hears of it', async () => {
  const { answer, events } = await take({ kind: 'uncertain', text: 'no answer' })
  assert.equal(answer.kind, 'vanish')
  assert.ok(events[0]?.kind === 'alarm' && events[0].symbol === 'quarantine-uncertain')
})
