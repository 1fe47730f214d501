import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { content, head, withTrace } from './content.ts'
import { type Custody, NextHopReceipt, promise, SpoolReceipt } from './custody.ts'
import { PASSED_ON_TEXT_CHARS_MAX, passedOn, remoteReply, replyBytes, replyClass } from './reply.ts'
import { VerifiedReturnPath } from './return-path.ts'
import { parseStatus } from './status.ts'
import { forwardPath, mailbox, newTraceId } from './testing.ts'
import { parseTraceId, traceIds } from './trace-id.ts'

describe('custody (law 1)', () => {
  it('cannot be written as a literal', () => {
    const id = newTraceId()
    // @ts-expect-error a literal is no receipt
    const spool: Custody = { kind: 'spool', id }
    // @ts-expect-error a literal is no receipt
    const hop: Custody = { kind: 'next-hop', id, relay: 'x', reply: { code: 250, lines: [''] } }
    // @ts-expect-error the constructor is private
    const built = () => new SpoolReceipt(id)
    assert.equal(SpoolReceipt.is(spool) || NextHopReceipt.is(hop), false)
    assert.ok(SpoolReceipt.is(SpoolReceipt.afterSync(id)))
    assert.equal(NextHopReceipt.is(built()), false)
  })

  it('comes of a 2yz only', () => {
    for (const code of [199, 354, 421, 450, 550]) {
      const wrong = () => NextHopReceipt.afterPositiveReply(newTraceId(), 'x', { code, lines: [''] })
      assert.throws(wrong, /not a positive reply/)
    }
  })

  it('is what the reply to the dot names', () => {
    const id = newTraceId()
    assert.equal(replyBytes(promise(SpoolReceipt.afterSync(id))), `250 2.0.0 Ok: queued as ${id}\r\n`)
    const receipt = NextHopReceipt.afterPositiveReply(id, 'x', { code: 250, lines: [''] })
    assert.equal(replyBytes(promise(receipt)), `250 2.0.0 Ok: delivered as ${id}\r\n`)
  })
})

describe('verified return path (law 2)', () => {
  const anna = { kind: 'mailbox', mailbox: mailbox('anna@sender.example') } as const
  it('is never the null path, and never a domain that the proof does not speak of', () => {
    const submission = { kind: 'submission', tenant: 't', credential: 'c' } as const
    assert.equal(VerifiedReturnPath.from({ kind: 'null' }, submission), undefined)
    assert.ok(VerifiedReturnPath.from(anna, submission))
    for (const kind of ['spf-pass', 'aligned-dkim'] as const) {
      const proof = (domain: string) => ({ kind, tenant: 't', domain })
      assert.ok(VerifiedReturnPath.from(anna, proof('sender.example')))
      assert.equal(VerifiedReturnPath.from(anna, proof('example')), undefined)
      const literal = { kind: 'mailbox', mailbox: mailbox('a@[192.0.2.1]') } as const
      assert.equal(VerifiedReturnPath.from(literal, proof('192.0.2.1')), undefined)
    }
  })

  it('cannot be written as a literal', () => {
    const proof = { kind: 'spf-pass', tenant: 't', domain: 'sender.example' } as const
    // @ts-expect-error a literal is no proof
    const literal: VerifiedReturnPath = { mailbox: anna.mailbox, proof }
    assert.equal(VerifiedReturnPath.is(literal), false)
  })
})

