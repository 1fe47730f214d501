/**
 * The spam filter beside others on identical splits (docs/adr/0023):
 *
 *   npm run bench:spam -- --data FOLDER [--protocols halves,in-time]
 *
 * FOLDER holds `spam-spamassassin` and `mail-2025-labelled`, labelled mail as bench/spam/README.md says.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Cell, markdown } from '../table.ts'
import { mailOf2025, spamAssassin } from './corpora.ts'
import { Bogofilter, type Filter, OurClassifier } from './filters.ts'
import { type Caught, caughtAbove, caughtAtRate, oneMinusAuc } from './measures.ts'
import { type Corpora, judged, PROTOCOLS, type Protocol } from './protocols.ts'

const RATES = [0.001, 0.005, 0.03]

const percent = (part: number, all: number): string => `${((100 * part) / all).toFixed(1)}%`
const caughtText = ({ spam, ofSpam, ham }: Caught): string => `${percent(spam, ofSpam)} (${ham} ham)`

function row(filter: Filter, protocol: Protocol, corpora: Corpora): Cell[] {
  const { scored, cpuMs } = judged(filter, protocol, corpora)
  const own = caughtAbove(scored, filter.threshold)
  return [
    filter.name,
    oneMinusAuc(scored).toFixed(5),
    ...RATES.map((rate) => caughtText(caughtAtRate(scored, rate))),
    `${percent(own.spam, own.ofSpam)} / ${percent(own.ham, own.ofHam)}`,
    cpuMs / scored.length,
  ]
}

function main(): void {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      protocols: { type: 'string', default: PROTOCOLS.map(({ name }) => name).join() },
    },
  })
  if (values.data === undefined) throw new Error('say where the labelled mail is: --data FOLDER')
  const corpora = {
    spamAssassin: spamAssassin(join(values.data, 'spam-spamassassin')),
    mailOf2025: mailOf2025(join(values.data, 'mail-2025-labelled')),
  }
  const filters: Filter[] = [new OurClassifier(), ...(Bogofilter.isThere() ? [new Bogofilter()] : [])]
  const wanted = values.protocols.split(',')
  try {
    for (const protocol of PROTOCOLS.filter(({ name }) => wanted.includes(name))) {
      const columns = [
        '',
        '1 - AUC',
        ...RATES.map((rate) => `at ${rate * 100}% of ham`),
        'own threshold: spam / ham',
        'CPU ms',
      ]
      const rows = filters.map((filter) => row(filter, protocol, corpora))
      process.stdout.write(`${markdown({ title: `${protocol.name}: ${protocol.question}`, columns, rows })}\n`)
    }
  } finally {
    for (const filter of filters) filter.close()
  }
}

if (import.meta.main) main()
