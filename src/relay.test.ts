import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { content, withoutHead } from '#mail/content.ts'
import { QuarantineReceipt } from '#mail/custody.ts'
import type { ContentAnswer } from '#mail/decisions.ts'
import type { PathEvent } from '#mail/event.ts'
import type { Transaction } from '#mail/session.ts'
import { mailbox, recipient, session, transaction } from '#mail/testing.ts'
import { ACCEPT, type Gate } from '#mail/verdict.ts'
import { HandClock, route } from '#queue/testing.ts'
import type { RecipientAnswer } from '#recipients/knowledge.ts'
import type { Directory, ServedDomain } from '#tenant/directory.ts'
import { virusPolicy } from '#tenant/virus-policy.ts'
import { Bounces } from './relay/bounces.ts'
import { CalloutSender } from './relay/callout-sender.ts'
import { Outbound, withEnvelope } from './relay/outbound.ts'
import type { Caught } from './relay/quarantining.ts'
import * as refusals from './relay/refusals.ts'
import { served } from './relay/testing.ts'
import { groupOf, Relay, type RelayParts, UNKNOWN_RECIPIENTS_MAX } from './relay.ts'

const HOST = 'relay.example'
const KNOWN: RecipientAnswer = { kind: 'known', source: 'live', ageMs: 0 }
const UNKNOWN: RecipientAnswer = { kind: 'unknown', source: 'listed', ageMs: 0 }
const MESSAGE = content([Buffer.from('Subject: hello\r\nMessage-ID: <1@x>\r\n\r\nhello\r\n')])
const replyOf = (answer: Gate | ContentAnswer) =>
  'reply' in answer ? `${answer.reply.code} ${answer.reply.status}` : answer.kind

const BATV = { kind: 'batv', sinceMs: 0, warmUpMs: 0, signingKey: 1, keys: new Map() } as const

const DOMAINS: readonly ServedDomain[] = [
  served(),
  served({ name: 'cafe.test' }),
  served({ name: 'strict.test', policyClass: 'strict' }),
  served({ name: 'kept.test', commit: 'spool' }),
  served({ name: 'smith.test', route: route('smith/main'), tenant: { name: 'smith', language: 'de' } }),
  served({
    name: 'picky.test',
    virusByRecipient: { exact: new Map([['jobs', virusPolicy({ macros: 'reject' })]]), beginnings: new Map() },
  }),
  served({ name: HOST }),
  served({
    name: 'second.test',
    tenant: { name: 'bakery', language: 'en', bounceProtection: BATV },
    route: route('second/main'),
    commit: 'spool',
    fallback: { refuseWhilePrimaryUp: true },
  }),
  served({ name: 'open.test', route: route('open/main'), commit: 'spool', fallback: { refuseWhilePrimaryUp: false } }),
]

function bench(more: Partial<RelayParts> = {}) {
  const events: PathEvent[] = []
  const says = {
    answer: KNOWN as RecipientAnswer | Promise<RecipientAnswer>,
    up: false,
    room: ACCEPT as Gate,
    asked: 0,
  }
  const taken: Transaction[] = []
  let commitAnswer: ContentAnswer = { kind: 'vanish' }
  const directory = { domain: (name: string) => DOMAINS.find((domain) => domain.name === name) } as Directory
  const nobody = () => Promise.reject(new Error('no desk'))
  const leaving = {
    clock: new HandClock(),
    directory: () => directory,
    limits: { take: nobody },
    records: { remember: nobody, known: nobody },
    report: (event: PathEvent) => void events.push(event),
  }
  const relay = new Relay({
    hostname: HOST,
    clock: new HandClock(),
    directory: () => directory,
    hopsMax: () => 5,
    recipients: {
      verify() {
        says.asked++
        return says.answer
      },
    },
    primaries: { isUp: () => says.up, inMaintenance: () => false },
    room: () => says.room,
    outbound: new Outbound(leaving),
    bounces: new Bounces(leaving),
    calloutSender: new CalloutSender({ ...leaving, mailbox: () => mailbox('probe@second.test') }),
    commit: {
      take(ready) {
        taken.push(ready.transaction)
        return commitAnswer
      },
    },
    report: (event) => void events.push(event),
    ...more,
  })
  /** RCPT as the machine does it: who is accepted joins the envelope. */
  const rcpt = async (to: string, into: Transaction): Promise<string> => {
    const gate = await relay.rcpt(into, recipient(to))
    if (gate.kind === 'accept') into.envelope.recipients.push(recipient(to))
    return replyOf(gate)
  }
  const committing = (answer: ContentAnswer) => void (commitAnswer = answer)
  return { relay, events, says, taken, rcpt, committing, one: transaction([]) }
}

