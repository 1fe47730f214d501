import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Mailbox } from '#mail/address.ts'
import { replyLine } from '#mail/reply.ts'
import { forwardPath, session, WALL_MS } from '#mail/testing.ts'
import type { Gate } from '#mail/verdict.ts'
import { HandClock, route } from '#queue/testing.ts'
import { declaredDirectory } from '#tenant/declared.ts'
import type { OutboundSettings, Tenant } from '#tenant/directory.ts'
import { Outbound, type OutboundParts, type Suppressed } from './outbound.ts'

const TENANT: Tenant = {
  name: 'bakery',
  language: 'en',
  outbound: {
    networks: ['192.0.2.0/24'],
    route: 'bakery/main',
    senders: 'own-domains',
    contentOctetsMax: 100_000,
    ndrs: 'verified',
    autoReplies: { limit: 2, windowMs: 7 * 86_400_000, per: 'correspondent' },
    dkim: { ifUnavailable: 'defer' },
  },
}
const DIRECTORY = declaredDirectory({ tenants: [TENANT], routes: [route('bakery/main')], domains: [] })

describe('an address that is suppressed', () => {
  const heard = (suppressed: OutboundParts['suppressed'], to = 'bob@far.test', own: Partial<OutboundSettings> = {}) => {
    const records = { remember: async () => {}, known: async () => [] }
    const quota = { take: async () => assert.fail('it is not counted') }
    const parts = {
      clock: new HandClock(),
      directory: () => DIRECTORY,
      limits: { take: async () => [] },
      records,
      quota,
    }
    const door = new Outbound({ ...parts, report: () => {}, ...(suppressed && { suppressed }) })
    const sender = session({ service: 'outbound' })
    const way = door.way(sender)!
    const gate = door.rcpt(sender, { ...way, outbound: { ...way.outbound, ...own } }, forwardPath(to)) as Gate
    return 'reply' in gate ? replyLine(gate.reply) : gate.kind
  }
  const list =
    (reason: Suppressed['reason'], text = 'x') =>
    (tenant: string, { localPart }: Mailbox) =>
      tenant === 'bakery' && localPart === 'bob' ? ({ reason, text, sinceMs: WALL_MS } as const) : undefined

  it('is refused, with the reason and the way out', () => {
    const bounced = heard(list('bounced'))
    assert.match(bounced, /^550 5\.1\.1 Nothing .* said that it does not exist on 2027-01-15; if it is right, ask/)
    assert.match(bounced, /vorposten suppressions remove bakery ADDRESS$/)
    assert.match(heard(list('complained')), /^550 5\.7\.1 .* owner complained on 2027/)
    assert.match(heard(list('operator', 'no\r\nmörtel')), /^550 5\.7\.1 [\x20-\x7e]*: no\?\?m\?rtel; if/)
    assert.equal(heard(list('bounced'), 'eve@far.test'), 'accept')
  })

  it('is taken where a tenant sends to refused addresses all the same, unless somebody put it there', () => {
    const heardAt = (reason: Suppressed['reason']) => heard(list(reason), 'bob@far.test', { sendsToBounced: true })
    assert.equal(heardAt('bounced'), 'accept')
    for (const reason of ['operator', 'complained'] as const) assert.match(heardAt(reason), /^550 5\.7\.1/)
  })

  it('is taken where a tenant writes to those who complained all the same, and only then', () => {
    const heardAt = (reason: Suppressed['reason']) => heard(list(reason), 'bob@far.test', { sendsToComplained: true })
    assert.equal(heardAt('complained'), 'accept')
    for (const reason of ['operator', 'bounced'] as const) assert.match(heardAt(reason), /^550 5\./)
  })

  it('is taken where the list cannot be read', () => {
    const broken = () => {
      throw new Error('disk I/O error')
    }
    assert.equal(heard(broken), 'accept')
  })
})
