/**
 * Messages in a second on two cores, ours beside SpamAssassin and Rspamd, on the same messages of about 4 KB:
 *
 *   npm run bench:spam:throughput -- --data FOLDER [--seconds 20]
 *
 * Each has two processes (ours two threads) and as many messages at once as keep them busy; each is measured for as long, one
 * after the other, after a warm-up. Ours is all that looks at the message itself, in the threads in which it works; reading
 * DNS and remembering are left out for all three. Ours has its starter, SpamAssassin and Rspamd run without Bayes.
 *
 * On a busy machine messages in a second say little; CPU for a message, in the next column, says more.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { type Cell, markdown } from '../table.ts'
import { type Labelled, mailOf2025, spamAssassin } from './corpora.ts'
import { Rspamd } from './servers/rspamd.ts'
import { SpamAssassin } from './servers/spamassassin.ts'

const CORES = 2
const OCTETS = [2_500, 6_000] as const
const MESSAGES_MAX = 500
const WARM_UP_MS = 3_000

interface Contender {
  readonly name: string
  /** Messages under way. */
  readonly atOnce: number
  start(): Promise<void>
  one(octets: Buffer): Promise<unknown>
  cpuMs(): number
  close(): Promise<void>
}

const ownCpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** As in the product, the octets are handed to a thread, and the answer comes back. */
class Ours implements Contender {
  readonly name = 'vorposten'
  readonly atOnce = 4 * CORES
  readonly #idle: Worker[] = []
  readonly #waiting: ((thread: Worker) => void)[] = []
  readonly #threads: Worker[] = []

  async start(): Promise<void> {
    for (let i = 0; i < CORES; i++) {
      const thread = new Worker(new URL('./throughput-thread.ts', import.meta.url))
      this.#threads.push(thread)
      this.#idle.push(thread)
    }
  }

  async one(octets: Buffer): Promise<void> {
    const thread = this.#idle.pop() ?? (await new Promise<Worker>((resolve) => void this.#waiting.push(resolve)))
    const copy = new Uint8Array(octets)
    await new Promise((resolve) => {
      thread.once('message', resolve)
      thread.postMessage(copy, [copy.buffer])
    })
    const next = this.#waiting.shift()
    if (next === undefined) this.#idle.push(thread)
    else next(thread)
  }

  cpuMs = ownCpuMs

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()))
  }
}

function server(filter: SpamAssassin | Rspamd, atOnce: number): Contender {
  return {
    name: filter.name,
    atOnce,
    async start() {
      await filter.reset()
      await filter.train([])
    },
    one: (octets) => filter.score(octets),
    cpuMs: () => filter.cpuMs(),
    close: () => filter.close(),
  }
}

async function measured(contender: Contender, mail: readonly Buffer[], seconds: number): Promise<Cell[]> {
  await contender.start()
  try {
    await during(contender, mail, WARM_UP_MS)
    const [cpuBefore, before] = [contender.cpuMs(), performance.now()]
    const messages = await during(contender, mail, seconds * 1000)
    const [cpuMs, ms] = [contender.cpuMs() - cpuBefore, performance.now() - before]
    return [contender.name, (1000 * messages) / ms, cpuMs / messages, (1000 * CORES * messages) / cpuMs]
  } finally {
    await contender.close()
  }
}

async function during(contender: Contender, mail: readonly Buffer[], ms: number): Promise<number> {
  const end = performance.now() + ms
  let begun = 0
  const ask = async () => {
    while (performance.now() < end) await contender.one(mail[begun++ % mail.length]!)
  }
  await Promise.all(Array.from({ length: contender.atOnce }, ask))
  return begun
}

/** About 4 KB, old and new, spam and ham as they come. */
const isSuitable = ({ octets: { length } }: Labelled): boolean => length >= OCTETS[0] && length <= OCTETS[1]

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { data: { type: 'string' }, seconds: { type: 'string', default: '20' } } })
  if (values.data === undefined) throw new Error('say where the labelled mail is: --data FOLDER')
  const old = spamAssassin(join(values.data, 'spam-spamassassin'))
  const mail = [...mailOf2025(join(values.data, 'mail-2025-labelled')), ...old]
    .filter(isSuitable)
    .slice(0, MESSAGES_MAX)
    .map(({ octets }) => octets)
  const contenders = [
    new Ours(),
    ...(Rspamd.isThere() ? [server(new Rspamd({ workers: CORES }), 4 * CORES)] : []),
    ...(SpamAssassin.isThere() ? [server(new SpamAssassin({ children: CORES }), CORES)] : []),
  ]
  const rows: Cell[][] = []
  for (const contender of contenders) rows.push(await measured(contender, mail, Number(values.seconds)))
  const ours = Number(rows[0]![3])
  const octets = mail.reduce((sum, { length }) => sum + length, 0) / mail.length
  const columns = [
    '',
    'messages/s',
    'CPU ms a message',
    'messages/s of two whole cores',
    'ours is so many times as fast',
  ]
  const title = `${mail.length} messages of ${Math.round(octets)} octets`
  const table = rows.map((row) => [...row, ours / Number(row[3])])
  process.stdout.write(`${markdown({ title, columns, rows: table })}\n`)
}

if (import.meta.main) await main()
