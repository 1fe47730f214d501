import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newTraceId } from '#mail/testing.ts'
import type { TraceId } from '#mail/trace-id.ts'
import { SITES_LOOK_MIN, Sites } from './sites.ts'
import { HandClock } from './testing.ts'

function bench() {
  const live = new Set<TraceId>()
  const clock = new HandClock()
  return { live, clock, sites: new Sites((id) => live.has(id)), nowMs: () => clock.monotonic() }
}
const destination = (i: number): string => `bakery/internet/d${i}.test`

test('a destination is let go when it is empty, a declared route never', () => {
  const { sites, nowMs } = bench()
  for (const id of ['bakery/main', destination(1)]) {
    const site = sites.of(id, nowMs())
    site.active++
    sites.ended(site, nowMs())
    assert.equal(sites.get(id), site, 'an attempt is under way')
    site.active--
    sites.ended(site, nowMs())
  }
  assert.ok(sites.get('bakery/main'))
  assert.equal(sites.get(destination(1)), undefined)
})

test('what is waiting, down, paced or missed is worth remembering', () => {
  const { sites, clock, nowMs } = bench()
  const [waiting, down, paced, missed] = [1, 2, 3, 4].map((i) => sites.of(destination(i), nowMs()))
  waiting!.ready.push(newTraceId(), 0, true)
  down!.unreachable(clock, 0)
  paced!.pace.started(nowMs())
  paced!.congested(nowMs())
  missed!.missed(newTraceId())
  for (const site of [waiting, down, paced, missed]) sites.ended(site!, nowMs())
  assert.equal(sites.counts.sites, paced!.pace.allowedPerSecond === Number.POSITIVE_INFINITY ? 3 : 4)
  assert.equal(sites.counts.sitesDown, 1)
})

test('of very many, those whose mail is gone are found', async () => {
  const { sites, live, clock, nowMs } = bench()
  for (let i = 0; i < SITES_LOOK_MIN; i++) {
    const site = sites.of(destination(i), nowMs())
    const id = newTraceId()
    site.missed(id)
    site.unreachable(clock, 0)
    if (i % 10 === 0) live.add(id)
  }
  sites.of('bakery/main', nowMs())
  assert.equal(sites.counts.sites, SITES_LOOK_MIN + 1, 'all are closed for a while')
  await clock.pass(3_600_000)
  for (let i = 0; i < SITES_LOOK_MIN; i++) sites.of(`bakery/internet/e${i}.test`, nowMs()).active++
  assert.equal(sites.counts.sites, 100 + 1 + SITES_LOOK_MIN)
  assert.ok(sites.get(destination(10)))
  assert.equal(sites.get(destination(11)), undefined)
})
