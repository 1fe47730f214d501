import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '#config/config.ts'
import { parseConfig } from '#config/parse.ts'
import type { CountedTlsResult, TlsSessionResult } from '#mail/tls-result.ts'
import { HandClock } from '#queue/testing.ts'
import { openStore } from '#store/database.ts'
import { type ReportMark, TLS_REPORT_MARKS } from '#store/tls-report-marks.ts'
import { TLS_RESULT_DAYS_MAX, TLS_RESULTS } from '#store/tls-results.ts'
import type { Dns } from '#sys/dns/answer.ts'
import type { TxtAnswer } from '#sys/txt-lookup.ts'
import type { NoticeQuestion } from '../notices.ts'
import type { OnceAnswer } from '../serve/desk.ts'
import { TlsResultsBatch } from '../tls-results-batch.ts'
import { LOOK_MS, type TlsReportShown, TlsReportsClerk } from './tls-reports.ts'

const DAY_MS = 86_400_000
const RELAY = `hostname: relay.example
listeners: [{name: mx, addresses: 192.0.2.1:25}, {name: out, addresses: 192.0.2.1:26, service: outbound}]
`
const TENANTS = `tenants: {bakery: {
  routes: {out: {use-mx: true}, other: {use-mx: true}, in: {hosts: 192.0.2.9}},
  domains: {bakery.example: {route: in}}, outbound: {from-networks: 10.0.0.0/8, route: out}}}`
function configOf(more = ''): Config {
  const parsed = parseConfig(
    `${RELAY}tls-reports: {organization: Relay, contact: tls@bakery.example${more}}\n${TENANTS}`,
    'v',
  )
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.config
}
const CONFIG = configOf()
const seen = (domain: string, failed?: string): TlsSessionResult => ({
  domain,
  policy: { type: 'no-policy-found', domain, strings: [] },
  ...(failed && { failure: { type: 'starttls-not-supported', mxHost: failed } }),
})

function bench(config = CONFIG, store = openStore(':memory:', [TLS_RESULTS, TLS_REPORT_MARKS])) {
  const clock = new HandClock()
  const asked: string[] = []
  const says: TxtAnswer[] = []
  const dns = {
    async lookup(name: string): Promise<TxtAnswer> {
      asked.push(name)
      return says.shift() ?? { kind: 'none' }
    },
  } as unknown as Dns
  let nowMs = Date.UTC(2026, 10, 24, 12)
  const log: string[] = []
  const parts = {
    store,
    wallMs: () => nowMs,
    clock,
    config,
    dns,
    random: () => 0,
    log: (line: string) => void log.push(line),
  }
  const clerk = new TlsReportsClerk(parts)
  const list = (day = 'today') => clerk.command('list', { day, rowsMax: 10 })
  return { clerk, clock, store, asked, says, list, log, later: (ms: number) => void (nowMs += ms) }
}

test('what workers saw of a day is added up by domain, and shown as its report', async () => {
  const { clerk, clock, list, asked, says } = bench()
  const workers = [1, 2].map(() => new TlsResultsBatch(clock, (batch) => clerk.answer('add', batch)))
  for (const worker of workers) {
    for (const result of [seen('a.example'), seen('a.example'), seen('a.example', 'mx1'), seen('b.example')]) {
      worker.add(result)
    }
    await worker.flush()
  }
  const about = { policies: ['no-policy-found'] }
  assert.deepEqual(await list(), [
    { domain: 'a.example', ...about, succeeded: 4, failed: 2, failures: ['starttls-not-supported'] },
    { domain: 'b.example', ...about, succeeded: 2, failed: 0, failures: [] },
  ])
  const show = () => clerk.command('show', { day: 'today', domain: 'A.example' }) as Promise<TlsReportShown>
  says.push({ kind: 'found', records: ['v=TLSRPTv1; rua=mailto:t@a.example,https://r.example/'] })
  says.push({ kind: 'unknown', text: 'SERVFAIL' })
  assert.deepEqual((await show()).places, ['mailto:t@a.example', 'https://r.example/'])
  assert.deepEqual(asked, ['_smtp._tls.a.example'])
  assert.equal((await show()).places, 'nobody can say now: SERVFAIL')
  const { report, places } = await show()
  assert.equal(places, 'a.example asks for none (TXT at _smtp._tls.a.example)')
  assert.match(JSON.stringify(report), /"report-id":"2026-11-24\.a\.example@bakery\.example".*"failed-session-count":2/)
  await assert.rejects(async () => clerk.command('show', { day: 'today', domain: 'c.example' }), /c\.example/)
})

test('another day is another report; it survives a restart, and is forgotten', async () => {
  const { clerk, store, list, later } = bench()
  const batch: CountedTlsResult[] = [{ ...seen('a.example'), count: 3 }]
  await clerk.answer('add', batch)
  later(DAY_MS)
  assert.deepEqual([await list(), ((await list('yesterday')) as unknown[]).length], [[], 1])
  const again = bench(CONFIG, store)
  assert.equal(((await again.list()) as unknown[]).length, 1)
  again.later(TLS_RESULT_DAYS_MAX * DAY_MS)
  await again.clerk.look()
  assert.equal(store.prepare('SELECT count(*) AS n FROM tls_results').get()?.['n'], 0)
})

