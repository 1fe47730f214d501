/**
 * How long a look-up of a recipient takes in a store with a million of them, and what it costs in memory and on disk:
 *
 *     node bench/recipient-facts.ts [facts]
 *
 * Half of the look-ups are of known recipients, chosen at random; half of strangers. The reader is what a worker has. The
 * last figure is with the store's writer at work in another process, as the supervisor is.
 */
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore, readStore } from '#store/database.ts'
import { RECIPIENT_FACTS, RecipientFacts, RecipientFactsWriter } from '#store/recipient-facts.ts'

const DOMAINS = 1_000
const BATCH = 10_000
const LOOK_UPS = 200_000

const keyOf = (i: number): string => `firstname.lastname${i}@domain${i % DOMAINS}.example`
const fact = (atMs: number) => ({
  state: 'known' as const,
  atMs,
  negativeMs: 900_000,
  source: 'delivery' as const,
  route: 'tenant/main',
})

function fill(path: string, facts: number): void {
  const store = openStore(path, [RECIPIENT_FACTS])
  const writer = new RecipientFactsWriter(store)
  for (let start = 0; start < facts; start += BATCH) {
    writer.together(() => {
      for (let i = start; i < Math.min(start + BATCH, facts); i++) writer.put(keyOf(i), fact(1_800_000_000_000 + i))
    })
  }
  store.close()
}

/** Sorted, in microseconds. */
function lookUps(reader: RecipientFacts, facts: number): Float64Array {
  const times = new Float64Array(LOOK_UPS)
  const before = process.cpuUsage()
  for (let i = 0; i < LOOK_UPS; i++) {
    const key = keyOf(Math.floor(Math.random() * facts) + (i % 2) * facts)
    const startMs = performance.now()
    const found = reader.get(key)
    times[i] = (performance.now() - startMs) * 1000
    if ((found !== undefined) !== (i % 2 === 0)) throw new Error(`${key}: wrong answer`)
  }
  const { user, system } = process.cpuUsage(before)
  console.log(`CPU of one look-up: ${((user + system) / LOOK_UPS).toFixed(1)} µs`)
  return times.sort()
}

const at = (sorted: Float64Array, share: number): string => sorted[Math.floor(sorted.length * share)]!.toFixed(1)
const line = (name: string, sorted: Float64Array): void => {
  const mean = sorted.reduce((sum, each) => sum + each, 0) / sorted.length
  console.log(
    `${name}: mean ${mean.toFixed(1)} µs, p50 ${at(sorted, 0.5)}, p99 ${at(sorted, 0.99)}, p99.9 ${at(sorted, 0.999)}`,
  )
}
const megabytes = (octets: number): string => `${(octets / 1e6).toFixed(0)} MB`

/** The child: writes as the supervisor would at 500 lessons a second. */
function write(path: string): void {
  const writer = new RecipientFactsWriter(openStore(path, [RECIPIENT_FACTS]))
  let next = 0
  setInterval(() => {
    writer.together(() => {
      for (let i = 0; i < 50; i++) writer.put(`new${next++}@domain${next % DOMAINS}.example`, fact(1_900_000_000_000))
    })
  }, 100)
  process.send?.('ready')
}

async function measure(facts: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'recipient-facts-'))
  try {
    const path = join(folder, 'store.db')
    fill(path, facts)
    global.gc?.()
    const beforeOctets = process.memoryUsage.rss()
    const store = readStore(path)
    const reader = new RecipientFacts(store)
    line(`${facts} facts`, lookUps(reader, facts))
    console.log(`memory of the reader: ${megabytes(Math.max(0, process.memoryUsage.rss() - beforeOctets))} more`)
    console.log(
      `file: ${megabytes(statSync(path).size)} (its pages are shared by all workers in the cache of the kernel)`,
    )
    const child = fork(import.meta.filename, ['write', path])
    await new Promise((resolve) => child.once('message', resolve))
    line('while another process writes 500/s', lookUps(reader, facts))
    const startMs = performance.now()
    reader.counts()
    console.log(`count of all: ${(performance.now() - startMs).toFixed(0)} ms`)
    child.kill()
    store.close()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const [first, second] = process.argv.slice(2)
if (first === 'write') write(second!)
else await measure(Number(first ?? 1_000_000))