describe('replies', () => {
  it('have their status on every line', () => {
    assert.equal(replyBytes({ code: 550, status: '5.1.1', text: ['a', 'b'] }), '550-5.1.1 a\r\n550 5.1.1 b\r\n')
    assert.equal(replyBytes({ code: 354, text: 'go on' }), '354 go on\r\n')
  })

  it('of others: the status is taken off where it is one and agrees with the code', () => {
    const cases: [number, string[], string | undefined, string[]][] = [
      [550, ['5.1.1 no', '5.1.1 such user'], '5.1.1', ['no', 'such user']],
      [550, ['5.1.1 no', '5.1.10 other'], '5.1.1', ['no', '5.1.10 other']],
      [550, ['4.1.1 no'], undefined, ['4.1.1 no']],
      [250, ['2.1.5'], '2.1.5', ['']],
      [550, ['5.1.1no'], undefined, ['5.1.1no']],
      [550, [], undefined, []],
    ]
    for (const [code, texts, status, lines] of cases) {
      const reply = remoteReply(code, texts)
      assert.deepEqual([reply.status, reply.lines], [status, lines])
    }
  })

  it('of others are passed on with a valid code, a status of its class, and a bounded text', () => {
    assert.deepEqual(passedOn(remoteReply(550, ['5.1.1 no'])), { code: 550, status: '5.1.1', text: 'no' })
    assert.deepEqual(passedOn(remoteReply(599, ['4.0.0'])), { code: 554, status: '5.0.0', text: '4.0.0' })
    assert.equal(passedOn(remoteReply(554, [])).text, 'refused by the recipient server')
    assert.equal(String(passedOn(remoteReply(554, ['x'.repeat(9999)])).text).length, PASSED_ON_TEXT_CHARS_MAX)
  })

  it('fall into classes at their borders', () => {
    const classes = [199, 200, 299, 300, 399, 400, 499, 500, 599, 600].map(replyClass)
    const expected = 'other positive positive other other transient transient permanent permanent other'
    assert.equal(classes.join(' '), expected)
  })

  it('statuses: three numbers, the first 2, 4 or 5, at the start', () => {
    assert.equal(parseStatus('4.7.100 later'), '4.7.100')
    for (const text of ['3.0.0 x', '5.1', '5.1.1.1', '5.1.1000', ' 5.1.1', '5.1.1;', '5..1']) {
      assert.equal(parseStatus(text), undefined, text)
    }
  })
})

describe('trace ids', () => {
  it('differ within a millisecond, sort by time, and name their worker', () => {
    let nowMs = 1_800_000_000_000
    const next = traceIds(
      7,
      () => nowMs,
      () => 0.999_999_9,
    )
    const many = new Set(Array.from({ length: 5000 }, () => next()))
    assert.equal(many.size, 5000)
    nowMs++
    const later = next()
    assert.ok([...many].every((id) => id < later && id.length === 15 && id.slice(9, 11) === '07'))
  })

  it('are read in either case, and nothing else is', () => {
    const id = newTraceId()
    assert.equal(parseTraceId(id.toLowerCase()), id)
    for (const text of ['', id.slice(1), `${id}0`, `I${id.slice(1)}`, `${id.slice(1)}U`, `${id}\n`]) {
      assert.equal(parseTraceId(text), undefined, text)
    }
  })
})

describe('content', () => {
  const abc = content([Buffer.from('abc'), Buffer.alloc(0), Buffer.from('de')])
  it('counts its octets and keeps its chunks', () => {
    assert.equal(abc.octets, 5)
    const traced = withTrace(Buffer.from('T:\r\n'), abc)
    assert.equal(traced.octets, 9)
    assert.equal(Buffer.concat(traced.chunks).toString(), 'T:\r\nabcde')
    assert.equal(traced.chunks[1], abc.chunks[0])
  })

  it('gives its head over chunks, never more than asked for', () => {
    const heads = [0, 2, 3, 4, 5, 99].map((octets) => head(abc, octets).toString())
    assert.deepEqual(heads, ['', 'ab', 'abc', 'abcd', 'abcde', 'abcde'])
    assert.equal(head(content([]), 5).length, 0)
  })
})

it('a forward path knows the postmaster in any case', () => {
  for (const text of ['postmaster', 'POSTMASTER', 'Postmaster']) assert.equal(forwardPath(text).kind, 'postmaster')
  assert.equal(forwardPath('postmaster@bakery.test').kind, 'mailbox')
})
