/**
 * What a look at the memory of the spam filter costs in a store with a million senders:
 *
 *     node bench/spam-memory.ts [senders]
 *
 * A look is that of a message with an authenticated author: three senders, each for the tenant and for all, and whom the tenant
 * wrote to. Half of the messages are of senders that are known. CPU of the process, the best of five runs.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MemoryFacts } from '#scan/spam/memory/facts.ts'
import { forgottenMs } from '#scan/spam/memory/reputation.ts'
import { SpamMemory } from '#scan/spam/memory/spam-memory.ts'
import { beforehand, inTransaction, openStore, readStore } from '#store/database.ts'
import { openNames, REMEMBERED_NAMES, readNames } from '#store/remembered-names.ts'
import { CorrespondentReader, SPAM_CORRESPONDENTS } from '#store/spam-correspondents.ts'
import { EVERYBODY, SPAM_SENDERS, SpamSenderReader, SpamSenderStore } from '#store/spam-senders.ts'

const BATCH = 10_000
const LOOKS = 20_000
const RUNS = 5
const NOW_MS = 1_800_000_000_000

const folder = mkdtempSync(join(tmpdir(), 'spam-memory-'))
const path = join(folder, 'store.db')
const senders = Number(process.argv[2] ?? 1_000_000)

function fill(): void {
  const database = openStore(path, [REMEMBERED_NAMES, SPAM_SENDERS, SPAM_CORRESPONDENTS])
  const names = openNames(database)
  const store = new SpamSenderStore(database)
  const sure = { sureGood: 0, sureBad: 0, sharedGood: 0, sharedBad: 0 }
  for (let start = 0; start < senders; start += BATCH) {
    const write = (work: () => void) => beforehand(database, () => inTransaction(database, work))
    write(() => {
      for (let i = start; i < Math.min(start + BATCH, senders); i++) {
        const counts = { good: i % 50, bad: 1, ...sure, sinceMs: NOW_MS, atMs: NOW_MS }
        store.put(EVERYBODY, names.digest(EVERYBODY, 'domain', `shop${i}.example`), counts, forgottenMs(counts))
      }
    })
  }
  database.close()
}

function looks(memory: SpamMemory): number {
  const before = process.cpuUsage()
  for (let i = 0; i < LOOKS; i++) {
    const domain = `shop${Math.floor(Math.random() * senders * 2)}.example`
    const facts: MemoryFacts = {
      tenant: 'bakery',
      about: { session: { client: `192.0.${i % 256}.7`, tls: true }, authenticated: { dkim: [domain], dmarc: 'pass' } },
      trail: {
        author: `anna@${domain}`,
        answers: ['one@bakery.example'],
        fingerprint: [i, Math.imul(i, 0x9e3779b1) >>> 0],
      },
    }
    memory.signs(facts)
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / LOOKS
}

try {
  fill()
  const store = readStore(path)
  const nothing = () => {}
  const memory = new SpamMemory({
    senders: new SpamSenderReader(store),
    correspondents: new CorrespondentReader(store),
    names: readNames(store),
    wallMs: () => NOW_MS,
    tell: { evidence: nothing, seen: nothing, judged: nothing },
  })
  const best = Math.min(...Array.from({ length: RUNS }, () => looks(memory)))
  console.log(
    `${senders} senders, ${(statSync(path).size / 2 ** 20).toFixed(0)} MiB: ${best.toFixed(0)} µs of CPU for a message`,
  )
} finally {
  rmSync(folder, { recursive: true })
}
