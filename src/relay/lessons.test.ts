import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PathEvent } from '#mail/event.ts'
import { session, transaction } from '#mail/testing.ts'
import { route } from '#queue/testing.ts'
import { declaredDirectory } from '#tenant/declared.ts'
import type { RecipientSource, Tenant } from '#tenant/directory.ts'
import { lessonsFor } from './lessons.ts'
import { served } from './testing.ts'

/** What the tenant bakery teaches by a message that it hands to us. */
function taughtBy(
  from: string,
  {
    service = 'outbound',
    recipients = { kind: 'live' },
    tenant = {},
  }: { service?: 'inbound' | 'outbound'; recipients?: RecipientSource; tenant?: Partial<Tenant> } = {},
): string[] {
  const bakery: Tenant = { name: 'bakery', language: 'en', ...tenant }
  const smith: Tenant = { name: 'smith', language: 'en' }
  const directory = declaredDirectory({
    tenants: [bakery, smith],
    routes: [route('bakery/main')],
    domains: [
      served({ tenant: bakery, recipients }),
      served({ name: 'smith.test', tenant: smith, recipients: { kind: 'live' } }),
    ],
  })
  const taught: string[] = []
  const told: PathEvent[] = []
  const learner = {
    learn: () => assert.fail('no server said anything'),
    missed: () => assert.fail('missed'),
    reached: () => assert.fail('no server was reached'),
    wrote: (key: string, routeId: string) => void taught.push(`${key} ${routeId}`),
  }
  const { envelope, id } = transaction(['bob@far.test'], from)
  const event: PathEvent = {
    kind: 'accepted',
    id,
    session: session({ service }),
    envelope,
    tenant: 'bakery',
    route: 'bakery/out',
    octets: 1,
    custody: 'spool',
    receptionMs: 1,
  }
  lessonsFor(
    learner,
    () => directory,
    (one) => void told.push(one),
  )(event)
  assert.deepEqual(told, [event])
  return taught
}

test('mail that leaves teaches its sender, by the route of the sender’s domain', () => {
  assert.deepEqual(taughtBy('Anna@bakery.test'), ['anna@bakery.test bakery/main'])
  const otherwise = (kind: 'live' | 'refuse') => taughtBy('anna@bakery.test', { recipients: directory(kind) })
  const directory = (kind: 'live' | 'refuse') => ({ kind: 'directory', otherwise: kind }) as const
  assert.deepEqual(otherwise('live'), ['anna@bakery.test bakery/main'])
})

test('a signed path teaches the plain mailbox', () => {
  const bounceProtection = { kind: 'batv', sinceMs: 0, warmUpMs: 0, signingKey: 1, keys: new Map() } as const
  const signed = 'prvs=1234abcdef=anna@bakery.test'
  assert.deepEqual(taughtBy(signed, { tenant: { bounceProtection } }), ['anna@bakery.test bakery/main'])
  assert.deepEqual(taughtBy(signed), [`${signed} bakery/main`])
})

test('nothing is taught by a null path, by mail that comes in, or of domains that are not the tenant’s', () => {
  assert.deepEqual(taughtBy(''), [])
  assert.deepEqual(taughtBy('anna@bakery.test', { service: 'inbound' }), [])
  for (const from of ['joe@smith.test', 'joe@far.test', 'joe@[192.0.2.1]']) assert.deepEqual(taughtBy(from), [], from)
})

test('nothing is taught where it would never be looked at', () => {
  const sources: RecipientSource[] = [
    { kind: 'accept-all' },
    { kind: 'listed', keys: new Set() },
    { kind: 'directory', otherwise: 'refuse' },
  ]
  for (const recipients of sources) assert.deepEqual(taughtBy('anna@bakery.test', { recipients }), [])
})
