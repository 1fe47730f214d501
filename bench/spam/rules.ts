/**
 * What the rules of the spam filter do on the labelled mail, without learning and without network, for whoever works on them:
 *
 *   node bench/spam/rules.ts --data FOLDER [--corpora 2025,sa] [--symbols] [--table] [--missed 20] [--flagged 20] [--of SYMBOL]
 *
 * FOLDER as in bench/spam/run.ts. For each corpus: what is caught and flagged at 3 and 5 points and the milliseconds of CPU for
 * a message; `--table`: the hits of each symbol in all corpora, as docs/spam-weights.md shows them; `--symbols`: how many spam and ham each symbol hits; `--missed`, `--flagged`: that many messages that stand on
 * the wrong side of 3 points, with what spoke; `--of`: the messages that a symbol hits.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { combine } from '#scan/spam/combine.ts'
import { lookAt } from '#scan/spam/look.ts'
import { SYMBOLS } from '#scan/spam/symbols.ts'
import { type Labelled, mailOf2025, spamAssassin } from './corpora.ts'

/** Points: what is tagged, and what is quarantined or refused. */
const THRESHOLDS = [3, 5]

interface Seen {
  readonly one: Labelled
  readonly score: number
  readonly subject: string
  readonly signs: ReadonlyMap<string, { weight: number; detail?: string }>
}

function seen(one: Labelled): Seen {
  const { message, signs } = lookAt(one.octets, {})
  const { score } = combine({ signs, silent: [], durationMs: 0 })
  return { one, score, subject: message.subject, signs: new Map(signs.map((sign) => [sign.symbol, sign])) }
}

const percent = (part: number, all: number): string => `${part}/${all} ${((100 * part) / all).toFixed(1)}%`
const write = (line: string): void => void process.stdout.write(`${line}\n`)

function summary(name: string, all: readonly Seen[], cpuMs: number): void {
  const spam = all.filter(({ one }) => one.isSpam)
  const ham = all.filter(({ one }) => !one.isSpam)
  write(`${name}: ${spam.length} spam, ${ham.length} ham, ${(cpuMs / all.length).toFixed(2)} ms CPU a message`)
  for (const threshold of THRESHOLDS) {
    const above = (those: readonly Seen[]): number => those.filter(({ score }) => score >= threshold).length
    write(`  >= ${threshold}: caught ${percent(above(spam), spam.length)}, ham ${percent(above(ham), ham.length)}`)
  }
}

function symbols(all: readonly Seen[]): void {
  const hits = new Map<string, { spam: number; ham: number; weight: number }>()
  for (const { one, signs } of all)
    for (const [symbol, { weight }] of signs) {
      const hit = hits.get(symbol) ?? { spam: 0, ham: 0, weight }
      hits.set(symbol, { ...hit, spam: hit.spam + Number(one.isSpam), ham: hit.ham + Number(!one.isSpam) })
    }
  const odds = ({ spam, ham }: { spam: number; ham: number }): number => {
    const [spams, hams] = [all.filter(({ one }) => one.isSpam).length, all.filter(({ one }) => !one.isSpam).length]
    return Math.log((spam + 0.5) / (spams + 1) / ((ham + 0.5) / (hams + 1)))
  }
  for (const [symbol, hit] of [...hits].sort(([a], [b]) => (a < b ? -1 : 1)))
    write(
      `  ${symbol.padEnd(34)} spam ${String(hit.spam).padStart(5)}  ham ${String(hit.ham).padStart(5)}  weight ${hit.weight.toFixed(1).padStart(5)}  log odds ${odds(hit).toFixed(1).padStart(5)}`,
    )
}

/** Hits of each symbol, spam and ham, by corpus. */
function table(corpora: ReadonlyMap<string, readonly Seen[]>): void {
  const names = [...corpora.keys()]
  write(`| symbol | weight | ${names.map((name) => `${name}: spam | ham`).join(' | ')} |`)
  write(`|---|---|${names.map(() => '---|---|').join('')}`)
  for (const [symbol, { weight }] of Object.entries(SYMBOLS).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const counts = [...corpora.values()].map((all) => {
      const hits = all.filter(({ signs }) => signs.has(symbol))
      const spam = hits.filter(({ one }) => one.isSpam).length
      return [spam, hits.length - spam] as const
    })
    if (counts.some(([spam, ham]) => spam + ham > 0))
      write(`| \`${symbol}\` | ${weight} | ${counts.map(([spam, ham]) => `${spam} | ${ham}`).join(' | ')} |`)
  }
}

function list(all: readonly Seen[]): void {
  for (const { one, score, subject, signs } of all) {
    write(`  ${one.id} ${one.group} ${score.toFixed(1)} ${subject.slice(0, 80).replace(/\s+/g, ' ')}`)
    for (const [symbol, { weight, detail }] of signs) write(`      ${weight.toFixed(1)} ${symbol} ${detail ?? ''}`)
  }
}

function main(): void {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      corpora: { type: 'string', default: '2025,sa' },
      symbols: { type: 'boolean', default: false },
      table: { type: 'boolean', default: false },
      missed: { type: 'string', default: '0' },
      flagged: { type: 'string', default: '0' },
      of: { type: 'string' },
    },
  })
  const { data, of } = values
  if (data === undefined) throw new Error('say where the labelled mail is: --data FOLDER')
  const corpora: Readonly<Record<string, () => Labelled[]>> = {
    2025: () => mailOf2025(join(data, 'mail-2025-labelled')),
    sa: () => spamAssassin(join(data, 'spam-spamassassin')),
  }
  const seenBy = new Map<string, readonly Seen[]>()
  for (const name of values.corpora.split(',')) {
    const mail = corpora[name]?.() ?? []
    const before = process.cpuUsage()
    const all = mail.map(seen).sort((a, b) => b.score - a.score)
    const { user, system } = process.cpuUsage(before)
    seenBy.set(name, all)
    summary(name, all, (user + system) / 1000)
    if (values.symbols) symbols(all)
    const wrong = all.filter(({ one, score }) => one.isSpam !== score >= THRESHOLDS[0]!)
    list(wrong.filter(({ one }) => one.isSpam).slice(0, Number(values.missed)))
    list(wrong.filter(({ one }) => !one.isSpam).slice(0, Number(values.flagged)))
    if (of !== undefined) list(all.filter(({ signs }) => signs.has(of)))
  }
  if (values.table) table(seenBy)
}

if (import.meta.main) main()
