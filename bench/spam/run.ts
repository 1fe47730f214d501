/**
 * The spam filter beside others on identical splits (docs/adr/0023):
 *
 *   npm run bench:spam -- --data FOLDER [--protocols halves,in-time] [--filters vorposten,rspamd] [--runs 3] [--roc FOLDER]
 *
 * FOLDER holds `spam-spamassassin` and `mail-2025-labelled`, labelled mail as bench/spam/README.md says. `--filters`: those
 * whose name begins so. `--roc`: the curves, one file of tabs for each protocol. A filter that is not installed is left out, and
 * named.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Cell, markdown } from '../table.ts'
import { mailOf2025, spamAssassin } from './corpora.ts'
import { Bogofilter, type Filter, OurClassifier, OurFilter } from './filters.ts'
import { type Caught, caughtAbove, caughtAtRate, curve, oneMinusAuc } from './measures.ts'
import { type Corpora, type Judged, judged, PROTOCOLS } from './protocols.ts'
import { Rspamd } from './servers/rspamd.ts'
import { SpamAssassin } from './servers/spamassassin.ts'

const RATES = [0.001, 0.005, 0.03]
const COLUMNS = [
  '',
  '1 - AUC',
  ...RATES.map((rate) => `at ${rate * 100}% of ham`),
  'own threshold: spam / ham',
  'CPU ms',
]

/** By name; undefined: not installed. */
const FILTERS: readonly (readonly [name: string, make: (() => Filter) | undefined])[] = [
  ['vorposten', () => new OurFilter()],
  ['vorposten, classifier alone', () => new OurClassifier()],
  ['bogofilter', Bogofilter.isThere() ? () => new Bogofilter() : undefined],
  ['SpamAssassin', SpamAssassin.isThere() ? () => new SpamAssassin() : undefined],
  ['SpamAssassin with Bayes', SpamAssassin.isThere() ? () => new SpamAssassin({ bayes: true }) : undefined],
  ['Rspamd', Rspamd.isThere() ? () => new Rspamd() : undefined],
  ['Rspamd with Bayes', Rspamd.isThere() && Rspamd.hasRedis() ? () => new Rspamd({ bayes: true }) : undefined],
]

const percent = (part: number, all: number): string => `${((100 * part) / all).toFixed(1)}%`
const caughtText = ({ spam, ofSpam, ham }: Caught): string => `${percent(spam, ofSpam)} (${ham} ham)`

function row({ name, threshold }: Filter, { scored, cpuMs }: Judged): Cell[] {
  const own = caughtAbove(scored, threshold)
  return [
    name,
    oneMinusAuc(scored).toFixed(5),
    ...RATES.map((rate) => caughtText(caughtAtRate(scored, rate))),
    `${percent(own.spam, own.ofSpam)} / ${percent(own.ham, own.ofHam)}`,
    cpuMs / scored.length,
  ]
}

const curveLines = (filter: string, { scored }: Judged): string[] =>
  curve(scored).map(({ threshold, spam, ofSpam, ham, ofHam }) =>
    [filter, threshold, (ham / ofHam).toFixed(5), (spam / ofSpam).toFixed(5)].join('\t'),
  )

function corporaIn(folder: string | undefined): Corpora {
  if (folder === undefined) throw new Error('say where the labelled mail is: --data FOLDER')
  return {
    spamAssassin: spamAssassin(join(folder, 'spam-spamassassin')),
    mailOf2025: mailOf2025(join(folder, 'mail-2025-labelled')),
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      protocols: { type: 'string', default: PROTOCOLS.map(({ name }) => name).join() },
      filters: { type: 'string', default: '' },
      runs: { type: 'string', default: '3' },
      roc: { type: 'string' },
    },
  })
  const corpora = corporaIn(values.data)
  const wanted = values.filters.toLowerCase().split(',')
  const chosen = FILTERS.filter(([name]) => wanted.some((begin) => name.toLowerCase().startsWith(begin)))
  for (const [name, make] of chosen) if (make === undefined) process.stderr.write(`${name}: not installed\n`)
  if (values.roc !== undefined) mkdirSync(values.roc, { recursive: true })
  for (const protocol of PROTOCOLS.filter(({ name }) => values.protocols.split(',').includes(name))) {
    const rows: Cell[][] = []
    const lines = ['filter\tthreshold\tham flagged\tspam caught']
    for (const [name, make] of chosen) {
      const filter = make?.()
      if (filter === undefined) continue
      try {
        const result = await judged(filter, protocol, corpora, Number(values.runs))
        rows.push(row(filter, result))
        process.stderr.write(`${protocol.name}: ${name} is done\n`)
        lines.push(...curveLines(name, result))
      } finally {
        await filter.close()
      }
    }
    process.stdout.write(`${markdown({ title: `${protocol.name}: ${protocol.question}`, columns: COLUMNS, rows })}\n`)
    if (values.roc !== undefined) writeFileSync(join(values.roc, `${protocol.name}.tsv`), `${lines.join('\n')}\n`)
  }
}

if (import.meta.main) await main()
