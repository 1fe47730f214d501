import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Authentication } from '#mail/authentication.ts'
import type { PathEvent } from '#mail/event.ts'
import { authentication, transaction } from '#mail/testing.ts'
import type { OutboundSettings } from '#tenant/directory.ts'
import { ReturnPaths } from './return-paths.ts'
import { served } from './testing.ts'

const DOMAIN = 'sender.example'
const SPF = authentication({ spf: { result: 'pass', identity: 'mailfrom', domain: DOMAIN } })
const DKIM = authentication({ dkim: [{ result: 'pass', domain: DOMAIN }] })

function bench(found: Authentication | undefined, ndrs: OutboundSettings['ndrs'] = 'verified') {
  const events: PathEvent[] = []
  const seen = { recorded: [] as unknown[], down: false }
  const paths = new ReturnPaths({
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
    paths.accepted({ transaction: transaction(['info@bakery.test'], from), way, messageId, authentication: found })
  const decisions = () => events.map((event) => (event.kind === 'governed' ? `${event.subject} ${event.decision}` : ''))
  return { seen, accepted, decisions }
}

describe('the reverse-path of mail that came in', () => {
  it('is on record when it was verified', async () => {
    for (const [found, kind] of [[SPF, 'spf-pass'] as const, [DKIM, 'aligned-dkim'] as const]) {
      const { seen, accepted, decisions } = bench(found)
      await accepted()
      assert.deepEqual(seen.recorded, [['bakery', 'return-path', ['from 1@sender.example anna@sender.example']]])
      assert.deepEqual(decisions(), [`return-path ${kind}`])
    }
  })

  it('is not when nothing verified exactly its domain, or nobody looked', async () => {
    const others = [
      authentication(),
      authentication({ spf: { result: 'temperror', identity: 'mailfrom', domain: DOMAIN } }),
      authentication({ spf: { result: 'pass', identity: 'helo', domain: DOMAIN } }),
      authentication({ spf: { result: 'pass', identity: 'mailfrom', domain: 'example' } }),
      authentication({ dkim: [{ result: 'pass', domain: `sub.${DOMAIN}` }] }),
      authentication({ dkim: [{ result: 'fail', domain: DOMAIN }] }),
    ]
    for (const found of [...others, undefined]) {
      const { seen, accepted, decisions } = bench(found)
      await accepted()
      assert.deepEqual(seen.recorded, [])
      assert.deepEqual(decisions(), [`return-path ${found === undefined ? 'unknown' : 'none'}`])
    }
  })

  it('is lost, and counted, when the record does not answer', async () => {
    const { seen, accepted, decisions } = bench(SPF)
    seen.down = true
    await accepted()
    assert.deepEqual(decisions(), ['return-path not-recorded'])
  })

  it('is not looked at where nobody needs it, or nothing could be recorded', async () => {
    const { accepted, decisions } = bench(SPF)
    await accepted('')
    await accepted('anna@[192.0.2.1]')
    const others = bench(SPF, 'hold')
    await others.accepted()
    assert.deepEqual([...decisions(), ...others.decisions()], [])
  })
})
