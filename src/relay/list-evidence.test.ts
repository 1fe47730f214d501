/** What is asked of DNS lists, when, and how often. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { content } from '#mail/content.ts'
import { transaction } from '#mail/testing.ts'
import type { ListsSaid } from '#scan/spam/lists/spam-lists.ts'
import { aboutOf } from './gathering.ts'
import { KEPT_MS, ListEvidence } from './list-evidence.ts'
import { served } from './testing.ts'

const said = (symbol: string, silent: string[] = []): Promise<ListsSaid> =>
  Promise.resolve({ signs: [{ symbol, weight: 1 }], silent })

function evidence() {
  const asked: string[] = []
  const clock = { nowMs: 0, monotonic: () => clock.nowMs }
  const lists = {
    client(address: string) {
      asked.push(`client ${address}`)
      return said('CLIENT', ['a', 'b'])
    },
    sender(domains: Iterable<string>) {
      asked.push(`sender ${[...domains].join(' ')}`)
      return said('SENDER', ['b'])
    },
    links(hosts: Iterable<string>) {
      asked.push(`links ${[...hosts].join(' ')}`)
      return said('LINK')
    },
    async clientName(address: string) {
      asked.push(`name ${address}`)
      return { kind: 'none' } as const
    },
  }
  return { asked, clock, of: new ListEvidence(clock, () => lists) }
}

test('the session is asked about once, from RCPT on; the content when it was read', async () => {
  const { asked, clock, of } = evidence()
  const one = transaction(['anna@bakery.test'])
  one.session.greetingName = 'mail.sender.example'
  const subject = { transaction: one, way: served(), content: content([]), about: aboutOf(one) }
  of.begin(one)
  const address = one.session.client.address
  const session = [`name ${address}`, `client ${address}`, 'sender sender.example mail.sender.example']
  assert.deepEqual(asked, session)
  const { signs, silent, clientName } = await of.client(subject)
  assert.deepEqual(asked, session, 'what was asked at RCPT is not asked again')
  assert.deepEqual(
    [signs.map(({ symbol }) => symbol), silent, clientName],
    [['CLIENT', 'SENDER'], ['a', 'b'], { kind: 'none' }],
  )
  const links = await of.lists(subject, { linkDomains: ['spam.example'], authorDomain: 'bakery.example' })
  assert.deepEqual(asked.slice(3), ['links spam.example', 'sender bakery.example'])
  assert.deepEqual([links.signs.map(({ symbol }) => symbol), links.silent], [['LINK', 'SENDER'], ['b']])
  one.session.greetingName = 'other.example'
  of.begin(one)
  assert.equal(asked.length, 8, 'another name, another question')
  clock.nowMs = KEPT_MS
  of.begin(one)
  assert.equal(asked.length, 11)
})

test('without lists there is nothing to say', async () => {
  const of = new ListEvidence({ monotonic: () => 0 }, () => undefined)
  const one = transaction(['anna@bakery.test'])
  const subject = { transaction: one, way: served(), content: content([]), about: aboutOf(one) }
  assert.deepEqual(await of.client(subject), { signs: [] })
  assert.deepEqual(await of.lists(subject, { linkDomains: ['spam.example'], authorDomain: '' }), { signs: [] })
})
