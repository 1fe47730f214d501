/** docs/metrics.md and docs/trace.md name what the program has: no metric and no symbol is missing there, or left over. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const namesIn = (text: string, pattern: RegExp): string[] =>
  [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ''))].sort()

const METRICS = [
  'report/measure.ts',
  'report/report.ts',
  'cli/worker-watch.ts',
  'cli/assemble-spam-lists.ts',
  'cli/http.ts',
  'cli/clerks/recipients.ts',
  'cli/clerks/list-metrics.ts',
  'cli/clerks/outages.ts',
  'cli/clerks/notices.ts',
  'cli/clerks/dkim-rows.ts',
  'cli/clerks/domains.ts',
  'cli/clerks/guesses.ts',
  'cli/clerks/abuse.ts',
  'cli/clerks/sts.ts',
  'cli/clerks/tls-reports.ts',
  'cli/clerks/suppressions.ts',
  'cli/clerks/quarantine-counts.ts',
]

test('docs/metrics.md lists each metric, and no other', () => {
  const source = METRICS.map((file) => read(`src/${file}`)).join('\n')
  // As it is registered, or as a key of the supervisor's own snapshot.
  const registered = namesIn(source, /(?:^ +|')(vorposten_\w+)(?:'|: \{)/gm)
  assert.ok(registered.length > 20, `${registered.length} found`)
  assert.deepEqual(
    namesIn(read('docs/metrics.md'), /^\| `(vorposten_\w+)` \| (?:counter|gauge|histogram) /gm),
    registered,
  )
})

test('docs/trace.md lists each symbol of a refusal', () => {
  const symbols = namesIn(read('src/relay/refusals.ts'), /(?:^ +|, )'([a-z]+(?:-[a-z]+)*)',/gm)
  assert.ok(symbols.length > 10, `${symbols.length} found`)
  const documented = read('docs/trace.md')
  for (const symbol of symbols) assert.ok(documented.includes(`\`${symbol}\``), `${symbol} is not in docs/trace.md`)
})
