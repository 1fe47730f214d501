/** Whom the memory takes for the sender of a message, and what it reads of it. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SpamAbout } from '../contract.ts'
import { readMessage } from '../message.ts'
import { ANSWERS_MAX, sendersOf, trailOf } from './facts.ts'
import { WORDS_MIN } from './simhash.ts'

const session = { client: '192.0.2.77', tls: true }
type Authenticated = NonNullable<SpamAbout['authenticated']>

function senders(authenticated?: Authenticated, author = 'anna@shop.example'): string[] {
  const about = { session, ...(authenticated && { authenticated }) }
  return sendersOf({ about, trail: { author, answers: [] } }).map(({ kind, name }) => `${kind} ${name}`)
}
const NETWORK = 'network 192.0.2.0/24'

describe('the sender', () => {
  it('is the author and his domain, where DMARC passes or a name of the same registered domain vouches for it', () => {
    const own = [NETWORK, 'domain shop.example', 'address anna@shop.example']
    assert.deepEqual(senders({ dkim: [], dmarc: 'pass' }), own)
    assert.deepEqual(senders({ dkim: ['shop.example'], dmarc: 'none' }), own)
    assert.deepEqual(senders({ spf: 'shop.example', dkim: [], dmarc: 'unknown' }), own)
    const below = senders({ dkim: ['shop.example'], dmarc: 'none' }, 'anna@news.shop.example')
    assert.deepEqual(below, [NETWORK, 'domain shop.example', 'address anna@news.shop.example'])
  })

  it('is only his network, with the domain that he claims, where nothing proves it', () => {
    const claim = [NETWORK, 'claim 192.0.2.0/24 shop.example']
    assert.deepEqual(senders(), claim)
    assert.deepEqual(senders({ dkim: [], dmarc: 'fail' }), claim)
    assert.deepEqual(senders({ dkim: [], dmarc: 'none' }), claim)
  })

  it('is the domain that signed it, if that is another one; never the claimed one', () => {
    const other = [NETWORK, 'domain spam.example', 'claim 192.0.2.0/24 shop.example']
    assert.deepEqual(senders({ dkim: ['spam.example'], dmarc: 'none' }), other)
    assert.deepEqual(senders({ spf: 'spam.example', dkim: [], dmarc: 'fail' }), other)
    // DMARC has looked; and who has a name below a provider's is nobody else there.
    assert.deepEqual(senders({ dkim: ['shop.example'], dmarc: 'fail' })[2], 'claim 192.0.2.0/24 shop.example')
    assert.deepEqual(
      senders({ dkim: ['eve.github.io'], dmarc: 'none' }, 'a@bob.github.io')[2],
      'claim 192.0.2.0/24 bob.github.io',
    )
    assert.deepEqual(senders({ dkim: ['op.example'], dmarc: 'none' })[2], 'claim 192.0.2.0/24 shop.example')
  })

  it('is an address alone where anybody has one', () => {
    assert.deepEqual(senders({ dkim: ['gmail.com'], dmarc: 'pass' }, 'anna@gmail.com'), [
      NETWORK,
      'address anna@gmail.com',
    ])
  })

  it('of IPv6 is a /48', () => {
    const about = { session: { client: '2001:db8:1:2::9', tls: false } }
    assert.deepEqual(sendersOf({ about, trail: { answers: [] } }), [{ kind: 'network', name: '2001:db8:1::/48' }])
  })
})

describe('a trail', () => {
  const trail = (header: string, text = 'Short.') =>
    trailOf(readMessage(Buffer.from(`${header}\r\n\r\n${text}\r\n`, 'utf8')))

  it('has the author as one key, or none where there are two', () => {
    assert.equal(trail('From: "Anna, of the shop" <Anna@Shop.Example>').author, 'anna@shop.example')
    assert.equal(trail('From: a@x.example, b@x.example').author, undefined)
    assert.equal(trail('From: a@x.example\r\nFrom: b@x.example').author, undefined)
    assert.equal(trail('From: nobody').author, undefined)
  })

  it('has the Message-IDs that it answers, the last of many', () => {
    assert.deepEqual(trail('In-Reply-To: <a@x>\r\nReferences: <b@x>\r\n\t<a@x>').answers, ['a@x', 'b@x'])
    const many = Array.from({ length: 50 }, (_, i) => `<${i}@x>`).join(' ')
    assert.deepEqual(trail(`References: ${many}`).answers.length, ANSWERS_MAX)
  })

  it('has a fingerprint where there are words enough', () => {
    assert.equal(trail('Subject: x').fingerprint, undefined)
    assert.equal(trail('Subject: x', 'word '.repeat(WORDS_MIN)).fingerprint?.length, 2)
  })
})
