/**
 * Where trace records are kept: one file per worker and hour in `<data>/trace/`, so that an id, which carries its time,
 * leads straight to its file. Old files are removed by age and by total size. Nothing is synced: a trace is an account of
 * what happened, not a promise.
 */
import { createReadStream } from 'node:fs'
import { mkdir, readdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TraceId } from '#mail/trace-id.ts'
import { LogWriter } from '#sys/log-writer.ts'
import type { TraceRecord } from './trace-record.ts'

const HOUR_MS = 3_600_000
/** How long "where is my mail?" can be answered from here. */
export const TRACE_KEEP_MS = 7 * 24 * HOUR_MS
/** All trace files of one relay together. */
export const TRACE_OCTETS_MAX = 2 * 1024 ** 3
const GATHER_OCTETS = 8 * 1024

const hourName = (ms: number): string => new Date(ms).toISOString().slice(0, 13)
const FILE = /^(\d{4}-\d\d-\d\dT\d\d)\.(\d+)\.jsonl$/

export class TraceFiles {
  readonly #folder: string
  readonly #worker: number
  #out: LogWriter | undefined
  #hour = -1
  #lostBefore = 0

  constructor(folder: string, worker: number) {
    this.#folder = folder
    this.#worker = worker
  }

  /** Records that could not be written. Without a trace the mail goes on. */
  get lost(): number {
    return this.#lostBefore + (this.#out?.lost ?? 0)
  }

  write(line: string, wallMs: number): void {
    const hour = Math.floor(wallMs / HOUR_MS)
    if (hour !== this.#hour) this.#open(hour)
    this.#out?.write(line)
  }

  #open(hour: number): void {
    this.end()
    this.#hour = hour
    const to = join(this.#folder, `${hourName(hour * HOUR_MS)}.${this.#worker}.jsonl`)
    this.#out = new LogWriter({ to, gatherOctets: GATHER_OCTETS })
  }

  flush(): void {
    this.#out?.flush()
  }

  end(): void {
    this.#out?.end()
    this.#lostBefore = this.lost
    this.#out = undefined
    this.#hour = -1
  }
}

/** Removes files that are too old, and the oldest of those that together are too large. */
export async function pruneTrace(folder: string, wallMs: number): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const names = (await readdir(folder))
    .filter((name) => FILE.test(name))
    .sort()
    .reverse()
  const oldest = hourName(wallMs - TRACE_KEEP_MS)
  let octets = 0
  for (const name of names) {
    octets += (await stat(join(folder, name))).size
    if (name.slice(0, 13) < oldest || octets > TRACE_OCTETS_MAX) await unlink(join(folder, name))
  }
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** The time an id was made, ms since 1970. */
export const traceIdMs = (id: TraceId): number =>
  [...id.slice(0, 9)].reduce((ms, digit) => ms * 32 + CROCKFORD.indexOf(digit), 0)

/**
 * Every record of one id, in order of time; and of the messages into which the transaction was split, or as which it left the
 * quarantine, each with the record that names it. Reads the files from the id's hour on, once each, or twice where there are such messages.
 */
export async function readTrace(folder: string, id: TraceId): Promise<TraceRecord[]> {
  const found = await recordsOf(folder, id, [id])
  const parts = found.flatMap((record) =>
    record['part'] !== undefined && record.id === id ? [String(record['part'])] : [],
  )
  return parts.length === 0 ? found : recordsOf(folder, id, [id, ...parts])
}

async function recordsOf(folder: string, id: TraceId, ids: readonly string[]): Promise<TraceRecord[]> {
  const wanted = new Set(ids)
  const from = hourName(traceIdMs(id))
  const names = (await readdir(folder)).filter((name) => FILE.test(name) && name.slice(0, 13) >= from).sort()
  const found: TraceRecord[] = []
  for (const name of names) {
    for await (const line of createInterface({ input: createReadStream(join(folder, name)) })) {
      if (!ids.some((one) => line.includes(one))) continue
      const record = parseRecord(line)
      if (record === undefined) continue
      const own = [record.id, record['session'], record['part']]
      if (own.some((one) => wanted.has(String(one)))) found.push(record)
    }
  }
  return found.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
}

// A line cut by a crash is no record.
function parseRecord(line: string): TraceRecord | undefined {
  try {
    return JSON.parse(line) as TraceRecord
  } catch {
    return undefined
  }
}
