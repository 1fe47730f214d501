/** When reports go, to whom, how often, and never twice. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CountedTlsResult } from '#mail/tls-result.ts'
import type { Handed } from '#report/tls/post.ts'
import { type Database, openStore } from '#store/database.ts'
import { TLS_REPORT_MARKS, TlsReportMarks } from '#store/tls-report-marks.ts'
import { DAY_MS, TLS_RESULTS, TlsResultsStore } from '#store/tls-results.ts'
import type { TxtAnswer } from '#sys/txt-lookup.ts'
import { GIVE_UP_MS, RETRY_FIRST_MS, SPREAD_MS, TlsReportSender } from './tls-report-sender.ts'

const REPORTER = { organization: 'Relay', contact: 'tls@relay.example', submitter: 'relay.example' }
const DAY = 20_000
const NOON_MS = DAY * DAY_MS + DAY_MS / 2
const seen = (domain: string): CountedTlsResult => ({
  domain,
  policy: { type: 'no-policy-found', domain, strings: [] },
  count: 1,
})
const wants = (...places: string[]): TxtAnswer => ({
  kind: 'found',
  records: [`v=TLSRPTv1; rua=${places.join(',')}`],
})
const SENT: Handed = { kind: 'sent', text: 'ok' }
const FAILED: Handed = { kind: 'failed', text: 'answers 503' }

function bench(store: Database = openStore(':memory:', [TLS_RESULTS, TLS_REPORT_MARKS])) {
  const results = new TlsResultsStore(store)
  const marks = new TlsReportMarks(store)
  const world = {
    nowMs: NOON_MS,
    random: 0.5,
    says: new Map<string, TxtAnswer>(),
    answers: (_place: string): Handed | Promise<Handed> => SENT,
    given: [] as string[],
    counted: [] as string[],
    log: [] as string[],
  }
  const hand = async (place: string, domain: string): Promise<Handed> => {
    world.given.push(`${domain} ${place}`)
    return world.answers(place)
  }
  const sender = new TlsReportSender({
    marks,
    results: (day, domain) => results.of(day, domain),
    wallMs: () => world.nowMs,
    random: () => world.random,
    lookUp: async (name) => world.says.get(name.replace('_smtp._tls.', '')) ?? { kind: 'none' },
    mail: ({ mailbox }, { report }) => hand(`${mailbox.localPart}@`, report.domain),
    post: (url, { report }) => hand(url.host, report.domain),
    count: (way, result) => void world.counted.push(`${way} ${result}`),
    log: (line) => void world.log.push(line),
  })
  const look = (afterMs = 0) => {
    world.nowMs += afterMs
    return sender.look(REPORTER)
  }
  const states = (day = DAY) => marks.list(day, 99).map(({ place, state }) => `${place || '-'} ${state}`)
  const add = (domain: string) => results.add(seen(domain), NOON_MS)
  return { store, sender, world, marks, look, states, add }
}

test('a day is reported when it is over, some hours later, to each place once', async () => {
  const { world, look, states, add } = bench()
  add('a.example')
  world.says.set('a.example', wants('mailto:tls@a.example', 'https://r.example/v1'))
  await look()
  await look(DAY_MS / 2 + SPREAD_MS * 0.49)
  assert.deepEqual(world.given, [])
  await look(SPREAD_MS * 0.02)
  assert.deepEqual(world.given.sort(), ['a.example r.example', 'a.example tls@'])
  await look(DAY_MS)
  assert.equal(world.given.length, 2)
  assert.deepEqual(states(), ['- asked', 'https://r.example/v1 sent', 'mailto:tls@a.example sent'])
  assert.deepEqual(world.counted.sort(), ['https sent', 'mail sent'])
  assert.match(world.log[0]!, /2024-10-04\.a\.example@relay\.example sent to \S+: ok/)
})

test('each domain has a moment of its own, which a restart does not change', async () => {
  const { world, look, marks, add, store } = bench()
  for (const domain of ['a.example', 'b.example']) add(domain)
  let turn = 0
  Object.defineProperty(world, 'random', { get: () => turn++ / 2 })
  await look(DAY_MS / 2)
  const due = () => marks.list(DAY, 9).map(({ dueMs }) => dueMs - (DAY + 1) * DAY_MS)
  assert.deepEqual(due(), [1000, 1000 + SPREAD_MS / 2])
  await bench(store).look()
  assert.deepEqual(due(), [1000, 1000 + SPREAD_MS / 2])
})

test('a domain that wants none is not asked again; one that nobody can ask is, for a day', async () => {
  const { world, look, states, add, marks } = bench()
  add('none.example')
  add('mute.example')
  world.says.set('mute.example', { kind: 'unknown', text: 'SERVFAIL' })
  await look(DAY_MS)
  assert.deepEqual(states(), ['- waiting', '- unwanted'])
  for (let ms = 0; ms <= GIVE_UP_MS; ms += RETRY_FIRST_MS) await look(RETRY_FIRST_MS)
  assert.deepEqual(states(), ['- given-up', '- unwanted'])
  assert.equal(marks.list(DAY, 9, 'none.example')[0]?.attempts, 1)
  assert.match(world.log.join('\n'), /nobody can say where mute\.example wants its report: SERVFAIL/)
})

test('what was refused is tried again, later and later, and given up after a day, visibly', async () => {
  const { world, look, states, add, marks } = bench()
  add('a.example')
  world.says.set('a.example', wants('https://r.example/v1'))
  world.answers = () => FAILED
  await look(DAY_MS)
  const startMs = world.nowMs
  const atMs = [0]
  for (let given = 1; world.nowMs < startMs + 2 * GIVE_UP_MS && states()[1]?.endsWith('waiting'); ) {
    await look(60_000)
    if (world.given.length > given) atMs.push(world.nowMs - startMs)
    given = world.given.length
  }
  const gaps = atMs.slice(1).map((ms, i) => (ms - atMs[i]!) / RETRY_FIRST_MS)
  assert.deepEqual(gaps, [1, 2, 4, 8, 16, 24, 24])
  assert.ok(atMs.at(-1)! <= GIVE_UP_MS && atMs.at(-1)! > GIVE_UP_MS / 2)
  assert.deepEqual(states(), ['- asked', 'https://r.example/v1 given-up'])
  assert.equal(marks.list(DAY, 9)[1]?.said, 'answers 503')
  assert.match(world.log.at(-1)!, /^warning: .*to https:\/\/r\.example\/v1 is given-up: answers 503$/)
  assert.deepEqual(world.counted.slice(-2), ['https retry', 'https given-up'])
})

test('what may have been taken is not sent again', async () => {
  const { world, look, states, add } = bench()
  add('a.example')
  world.says.set('a.example', wants('https://r.example/v1'))
  world.answers = () => ({ kind: 'unclear', text: 'too slow' })
  await look(DAY_MS)
  world.answers = () => SENT
  for (let i = 0; i < 50; i++) await look(RETRY_FIRST_MS)
  assert.deepEqual([states()[1], world.given.length], ['https://r.example/v1 unclear', 1])
})

test('a crash while a report is handed over: it is not sent again; what was not begun is', async () => {
  const first = bench()
  first.add('a.example')
  const places = Array.from({ length: 4 }, (_, i) => `https://r${i}.example/`)
  first.world.says.set('a.example', wants(...places))
  first.world.answers = (place) => (place === 'r1.example' ? new Promise(() => {}) : FAILED)
  void first.look(DAY_MS)
  while (first.world.counted.length < 3) await new Promise(setImmediate)
  assert.match(first.states().join(), /r1\.example\/ handing/)
  const second = bench(first.store)
  second.world.nowMs = first.world.nowMs + RETRY_FIRST_MS
  second.sender.begin()
  await second.look()
  assert.deepEqual(second.world.given.sort(), ['a.example r0.example', 'a.example r2.example', 'a.example r3.example'])
  assert.equal(second.states().filter((state) => state.endsWith('sent')).length, 3)
  assert.equal(second.states()[2], 'https://r1.example/ unclear')
  assert.match(second.world.log[0]!, /1 reports may have been sent or not/)
})

test('a relay that was down tells of the days whose figures it still has', async () => {
  const { world, look, add, marks } = bench()
  add('a.example')
  world.says.set('a.example', wants('https://r.example/v1'))
  await look(2 * DAY_MS)
  assert.equal(world.given.length, 1)
  const late = bench()
  late.add('a.example')
  await late.look(3 * DAY_MS)
  assert.deepEqual([late.marks.list(DAY, 9), marks.list(DAY, 9).length], [[], 2])
})

test('what ends begins nothing more, and waits for what is under way', async () => {
  const { world, look, add, sender } = bench()
  for (let i = 0; i < 30; i++) add(`d${i}.example`)
  for (let i = 0; i < 30; i++) world.says.set(`d${i}.example`, wants('https://r.example/'))
  const gate = Promise.withResolvers<Handed>()
  world.answers = () => gate.promise
  void look(DAY_MS)
  while (world.given.length === 0) await new Promise(setImmediate)
  let isOver = false
  const ended = sender.end().then(() => (isOver = true))
  await new Promise(setImmediate)
  assert.equal(isOver, false)
  gate.resolve(SENT)
  await ended
  assert.ok(world.given.length <= 10, `${world.given.length}`)
})
