import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Content, content } from '#mail/content.ts'
import { replyLine } from '#mail/reply.ts'
import { transaction, WALL_MS } from '#mail/testing.ts'
import { HEADER_OCTETS_MAX } from '#mime/header-section.ts'
import { receivedField } from '#mime/trace-fields.ts'
import { inspect, OWN_HOPS_MAX } from './inspect.ts'
import { served } from './testing.ts'

const own = { hostname: 'relay.example', hopsMax: 25, wallMs: WALL_MS }
const of = (text: string): Content => content([Buffer.from(text)])
const HUGE = served({ contentOctetsMax: 10 * HEADER_OCTETS_MAX })

function inspected(text: string, to: readonly string[] = ['bob@bakery.test'], settings = own): string {
  const answer = inspect(transaction(to), of(text), HUGE, settings)
  if (answer.kind === 'reject') return replyLine(answer.reply).slice(0, 9)
  const all = Buffer.concat(answer.content.chunks)
  assert.equal(answer.content.octets, all.length)
  return all.toString()
}

it('trace fields are put before the content, and nothing else is touched', () => {
  const text = 'Subject: hello\r\n\r\nhello\r\n'
  const result = inspected(text)
  assert.match(result, /^Received: from [\s\S]*\r\nSubject/)
  assert.ok(result.endsWith(text))
})

it('results in our name that others forged are taken out', () => {
  const forged = 'Authentication-Results: relay.example;\r\n\tdkim=pass\r\n'
  const others = 'Authentication-Results: mx.sender.example; dkim=pass\r\n'
  const result = inspected(`A: b\r\n${forged}${others}C: d\r\n\r\n${forged}`)
  assert.ok(result.endsWith(`A: b\r\n${others}C: d\r\n\r\n${forged}`))
})

it('a content over the limit of the recipient, and one with a header section over ours, are refused', () => {
  const small = served({ contentOctetsMax: 20 })
  assert.equal(inspect(transaction(['bob@bakery.test']), of('x'.repeat(21)), small, own).kind, 'reject')
  assert.equal(inspect(transaction(['bob@bakery.test']), of('x'.repeat(20)), small, own).kind, 'inspected')
  assert.equal(inspected(`A: ${'x'.repeat(HEADER_OCTETS_MAX)}\r\n\r\n`), '554 5.6.0')
})

describe('loops', () => {
  const hop = (to: string) => receivedField(transaction([to]), own.hostname, WALL_MS)
  it('are seen by the number of hops', () => {
    const settings = { ...own, hopsMax: 3 }
    assert.doesNotMatch(inspected(`${'Received: x\r\n'.repeat(3)}\r\n`, undefined, settings), /^554/)
    assert.equal(inspected(`${'Received: x\r\n'.repeat(4)}\r\n`, undefined, settings), '554 5.4.6')
  })

  it('are seen by our own field for the same recipient, the second time', () => {
    const bob = 'bob@bakery.test'
    assert.doesNotMatch(inspected(`${hop(bob)}\r\n`), /^554/)
    assert.doesNotMatch(inspected(`${hop(bob)}${hop('list@cafe.test')}\r\n`), /^554/)
    assert.equal(inspected(`${hop(bob)}${hop(bob)}\r\n`), '554 5.4.6')
    assert.doesNotMatch(inspected(`${hop(bob)}${hop(bob)}\r\n`, [bob, 'eve@bakery.test']), /^554/)
    const jorg = 'j\u00f6rg@bakery.test'
    assert.equal(inspected(`${hop(jorg)}${hop(jorg)}\r\n`, [jorg]), '554 5.4.6')
  })

  it('are seen by our own fields for anybody', () => {
    const many = (n: number) => Array.from({ length: n }, (_, i) => hop(`r${i}@cafe.test`)).join('')
    assert.doesNotMatch(inspected(`${many(OWN_HOPS_MAX)}\r\n`), /^554/)
    assert.equal(inspected(`${many(OWN_HOPS_MAX + 1)}\r\n`), '554 5.4.6')
  })
})