test('without the setting nobody is shown anything', async () => {
  const { tlsReports: _, ...config } = CONFIG
  const { clerk, list, store } = bench(config)
  await assert.rejects(() => list(), /TLS is not counted/)
  await clerk.answer('add', [{ ...seen('a.example'), count: 3 }])
  await clerk.look()
  assert.deepEqual(store.prepare('SELECT * FROM tls_report_marks').all(), [])
})

/** A domain with results of yesterday, which wants its report by mail. */
async function ready(config = CONFIG, place = 'mailto:t@a.example') {
  const made = bench(config)
  await made.clerk.answer('add', [{ ...seen('a.example', 'mx1'), count: 2 }])
  made.later(DAY_MS)
  for (let i = 0; i < 9; i++) made.says.push({ kind: 'found', records: [`v=TLSRPTv1; rua=${place}`] })
  const questions: NoticeQuestion[] = []
  const answer = { now: { kind: 'answer', body: 'the-id' } as OnceAnswer | undefined }
  const start = () =>
    made.clerk.started([], [], async (about, body) => {
      assert.equal(about, 'notices/send')
      questions.push(body as NoticeQuestion)
      return answer.now
    })
  const sent = (day = 'yesterday') => made.clerk.command('sent', { day, rowsMax: 9 }) as Promise<ReportMark[]>
  const send = (day = 'yesterday', domain = 'A.example') => made.clerk.command('send', { day, domain })
  return { ...made, questions, answer, start, sent, send }
}

/** Until the look that the clock began is over. */
const until = async (isDone: () => boolean) => {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 1))
}

test('a report by mail is given to one worker, for a signature and whatever TLS says', async () => {
  const { clerk, clock, questions, start, sent, log } = await ready()
  start()
  await clock.pass(0)
  await until(() => log.length > 0)
  const [question] = questions as [NoticeQuestion]
  const { content, ...rest } = question
  assert.deepEqual(rest, {
    ...{ tenant: 'bakery', route: 'bakery/out/a.example', recipient: 't@a.example', smtputf8: false },
    ...{ tlsOptional: true, onlySigned: true },
  })
  assert.match(
    Buffer.from(content).toString(),
    /^From: Relay <tls@bakery\.example>\r\n[\s\S]*TLS-Report-Domain: a\.example\r/,
  )
  assert.deepEqual(
    (await sent()).map(({ place, state, said }) => [place, state, said]),
    [
      ['', 'asked', ''],
      ['mailto:t@a.example', 'sent', 'queued as the-id'],
    ],
  )
  const metric = clerk.metrics()['vorposten_tls_reports_total']
  assert.deepEqual(metric?.samples, { 'vorposten_tls_reports_total{way="mail",result="sent"}': 1 })
  await clock.pass(LOOK_MS * 3)
  assert.equal(questions.length, 1)
  await clerk.close()
  assert.equal(clock.timers, 1)
})

test('a worker that refuses is a failure, one that is silent may have it', async () => {
  for (const [said, state] of [
    [{ kind: 'failed', text: 'no DKIM key' }, 'waiting'],
    [undefined, 'waiting'],
    [{ kind: 'failed', text: 'no answer', unclear: true }, 'unclear'],
  ] as const) {
    const { answer, sent, clerk, start } = await ready()
    answer.now = said
    start()
    await clerk.look()
    const [, mark] = await sent()
    assert.deepEqual([mark?.state, mark?.said], [state, said?.text ?? 'no worker takes it'])
  }
})

test('an operator has a report sent once more, of days that are over', async () => {
  const { questions, start, send, clerk } = await ready()
  start()
  await clerk.look()
  assert.equal(questions.length, 1)
  const rows = (await send()) as ReportMark[]
  assert.deepEqual([questions.length, rows.map(({ state }) => state)], [2, ['asked', 'sent']])
  await clerk.answer('add', [{ ...seen('a.example'), count: 3 }])
  await assert.rejects(() => send('today'), /not over/)
  await assert.rejects(() => send('yesterday', 'b.example'), /no session with a server of b\.example/)
  await assert.rejects(() => send('2026-11-31'), /day/)
  assert.equal(questions.length, 2)
})

test('HTTPS does not go where strangers must not lead us; a report without a way out waits', async () => {
  const inside = await ready(CONFIG, 'https://127.0.0.1/v1')
  inside.start()
  await inside.clerk.look()
  assert.match((await inside.sent())[1]!.said, /loopback/)
  const { outbound: _, ...silent } = CONFIG.tenants[0]!
  const lost = await ready({ ...CONFIG, tenants: [silent] })
  lost.start()
  await lost.clerk.look()
  const [, mark] = await lost.sent()
  assert.deepEqual([mark?.state, mark?.said], ['waiting', 'reports by mail have no way: set tls-reports.route'])
  await lost.clerk.reload(configOf(', route: bakery/other'))
  await lost.send()
  assert.equal(lost.questions[0]?.route, 'bakery/other')
})
