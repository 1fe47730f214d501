import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ATTEMPT_MS_MAX, GUESS_LIMITS, STRIKES_KEPT_MS } from './guess-limits.ts'
import { GuessThrottle } from './guess-throttle.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

function bench(known: readonly string[] = []) {
  const clock = { nowMs: 5_000 }
  const used = new Set(known)
  const throttle = new GuessThrottle({ nowMs: () => clock.nowMs, knows: (login, site) => used.has(`${login} ${site}`) })
  /** One attempt from its begin to its end; its admission. */
  const attempt = (login: string, address: string, right = false) => {
    const { kind } = throttle.admit(login, address)
    if (kind === 'go' || kind === 'wait') throttle.ended(login, address, right)
    return kind
  }
  const attempts = (count: number, login: string, address: string) =>
    Array.from({ length: count }, () => attempt(login, address)).filter((kind) => kind !== 'refuse').length
  return { clock, throttle, attempt, attempts, used }
}

const host = (n: number): string => `10.${(n >> 8) & 255}.${n & 255}.7`

test('100,000 guesses at one login from 1,000 networks: 3,050 are looked at, and the owner gets in at once', () => {
  const { clock, throttle, attempt } = bench(['anna 192.0.2.0/24'])
  let checked = 0
  for (let i = 0; i < 100_000; i++) {
    clock.nowMs += HOUR / 100_001
    if (attempt('anna', host(i % 1000)) !== 'refuse') checked++
    if (i % 10_000 === 9_999) {
      assert.equal(attempt('anna', '192.0.2.20', true), 'go')
      assert.equal(attempt('anna', `198.51.${(i / 1000) | 0}.20`, true), 'go')
      assert.equal(attempt('anna', `2001:db8:${i}::20`, true), 'go')
    }
  }
  const { attackWrongMax, stranger } = GUESS_LIMITS
  assert.ok(checked <= attackWrongMax + stranger.wrongMax * 1000, `${checked} were looked at`)
  assert.ok(checked >= 2_900, `${checked} were looked at`)
  assert.equal(throttle.underAttack('anna'), true)
})

test('100,000 guesses at one login from 1,000 addresses of four networks: a first try of each, and little more', () => {
  const { clock, attempt } = bench()
  let checked = 0
  for (let i = 0; i < 100_000; i++) {
    clock.nowMs += HOUR / 100_001
    if (attempt('anna', `10.0.${i % 4}.${(i >> 2) % 250}`) !== 'refuse') checked++
  }
  assert.ok(checked <= 1_000 + 4 * 3 + 50, `${checked} were looked at`)
})

test('100,000 guesses at 10,000 logins from 1,000 networks within an hour: 25 of each address are looked at', () => {
  const { clock, attempt } = bench()
  let checked = 0
  for (let i = 0; i < 100_000; i++) {
    clock.nowMs += HOUR / 100_001
    if (attempt(`user${(i * 7) % 10_000}`, host(i % 1000)) !== 'refuse') checked++
  }
  assert.ok(checked <= 25 * 1000, `${checked} were looked at`)
})

test('ten wrong ones in a quarter of an hour, then a quarter of an hour nothing; refusals extend nothing', () => {
  const { clock, attempts, attempt, throttle } = bench()
  assert.equal(attempts(9, 'anna', '10.0.0.1'), 9)
  clock.nowMs += 15 * MINUTE
  assert.equal(attempts(100, 'anna', '10.0.0.1'), 10)
  clock.nowMs += 15 * MINUTE - 1
  const refused = throttle.admit('bert', '10.0.0.1')
  assert.ok(refused.kind === 'refuse' && /wrong passwords from your address; try again in 1 min/.test(refused.text))
  clock.nowMs += 1
  assert.equal(attempt('bert', '10.0.0.1'), 'go')
  assert.equal(throttle.refusals.address, 91)
})

test('the length of refusals doubles, and is forgotten after a quiet day', () => {
  const { clock, attempts, throttle } = bench()
  const series = () => {
    attempts(10, `user${clock.nowMs}`, '10.0.0.1')
    return throttle.standing().addresses[0]?.forMs
  }
  const lengths: (number | undefined)[] = []
  for (let i = 0; i < 9; i++) {
    lengths.push(series())
    clock.nowMs += lengths.at(-1) ?? 0
  }
  assert.deepEqual(
    lengths.map((ms) => (ms ?? 0) / MINUTE),
    [15, 30, 60, 120, 240, 480, 960, 1440, 1440],
  )
  clock.nowMs += STRIKES_KEPT_MS + 1
  assert.equal(series(), 15 * MINUTE)
})

