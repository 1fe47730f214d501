import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Evidence } from '#auth/verify/questions.ts'
import type { Verification } from '#auth/verify/verifier.ts'
import { content } from '#mail/content.ts'
import type { PathEvent } from '#mail/event.ts'
import { transaction } from '#mail/testing.ts'
import type { OutboundSettings } from '#tenant/directory.ts'
import { ReturnPaths } from './return-paths.ts'
import { served } from './testing.ts'

const MESSAGE = content([Buffer.from('Subject: bread\r\n\r\nToday.\r\n')])

function bench(found: Verification, ndrs: OutboundSettings['ndrs'] = 'verified') {
  const events: PathEvent[] = []
  const seen = { evidence: [] as Evidence[], recorded: [] as unknown[], down: false }
  const paths = new ReturnPaths({
    async verify(evidence) {
      seen.evidence.push(evidence)
      return found
    },
    records: {
      async remember(...recorded) {
        if (seen.down) throw new Error('the desk is away')
        seen.recorded.push(recorded)
      },
    },
    report: (event) => void events.push(event),
  })
  const way = served({ tenant: { name: 'bakery', language: 'en', outbound: { ndrs } as OutboundSettings } })
  const accepted = (from?: string, messageId: string | undefined = '<1@sender.example>') =>
    paths.accepted({ transaction: transaction(['info@bakery.test'], from), way, content: MESSAGE, messageId })
  const decisions = () => events.map((event) => (event.kind === 'governed' ? `${event.subject} ${event.decision}` : ''))
  return { seen, accepted, decisions }
}

describe('the reverse-path of mail that came in', () => {
  it('is on record when it was verified', async () => {
    for (const kind of ['spf-pass', 'aligned-dkim'] as const) {
      const { seen, accepted, decisions } = bench({ kind })
      await accepted()
      assert.deepEqual(seen.recorded, [['bakery', 'return-path', ['from 1@sender.example anna@sender.example']]])
      assert.deepEqual(decisions(), [`return-path ${kind}`])
      assert.deepEqual(seen.evidence, [
        {
          reversePath: 'anna@sender.example',
          domain: 'sender.example',
          clientAddress: '192.0.2.1',
          greetingName: 'mail.sender.example',
        },
      ])
    }
  })

  it('is not when nothing verified it, or nobody could say', async () => {
    for (const why of ['full', 'too-large', 'failed'] as const) {
      const { seen, accepted, decisions } = bench({ kind: 'unknown', why })
      await accepted()
      assert.deepEqual(seen.recorded, [])
      assert.deepEqual(decisions(), [`return-path ${why}`])
    }
    const { seen, accepted, decisions } = bench({ kind: 'none' })
    await accepted()
    assert.deepEqual(seen.recorded, [])
    assert.deepEqual(decisions(), ['return-path none'])
  })

  it('is lost, and counted, when the record does not answer', async () => {
    const { seen, accepted, decisions } = bench({ kind: 'spf-pass' })
    seen.down = true
    await accepted()
    assert.deepEqual(decisions(), ['return-path not-recorded'])
  })

  it('is not looked at where nobody needs it, or nothing could be recorded', async () => {
    const { seen, accepted } = bench({ kind: 'spf-pass' })
    await accepted('')
    await accepted('anna@[192.0.2.1]')
    const others = bench({ kind: 'spf-pass' }, 'hold')
    await others.accepted()
    assert.deepEqual([...seen.evidence, ...others.seen.evidence], [])
  })
})
