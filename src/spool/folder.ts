/**
 * Reads a spool folder without owning it and without writing: for tools, while the relay is down. If the relay runs,
 * the answer is what was on disk at some moment, and may miss what moved meanwhile.
 */
import { content } from '#mail/content.ts'
import type { QueueEntry } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'
import { systemClock } from '#sys/clock.ts'
import type { Disk } from '#sys/disk.ts'
import type { ReadResult, Replayed, SpoolAlarm } from './contract.ts'
import { Ledger } from './ledger.ts'
import { lockHolder } from './lock.ts'
import { Reader } from './reader.ts'
import { Replay } from './replay.ts'
import { stored } from './stored.ts'

export interface SpoolFolder {
  /** The process that says it owns the folder, dead or alive: the first line of its lock. */
  readonly holder: string | undefined
  /** Live messages. */
  readonly entries: Iterable<QueueEntry>
  readonly counts: Replayed
  /** What is wrong with the files; nothing was set aside. */
  readonly findings: readonly SpoolAlarm[]
  get(id: TraceId): QueueEntry | undefined
  read(id: TraceId): Promise<ReadResult>
  close(): Promise<void>
}

/** Rejects if the folder cannot be listed. Takes as long, and as much memory, as a replay. */
export async function readSpoolFolder(folder: string, disk: Disk): Promise<SpoolFolder> {
  const holder = await lockHolder(folder, disk)
  const findings: SpoolAlarm[] = []
  const ledger = new Ledger(folder)
  const replay = new Replay(ledger, disk, systemClock, {
    readOnly: true,
    alarm: (finding) => findings.push(finding),
    found: () => undefined,
    setAside: () => Promise.resolve(undefined),
    endFound: () => undefined,
  })
  const counts = await replay.run(ledger.adopt(await disk.list(folder)))
  const reader = new Reader(disk)
  return {
    holder,
    entries: ledger.index,
    counts,
    findings,
    get: (id) => ledger.get(id),
    async read(id) {
      const entry = ledger.get(id)
      if (entry === undefined) return { kind: 'gone' }
      try {
        const record = await reader.read(entry)
        if (record === undefined) return { kind: 'corrupt' }
        return { kind: 'stored', message: stored(entry, record.message, content([record.content])) }
      } catch (error) {
        return { kind: 'unreadable', error }
      }
    },
    close: () => reader.closeAll(),
  }
}