/** Each refusal was reported once, with the reply that the sender heard. */
function reported(events: readonly PathEvent[]): string[] {
  return events.map((event) => (event.kind === 'refused' ? `${event.at} ${event.reply.code}` : event.kind))
}

describe('what is asked of TLS (RFC 8689)', () => {
  it('REQUIRETLS is taken where mail goes on in the session, and a bounce everywhere', async () => {
    const { rcpt, events } = bench()
    const asked = (from?: string) => withEnvelope(transaction([], from), { requireTls: true })
    assert.equal(await rcpt('bob@bakery.test', asked()), 'accept')
    for (const name of ['kept.test', 'open.test']) assert.equal(await rcpt(`bob@${name}`, asked()), '550 5.7.30')
    assert.equal(await rcpt('bob@kept.test', asked('')), 'accept')
    assert.deepEqual(reported(events), ['rcpt 550', 'rcpt 550'])
  })

  it('TLS-Required: No goes into the envelope, unless it is doubtful or REQUIRETLS is there', async () => {
    const says: readonly [header: string, requireTls: boolean, tag: boolean | undefined][] = [
      ['TLS-Required: No', false, true],
      ['tls-required:\r\n  no ', false, true],
      ['TLS-Required: No', true, undefined],
      ['TLS-Required: Nope', false, undefined],
      ['TLS-Required: No\r\nTLS-Required: No', false, undefined],
      ['X: y', false, undefined],
    ]
    for (const [header, requireTls, tag] of says) {
      const { relay, rcpt, taken } = bench()
      const one = requireTls ? withEnvelope(transaction([]), { requireTls }) : transaction([])
      await rcpt('bob@bakery.test', one)
      await relay.content(one, content([Buffer.from(`${header}\r\nSubject: x\r\n\r\nhello\r\n`)]))
      assert.equal(taken[0]?.envelope.tlsOptional, tag, header)
    }
  })
})

describe('RCPT to the sender of our callouts', () => {
  it('is taken without a question, by nobody else’s side, and its mail is thrown away', async () => {
    const { relay, rcpt, says, taken, events } = bench()
    says.up = true
    says.answer = UNKNOWN
    const one = transaction([], '')
    assert.equal(await rcpt('Probe@second.test', one), 'accept')
    assert.equal(await rcpt('bob@bakery.test', one), '452 4.5.3')
    const other = transaction([])
    assert.equal(await rcpt('bob@open.test', other), '550 5.1.1')
    says.answer = KNOWN
    assert.equal(await rcpt('bob@open.test', other), 'accept')
    assert.equal(await rcpt('probe@second.test', other), '452 4.5.3')
    assert.equal(says.asked, 2)
    assert.equal((await relay.content(one, MESSAGE)).kind, 'discard')
    assert.deepEqual(taken, [])
    const last = events.at(-1)
    assert.ok(last?.kind === 'discarded')
    assert.deepEqual(
      last.reasons.map(({ symbol }) => symbol),
      ['callout-sender'],
    )
    assert.equal(last.messageId, '<1@x>')
  })
})