test('a network of few who guess is refused, but not who never did', () => {
  const { attempts, attempt } = bench()
  let looked = 0
  for (let n = 1; n <= 10; n++) looked += attempts(10, `user${n}`, `10.0.0.${n}`)
  assert.equal(looked, 40 + 6)
  assert.equal(attempt('anna', '10.0.0.99'), 'go')
  assert.equal(attempt('anna', '10.0.0.99'), 'refuse')
  assert.equal(attempt('anna', '10.0.1.1'), 'go')
})

test('an IPv6 customer with 65,536 networks has one limit', () => {
  const { attempts, attempt } = bench()
  let looked = 0
  for (let n = 0; n < 1000; n++) looked += attempts(1, `user${n}`, `2001:db8:1:${n.toString(16)}::1`)
  assert.equal(looked, GUESS_LIMITS.site.wrongMax)
  assert.equal(attempt('anna', '2001:db8:2::1'), 'go')
})

test('an old password in a phone at home locks nobody out there', () => {
  const { attempts, attempt, clock } = bench(['anna 192.0.2.0/24', 'bert 192.0.2.0/24'])
  assert.equal(attempts(29, 'anna', '192.0.2.1'), 29)
  assert.equal(attempt('anna', '192.0.2.1', true), 'go')
  assert.equal(attempts(20, 'anna', '192.0.2.1'), 1)
  assert.equal(attempt('bert', '192.0.2.1', true), 'go')
  assert.equal(attempt('carl', '192.0.2.1'), 'go')
  // A neighbour who guesses at anna does not lock her out either, nor the other way round.
  assert.equal(attempt('anna', '192.0.2.2', true), 'go')
  clock.nowMs += 15 * MINUTE
  assert.equal(attempt('anna', '192.0.2.1', true), 'go')
})

test('under attack a stranger waits before his second and third try, and has no fourth', () => {
  const { throttle, attempts, clock } = bench()
  for (let n = 0; n < 10; n++) attempts(5, 'anna', host(n))
  assert.equal(throttle.underAttack('anna'), true)
  const admissions = [0, 1, 2, 3].map(() => {
    const admission = throttle.admit('anna', '198.51.100.1')
    throttle.ended('anna', '198.51.100.1', false)
    return admission.kind === 'wait' ? admission.waitMs : admission.kind
  })
  assert.deepEqual(admissions, ['go', 2000, 4000, 'refuse'])
  assert.equal(throttle.admit('bert', '198.51.100.1').kind, 'go')
  clock.nowMs += HOUR
  assert.equal(throttle.underAttack('anna'), false)
  assert.equal(throttle.admit('anna', '198.51.100.1').kind, 'go')
})

test('attempts at the same time are no way around the limit, and a right one does not count', () => {
  const { throttle, used, clock } = bench()
  const at = (address = '10.0.0.1') => throttle.admit('anna', address).kind
  const kinds = Array.from({ length: 50 }, () => at())
  assert.deepEqual([kinds.filter((kind) => kind === 'go').length, kinds.at(-1)], [10, 'busy'])
  throttle.ended('anna', '10.0.0.1', true)
  assert.deepEqual([at(), at()], ['go', 'busy'])
  throttle.ended('anna', '10.0.0.1', undefined)
  assert.equal(at(), 'go')
  // The first right one makes the network known, and the rest of the connections follow.
  used.add('anna 10.0.0.0/24')
  assert.equal(at(), 'go')
  // Nobody ended the others: they were wrong.
  used.clear()
  clock.nowMs += ATTEMPT_MS_MAX
  assert.equal(at(), 'refuse')
})

test('a right password takes back its own try only', () => {
  const { attempts, attempt } = bench()
  attempts(9, 'anna', '10.0.0.1')
  assert.equal(attempt('mine', '10.0.0.1', true), 'go')
  assert.equal(attempts(5, 'anna', '10.0.0.1'), 1)
})

test('an operator forgives an address', () => {
  const { attempts, throttle, attempt } = bench()
  attempts(20, 'anna', '10.0.0.1')
  assert.equal(throttle.standing().addresses.length, 1)
  assert.equal(throttle.forgive('10.0.0.1'), true)
  assert.equal(attempt('anna', '10.0.0.1'), 'go')
  assert.equal(throttle.forgive('10.9.9.9'), false)
})
