import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DSN_CLASSES } from '#mail/dsn.ts'
import { measurer } from './measure.ts'
import { exposition, Metrics, merged, SERIES_MAX } from './metrics.ts'
import { oneOfEach } from './testing.ts'

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"'
/** Prometheus text format 0.0.4, one line. */
const LINE = new RegExp(
  `^(?:# HELP ${NAME} .*|# TYPE ${NAME} (?:counter|gauge|histogram)|(${NAME})(?:\\{${LABEL}(?:,${LABEL})*\\})? \\S+)$`,
)

describe('the exposition', () => {
  it('is in the text format, whatever a label or a help text holds', () => {
    const metrics = new Metrics()
    metrics.counter('a_total', 'help\nwith \\ and "quotes"', 'why').add('x"} 1\n# TYPE evil counter\\')
    metrics.gauge('b', 'help', () => [
      [{ one: '1', two: '"' }, 1.5],
      [{}, Number.POSITIVE_INFINITY],
    ])
    metrics.histogram('c_seconds', 'help', [0.1, 1]).observe(0.5)
    const text = exposition(metrics.snapshot())
    assert.ok(text.endsWith('\n'))
    const lines = text.trimEnd().split('\n')
    for (const line of lines) assert.match(line, LINE)
    assert.equal(lines.filter((line) => line.startsWith('# TYPE')).length, 3)
    assert.ok(text.includes('a_total{why="x\\"} 1\\n# TYPE evil counter\\\\"} 1\n'))
  })

  it('of a histogram: buckets add up, the last is +Inf and equals the count', () => {
    const metrics = new Metrics()
    const histogram = metrics.histogram('c', 'help', [1, 2])
    for (const value of [0.5, 1, 1.5, 99, -3]) histogram.observe(value)
    const lines = exposition(metrics.snapshot()).split('\n').slice(2, -1)
    assert.deepEqual(lines, [
      'c_bucket{le="1"} 3',
      'c_bucket{le="2"} 4',
      'c_bucket{le="+Inf"} 5',
      'c_sum 102',
      'c_count 5',
    ])
  })
})

it('the number of series is bounded, and nothing goes uncounted', () => {
  const metrics = new Metrics()
  const counter = metrics.counter('a_total', 'help', 'who', ['known'])
  for (let i = 0; i < 10_000; i++) counter.add(`address-${i}@bakery.test`)
  counter.add('known')
  const samples = Object.entries(metrics.snapshot()['a_total']?.samples ?? {})
  assert.equal(samples.length, SERIES_MAX + 1)
  assert.equal(
    samples.reduce((sum, [, value]) => sum + value, 0),
    10_001,
  )
  assert.equal(counter.get('known'), 1)
  assert.equal(counter.get('other'), 10_000 - (SERIES_MAX - 1))
})

it('workers are added up, also where one does not know a series', () => {
  const worker = (series: string) => {
    const metrics = new Metrics()
    metrics.counter('a_total', 'help', 'why').add(series, 2)
    metrics.histogram('c', 'help', [1]).observe(0.5)
    return metrics.snapshot()
  }
  const one = worker('x')
  const all = merged([one, worker('x'), worker('y'), {}])
  assert.deepEqual(all['a_total']?.samples, { 'a_total{why="x"}': 4, 'a_total{why="y"}': 2 })
  assert.equal(all['c']?.samples['c_bucket{le="+Inf"}'], 3)
  assert.deepEqual(one['a_total']?.samples, { 'a_total{why="x"}': 2 })
  assert.deepEqual(merged([]), {})
})

describe('what events count for', () => {
  const metrics = new Metrics()
  const measure = measurer(metrics)
  const before = exposition(metrics.snapshot())
  for (const event of Object.values(oneOfEach('x"\n'))) measure(event)
  const text = exposition(metrics.snapshot())

  it('each kind of event is seen in its place', () => {
    const expected = [
      'vorposten_messages_accepted_total{custody="spool"} 1',
      'vorposten_messages_accepted_total{custody="next-hop"} 0',
      'vorposten_octets_accepted_total 1234',
      'vorposten_reception_seconds_sum 0.02',
      'vorposten_refused_total{step="rcpt-5xx"} 1',
      'vorposten_refusal_reasons_total{reason="unknown-recipient"} 1',
      'vorposten_recipient_outcomes_total{outcome="delivered"} 1',
      'vorposten_recipient_outcomes_total{outcome="deferred"} 1',
      'vorposten_recipient_outcomes_total{outcome="failed"} 1',
      'vorposten_obstacles_total{obstacle="timeout"} 1',
      'vorposten_next_hop_refusals_total{class="5yz-recipient"} 1',
      'vorposten_delivery_delay_seconds_count 1',
      'vorposten_held_total{reason="refused"} 3',
      'vorposten_callouts_total{answer="unreachable"} 1',
      'vorposten_feedback_total{about="complaint",decision="suppressed"} 1',
      'vorposten_sessions_total{end="quit"} 1',
      'vorposten_dsn_emitted_total{class="submission"} 1',
      'vorposten_dsn_emitted_total{class="unverified"} 0',
      'vorposten_alarms_total{symbol="spool-full"} 1',
    ]
    for (const line of expected) assert.ok(text.includes(`${line}\n`), line)
  })

  it('law 2 can be watched from the first day: DSNs by class, all 0', () => {
    for (const kind of DSN_CLASSES) {
      assert.ok(before.includes(`vorposten_dsn_emitted_total{class="${kind}"} 0\n`))
    }
  })

  it('no address and no text of a peer is a label; counters end in _total', () => {
    assert.doesNotMatch(text, /bakery\.test|x\\"/)
    for (const [, name] of text.matchAll(/^# TYPE (\S+) counter$/gm)) assert.match(name ?? '', /^vorposten_\w+_total$/)
    for (const line of text.trimEnd().split('\n')) assert.match(line, LINE)
  })
})
