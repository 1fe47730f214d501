/**
 * The figure: a primary that is down for 30 days, with a lifetime of 31. Every message that was accepted is delivered or
 * held, who is known is accepted throughout, and who is not never is.
 */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type OutageResult, outage, type TryReply } from './outage.ts'

const DAYS = 30
const isAccepted = ({ code }: TryReply): boolean => code === 250

describe('a fallback MX whose primaries are away for a month', () => {
  let result: OutageResult
  before(async () => {
    result = await outage({ seed: 1, days: DAYS })
  })
  const during = (customer: TryReply['customer'], user: string) =>
    result.replies.filter((reply) => reply.customer === customer && reply.user === user && inOutage(reply))
  const inOutage = ({ day }: TryReply) => day > 0.01 && day < DAYS

  it('accepts whom the list knows, from the day on which the list says so, and refuses the others for good', () => {
    const from: { readonly [user: string]: readonly [number, number] } = {
      anna: [0, 12.01],
      bert: [0, 16.01],
      carla: [0, DAYS],
      dora: [0, DAYS],
      fred: [8.01, DAYS],
      bertold: [16.01, DAYS],
      nobody: [0, 0],
    }
    for (const [user, [firstDay, lastDay]] of Object.entries(from)) {
      const replies = during('listed', user)
      assert.ok(replies.length > 40, `${user} was written to`)
      const wrong = replies.filter(({ day, code }) => code !== (day >= firstDay && day < lastDay ? 250 : 550))
      assert.deepEqual(wrong.slice(0, 3), [], user)
    }
  })

  it('accepts whom it learned to know for all of the time, and lets the others wait', () => {
    for (const user of ['anna', 'bert', 'carla', 'dora']) {
      const replies = during('learned', user)
      assert.ok(replies.length > 40, `${user} was written to`)
      assert.deepEqual(
        replies.filter((reply) => !isAccepted(reply)),
        [],
        user,
      )
    }
    for (const user of ['fred', 'bertold', 'nobody']) {
      assert.deepEqual(
        during('learned', user).filter(({ code }) => code !== 450),
        [],
        user,
      )
    }
  })

  it('delivers or holds each message that it accepted', () => {
    assert.deepEqual(result.violations, [])
    const accepted = result.replies.filter(isAccepted)
    assert.ok(accepted.length > 400, `${accepted.length} accepted`)
    const lost = accepted.filter(({ tryId }) => !result.delivered.has(tryId) && result.kept.get(tryId) !== 'held')
    assert.deepEqual(lost.slice(0, 3), [])
    // Held are those for mailboxes that went away in the meantime, and no others.
    const held = accepted.filter(({ tryId }) => result.kept.has(tryId))
    const gone = accepted.filter((reply) => inOutage(reply) && ['anna', 'bert'].includes(reply.user))
    const ids = (replies: readonly TryReply[]) => replies.map(({ tryId }) => tryId).join(' ')
    assert.equal(ids(held), ids(gone))
    assert.ok(held.length > 100)
    assert.ok(held.every(({ tryId }) => !result.delivered.has(tryId)))
  })

  it('tells the postmaster at the beginning, daily, and at the end', () => {
    const [first, ...others] = result.notices
    const last = others.pop()
    assert.deepEqual([first, last], ['primary-down', 'primary-up'])
    assert.deepEqual(others, Array(DAYS - 1).fill('still-down'))
  })
})