describe('RCPT to a domain that we are a fallback MX for', () => {
  it('while its primary is up: 4yz, and nobody is asked', async () => {
    const { rcpt, says, events, one } = bench()
    says.up = true
    assert.equal(await rcpt('bob@second.test', one), '451 4.3.2')
    assert.equal(await rcpt('postmaster@second.test', one), '451 4.3.2')
    assert.equal(await rcpt('bob@open.test', one), 'accept')
    assert.equal(await rcpt('bob@bakery.test', transaction([])), 'accept')
    assert.deepEqual(
      events.map((event) => (event.kind === 'refused' ? event.reasons[0]?.symbol : event.kind)),
      ['primary-up', 'primary-up'],
    )
    assert.equal(says.asked, 2)
  })

  it('a transaction that began while it was down goes on', async () => {
    const { rcpt, says, one } = bench()
    assert.equal(await rcpt('bob@second.test', one), 'accept')
    says.up = true
    assert.equal(await rcpt('eve@second.test', one), 'accept')
    assert.equal(await rcpt('eve@second.test', transaction([])), '451 4.3.2')
  })

  it('while it is down, or nobody knows: only a list says no for good', async () => {
    const { rcpt, says, one } = bench()
    says.answer = { kind: 'unknown', source: 'listed', ageMs: 0 }
    assert.equal(await rcpt('eve@second.test', one), '550 5.1.1')
    for (const source of ['callout', 'live'] as const) {
      says.answer = { kind: 'unknown', source, ageMs: 0 }
      assert.equal(await rcpt('eve@second.test', one), '450 4.1.1')
      assert.equal(await rcpt('eve@bakery.test', one), '550 5.1.1')
    }
    says.answer = { kind: 'unreachable', text: 'x' }
    assert.equal(await rcpt('eve@second.test', one), '450 4.1.1')
  })

  it('while it is up and its mail is taken all the same, its own no is a no', async () => {
    const { rcpt, says, one } = bench()
    says.up = true
    says.answer = { kind: 'unknown', source: 'live', ageMs: 0 }
    assert.equal(await rcpt('eve@open.test', one), '550 5.1.1')
  })
})

describe('RCPT', () => {
  it('to a domain that is not ours is refused, and nobody is asked', async () => {
    const { rcpt, one, says, events } = bench()
    for (const to of ['bob@other.test', 'bob@sub.bakery.test', 'bob@[192.0.2.1]']) {
      assert.equal(await rcpt(to, one), '550 5.7.1')
    }
    assert.equal(says.asked, 0)
    assert.deepEqual(reported(events), ['rcpt 550', 'rcpt 550', 'rcpt 550'])
  })

  it('unknown is 550, unreachable is 450 (law 4), each reported once, with its tenant', async () => {
    const { rcpt, one, says, events } = bench()
    says.answer = Promise.resolve(UNKNOWN)
    assert.equal(await rcpt('bob@bakery.test', one), '550 5.1.1')
    says.answer = { kind: 'unreachable', text: 'no answer from 192.0.2.9' }
    assert.equal(await rcpt('bob@bakery.test', one), '450 4.1.1')
    assert.deepEqual(reported(events), ['rcpt 550', 'rcpt 450'])
    for (const event of events) {
      assert.ok(event.kind === 'refused' && event.tenant === 'bakery' && event.id === one.id)
      // What a stranger hears names no host of the customer.
      assert.doesNotMatch(String(event.reply.text), /192\.0\.2\.9|listed/)
    }
    assert.equal(one.group, undefined)
  })

  it('of another group is sent to another transaction', async () => {
    const { rcpt, one } = bench()
    assert.equal(await rcpt('bob@bakery.test', one), 'accept')
    assert.equal(await rcpt('eve@cafe.test', one), 'accept')
    for (const to of ['a@strict.test', 'a@kept.test', 'a@smith.test']) assert.equal(await rcpt(to, one), '452 4.5.3')
    assert.equal(await rcpt('joe@bakery.test', one), 'accept')
    assert.equal(one.envelope.recipients.length, 3)
  })

  it('with another policy of the virus wall than the first is sent to another transaction', async () => {
    const { rcpt, one } = bench()
    assert.equal(await rcpt('bob@picky.test', one), 'accept')
    assert.equal(await rcpt('JOBS@picky.test', one), '452 4.5.3')
    assert.equal(await rcpt('eve@cafe.test', one), 'accept')
    const other = transaction([])
    assert.equal(await rcpt('jobs@picky.test', other), 'accept')
    assert.equal(await rcpt('bob@picky.test', other), '452 4.5.3')
  })

  it('a refused recipient does not make the group', async () => {
    const { rcpt, one, says } = bench()
    says.answer = UNKNOWN
    await rcpt('bob@bakery.test', one)
    says.answer = KNOWN
    assert.equal(await rcpt('a@smith.test', one), 'accept')
  })

  it('postmaster without a domain is asked of the relay’s own domain', async () => {
    const { rcpt, one } = bench()
    assert.equal(await rcpt('Postmaster', one), 'accept')
  })

  it('larger than the recipient takes is refused before any octet is sent', async () => {
    const { rcpt, one, relay, says } = bench()
    const of = { ...one, envelope: { ...one.envelope, declaredOctets: 1001 } }
    assert.equal(await rcpt('bob@bakery.test', of), '552 5.3.4')
    const fits = { ...one, envelope: { ...one.envelope, declaredOctets: 1000 } }
    assert.equal(await rcpt('bob@bakery.test', fits), 'accept')
    says.room = refusals.noMemory()
    assert.equal(replyOf(relay.data(fits)), '452 4.3.1')
  })

  it('after many unknown recipients, known and unknown hear the same', async () => {
    const { rcpt, says } = bench()
    const harvester = session({ tally: { recipientsRefused: UNKNOWN_RECIPIENTS_MAX - 1, errors: 0, transactions: 1 } })
    const one = transaction([], '', harvester)
    assert.equal(await rcpt('bob@bakery.test', one), 'accept')
    harvester.tally.recipientsRefused++
    const asked = says.asked
    assert.equal(await rcpt('joe@bakery.test', one), '450 4.7.1')
    says.answer = UNKNOWN
    assert.equal(await rcpt('nobody@bakery.test', one), '450 4.7.1')
    assert.equal(says.asked, asked)
  })
})

