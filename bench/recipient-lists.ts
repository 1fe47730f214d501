/**
 * What a large list of recipients costs: the time to import and to replace it, the longest time for which the supervisor
 * is held up, one look-up, and the memory of a reader. `node bench/recipient-lists.ts [entries] [folder]`. Times without
 * the control socket, through which a million addresses take some seconds more.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as pause } from 'node:timers/promises'
import { ListFile } from '../src/recipients/list-file.ts'
import { openStore, readStore } from '../src/store/database.ts'
import { ListReader, RECIPIENT_LISTS, RecipientLists } from '../src/store/recipient-lists.ts'

const entries = Number(process.argv[2] ?? 1_000_000)
const folder = await mkdtemp(join(process.argv[3] ?? tmpdir(), 'lists-'))
const path = join(folder, 'store.db')
const DOMAIN = 'bakery.example'
/** As the control socket hands it on. */
const PIECE_OCTETS = 45 * 1024
const LOOK_UPS = 200_000

const mib = (octets: number): string => `${Math.round(octets / 2 ** 20)} MiB`
const say = (what: string, value: string): void => void process.stdout.write(`${what.padEnd(44)} ${value}\n`)
const nameOf = (i: number): string => `${((i * 2654435761) % 2 ** 32).toString(36)}.employee${i}`

const store = openStore(path, [RECIPIENT_LISTS])
const lists = new RecipientLists(store)
const text = Buffer.from(Array.from({ length: entries }, (_, i) => `${nameOf(i)}@${DOMAIN}\n`).join(''))
say(`${entries} addresses`, mib(text.length))

async function replace(): Promise<void> {
  const startMs = performance.now()
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const staged = lists.stage(DOMAIN)
  const file = new ListFile({ domain: DOMAIN })
  for (let at = 0; at < text.length; at += PIECE_OCTETS) {
    const found = file.push(text.subarray(at, at + PIECE_OCTETS))
    await staged.add(found)
    await pause()
  }
  await staged.add(file.end())
  const stagedMs = performance.now()
  const { added, removed } = await staged.difference()
  const comparedMs = performance.now()
  await staged.commit({ tenant: 'bakery', source: 'imported' }, Date.now())
  const committedMs = performance.now()
  await lists.sweep()
  const ms = (from: number, to: number): string => `${Math.round(to - from)} ms`
  say('read and staged', `${ms(startMs, stagedMs)}`)
  say(`compared (${added} added, ${removed} removed)`, ms(stagedMs, comparedMs))
  say('switched', `${(committedMs - comparedMs).toFixed(1)} ms`)
  say('the old one swept', ms(committedMs, performance.now()))
  delay.disable()
  say('others waited', `99 % ${(delay.percentile(99) / 1e6).toFixed(0)} ms, at most ${(delay.max / 1e6).toFixed(0)} ms`)
}

await replace()
await replace()
say('size of the store', mib((await stat(path)).size))

const before = process.memoryUsage().rss
const reader = new ListReader(readStore(path))
let hits = 0
const timesUs: number[] = []
for (let i = 0; i < LOOK_UPS; i++) {
  const key = `${nameOf((i * 7919) % (entries * 2))}@${DOMAIN}`
  const startMs = performance.now()
  if (reader.has(DOMAIN, key)?.listed) hits++
  timesUs.push((performance.now() - startMs) * 1000)
}
timesUs.sort((a, b) => a - b)
const at = (part: number): string => `${timesUs[Math.floor(timesUs.length * part)]?.toFixed(1)} µs`
say(`look-up (${hits} of ${LOOK_UPS} listed)`, `median ${at(0.5)}, 99 % ${at(0.99)}, 99.9 % ${at(0.999)}`)
say('memory that a reader takes', mib(Math.max(0, process.memoryUsage().rss - before)))
say('memory of this process', mib(process.memoryUsage().rss))
store.close()
await rm(folder, { recursive: true })
