import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '#config/config.ts'
import { mailbox } from '#mail/testing.ts'
import type { CountedTlsResult, TlsSessionResult } from '#mail/tls-result.ts'
import { HandClock } from '#queue/testing.ts'
import { openStore } from '#store/database.ts'
import { TLS_RESULT_DAYS_MAX, TLS_RESULTS } from '#store/tls-results.ts'
import type { TxtAnswer } from '#sys/txt-lookup.ts'
import { TlsResultsBatch } from '../tls-results-batch.ts'
import { type TlsReportShown, TlsReportsClerk } from './tls-reports.ts'

const DAY_MS = 86_400_000
const CONFIG = { tlsReports: { organization: 'Relay', contact: mailbox('tls@relay.example') } } as Config
const seen = (domain: string, failed?: string): TlsSessionResult => ({
  domain,
  policy: { type: 'no-policy-found', domain, strings: [] },
  ...(failed && { failure: { type: 'starttls-not-supported', mxHost: failed } }),
})

const says: TxtAnswer[] = []

function bench(config = CONFIG, store = openStore(':memory:', [TLS_RESULTS])) {
  const clock = new HandClock()
  const asked: string[] = []
  const lookUp = async (name: string): Promise<TxtAnswer> => {
    asked.push(name)
    return says.shift() ?? { kind: 'none' }
  }
  let nowMs = Date.UTC(2026, 10, 24, 12)
  const clerk = new TlsReportsClerk({ store, wallMs: () => nowMs, clock, config, lookUp })
  const list = (yesterday = false) => clerk.command('list', { yesterday, rowsMax: 10 })
  return { clerk, clock, store, asked, list, later: (ms: number) => void (nowMs += ms) }
}

test('what workers saw of a day is added up by domain, and shown as its report', async () => {
  const { clerk, clock, list, asked } = bench()
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
  const show = () => clerk.command('show', { yesterday: false, domain: 'A.example' }) as Promise<TlsReportShown>
  says.push({ kind: 'found', records: ['v=TLSRPTv1; rua=mailto:t@a.example,https://r.example/'] })
  says.push({ kind: 'unknown', text: 'SERVFAIL' })
  assert.deepEqual((await show()).places, ['mailto:t@a.example', 'https://r.example/'])
  assert.deepEqual(asked, ['_smtp._tls.a.example'])
  assert.equal((await show()).places, 'nobody can say now: SERVFAIL')
  const { report, places } = await show()
  assert.equal(places, 'a.example asks for none (TXT at _smtp._tls.a.example)')
  assert.match(JSON.stringify(report), /"report-id":"2026-11-24\.a\.example@relay\.example".*"failed-session-count":2/)
  await assert.rejects(async () => clerk.command('show', { yesterday: false, domain: 'c.example' }), /c\.example/)
})

test('another day is another report; it survives a restart, and is forgotten', async () => {
  const { clerk, store, list, later } = bench()
  const batch: CountedTlsResult[] = [{ ...seen('a.example'), count: 3 }]
  await clerk.answer('add', batch)
  later(DAY_MS)
  assert.deepEqual([await list(), ((await list(true)) as unknown[]).length], [[], 1])
  const again = bench(CONFIG, store)
  assert.equal(((await again.list()) as unknown[]).length, 1)
  again.later(TLS_RESULT_DAYS_MAX * DAY_MS)
  again.clerk.started()
  await again.clerk.close()
  assert.equal(store.prepare('SELECT count(*) AS n FROM tls_results').get()?.['n'], 0)
})

test('without the setting nobody is shown anything', async () => {
  await assert.rejects(() => bench({} as Config).list(), /TLS is not counted/)
})
