import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStore } from './database.ts'
import { TLS_REPORT_MARKS, TlsReportMarks } from './tls-report-marks.ts'
import { TLS_RESULTS, TlsResultsStore } from './tls-results.ts'

const DAY_MS = 86_400_000

function bench(domains = ['a.example', 'b.example', 'c.example']) {
  const store = openStore(':memory:', [TLS_RESULTS, TLS_REPORT_MARKS])
  const results = new TlsResultsStore(store)
  for (const domain of domains) {
    const policy = { type: 'no-policy-found', domain, strings: [] } as const
    results.add({ domain, policy, count: 1 }, 10 * DAY_MS)
    results.add({ domain, policy: { ...policy, type: 'sts' }, count: 1 }, 10 * DAY_MS)
  }
  return new TlsReportMarks(store)
}

test('each domain of a day is planned once, a few at a time, and due at its own moment', () => {
  const marks = bench()
  let due = 100
  const plan = (max: number) => marks.plan(10, max, () => due++)
  assert.deepEqual([plan(2), plan(2), plan(2)], [2, 1, 0])
  assert.equal(
    marks.plan(11, 2, () => 0),
    0,
  )
  assert.deepEqual(
    marks.due(101, 10).map(({ domain, place, dueMs }) => [domain, place, dueMs]),
    [
      ['a.example', '', 100],
      ['b.example', '', 101],
    ],
  )
  assert.equal(marks.due(200, 2).length, 2)
})

test('only who waits can be begun, once; a question can be asked again', () => {
  const marks = bench(['a.example'])
  marks.plan(10, 9, () => 1)
  const [question] = marks.due(1, 9)
  assert.deepEqual([marks.begin(question!, 5), marks.begin(question!, 6)], [true, true])
  marks.found(question!, ['mailto:x@a.example', 'https://a.example/'], 7)
  assert.equal(marks.begin(question!, 8), false)
  const [place] = marks.due(7, 9)
  assert.deepEqual([place?.place, place?.firstMs], ['https://a.example/', 0])
  assert.deepEqual([marks.begin(place!, 8), marks.begin(place!, 9)], [true, false])
  marks.end(place!, 'waiting', 20, 'answers 500')
  assert.deepEqual([marks.due(19, 9).length, marks.begin(place!, 20)], [1, true])
  const [shown] = marks.list(10, 9, 'a.example').filter((mark) => mark.place === place!.place)
  assert.deepEqual([shown?.state, shown?.attempts, shown?.firstMs, shown?.said], ['handing', 2, 8, 'answers 500'])
  assert.equal(marks.interrupted(30, 'killed'), 1)
  assert.deepEqual(
    marks.list(10, 9).map(({ state }) => state),
    ['asked', 'unclear', 'waiting'],
  )
})

test('what is sent again is asked for anew; what is old is forgotten, the silent ones first', () => {
  const marks = bench()
  marks.plan(10, 9, () => 1)
  const [one, two, three] = marks.due(1, 9)
  marks.found(one!, ['https://a.example/'], 2)
  marks.end(two!, 'unwanted', 2, '')
  marks.end(three!, 'given-up', 2, 'SERVFAIL')
  const states = () => marks.list(10, 9).map(({ domain, state }) => `${domain} ${state}`)
  assert.deepEqual(states(), ['a.example asked', 'a.example waiting', 'b.example unwanted', 'c.example given-up'])
  marks.prune(5, 10)
  assert.equal(states().length, 4)
  marks.again(10, 'a.example', 9)
  assert.equal(states()[0], 'a.example waiting')
  marks.found(one!, ['https://a.example/'], 9)
  marks.prune(5, 11)
  assert.deepEqual(states(), ['a.example waiting', 'c.example given-up'])
  marks.prune(11, 11)
  assert.deepEqual(states(), [])
})