describe('content', () => {
  it('is committed with trace fields, and the answer is the commit’s', async () => {
    const { relay, rcpt, one, taken, events } = bench()
    await rcpt('bob@bakery.test', one)
    assert.equal((await relay.content(one, MESSAGE)).kind, 'vanish')
    assert.deepEqual(taken, [one])
    assert.deepEqual(events, [])
  })

  it('that is refused on the way is reported once: size, loop, commit', async () => {
    const { relay, rcpt, one, taken, events, committing } = bench()
    await rcpt('bob@bakery.test', one)
    const large = content([Buffer.alloc(1001, 'x')])
    const looping = content([Buffer.from('Received: x\r\n'.repeat(6))])
    assert.equal(replyOf(await relay.content(one, large)), '552 5.3.4')
    assert.equal(replyOf(await relay.content(one, looping)), '554 5.4.6')
    assert.equal(taken.length, 0)
    committing(refusals.noDisk())
    assert.equal(replyOf(await relay.content(one, MESSAGE)), '452 4.3.1')
    assert.deepEqual(reported(events), ['content 552', 'content 554', 'content 452'])
  })
})

describe('content that is to be kept', () => {
  const why = { kind: 'quarantine', class: 'malware', by: 'virus', text: 'malware Eicar', facts: [] } as const
  const scanning = { scan: async () => why }

  it('goes into quarantine instead of to the next hop, and nobody learns a return path from it', async () => {
    const custody = QuarantineReceipt.afterSync(transaction([]).id)
    const caught: Caught[] = []
    const take = async (one: Caught): Promise<ContentAnswer> => {
      caught.push(one)
      return { kind: 'accept', custody }
    }
    const returnPaths = { accepted: () => assert.fail('it was not delivered') }
    const { relay, rcpt, one, taken, events } = bench({ scanning, quarantining: { take }, returnPaths })
    await rcpt('bob@bakery.test', one)
    assert.deepEqual(await relay.content(one, MESSAGE), { kind: 'accept', custody })
    assert.deepEqual([taken, events], [[], []])
    const [{ content: kept, ownOctets, messageId }] = caught as [Caught]
    assert.deepEqual(withoutHead(kept, ownOctets), MESSAGE)
    assert.equal(messageId, '<1@x>')
  })

  it('waits at its sender where nobody keeps it', async () => {
    const { relay, rcpt, one, taken, events } = bench({ scanning })
    await rcpt('bob@bakery.test', one)
    assert.equal(replyOf(await relay.content(one, MESSAGE)), '451 4.3.0')
    assert.deepEqual([taken, reported(events)], [[], ['content 451']])
  })
})

it('groups are equal where next hop, policy class, commit and service are', () => {
  assert.equal(groupOf(served()), groupOf(served({ name: 'cafe.test' })))
  assert.equal(new Set(DOMAINS.map(groupOf)).size, 6)
})

it('the end of a session is reported', () => {
  const { relay, events } = bench()
  relay.closed(session(), 'quit')
  assert.deepEqual(reported(events), ['session-closed'])
})
