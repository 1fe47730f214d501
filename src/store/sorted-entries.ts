/**
 * Sorts many entries of a list by key without holding up the process, and without filling its heap: they are sorted in
 * runs of some milliseconds as they come, a run waits as octets, and the runs are merged as they are taken. (As objects a
 * million of them grow old in the heap, and 600 MB of them before the collector looks.)
 *
 * Entries of one key come out in the order in which they came. Limit: `PART_OCTETS_MAX` for a key or a note (RangeError).
 */
import type { ListEntry } from './recipient-lists.ts'

/** Sorting and writing these takes some 15 ms. */
const RUN_MAX = 10_000
export const PART_OCTETS_MAX = 0xfffe
const NO_NOTE = 0xffff
/** Two lengths: of the key and of the note. */
const HEAD_OCTETS = 4

interface Run {
  readonly octets: Buffer
  /** Where the entry behind `first` begins. */
  at: number
  first: ListEntry
}

export class SortedEntries {
  #runs: Run[] = []
  #open: ListEntry[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  push(entry: ListEntry): void {
    this.#open.push(entry)
    this.#size++
    if (this.#open.length >= RUN_MAX) this.#close()
  }

  /** The first ones by key; each run that there is costs one comparison for each. */
  take(max: number): ListEntry[] {
    this.#close()
    const taken: ListEntry[] = []
    while (taken.length < max) {
      const run = this.#first()
      if (run === undefined) break
      taken.push(run.first)
      if (run.at === run.octets.length) this.#runs = this.#runs.filter((other) => other !== run)
      else this.#next(run)
    }
    this.#size -= taken.length
    return taken
  }

  #close(): void {
    if (this.#open.length === 0) return
    const entries = this.#open.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    this.#open = []
    const run: Run = { octets: written(entries), at: 0, first: entries[0]! }
    this.#next(run)
    this.#runs.push(run)
  }

  #first(): Run | undefined {
    let found: Run | undefined
    for (const run of this.#runs) if (found === undefined || run.first.key < found.first.key) found = run
    return found
  }

  #next(run: Run): void {
    const { octets, at } = run
    const keyEnd = at + HEAD_OCTETS + octets.readUInt16LE(at)
    const noteOctets = octets.readUInt16LE(at + 2)
    const key = octets.toString('utf8', at + HEAD_OCTETS, keyEnd)
    run.at = noteOctets === NO_NOTE ? keyEnd : keyEnd + noteOctets
    run.first = noteOctets === NO_NOTE ? { key } : { key, note: octets.toString('utf8', keyEnd, run.at) }
  }
}

function written(entries: readonly ListEntry[]): Buffer {
  const octets = Buffer.allocUnsafeSlow(entries.reduce((sum, entry) => sum + octetsOf(entry), 0))
  let at = 0
  for (const { key, note } of entries) {
    const keyOctets = octets.write(key, at + HEAD_OCTETS)
    octets.writeUInt16LE(keyOctets, at)
    const noteOctets = note === undefined ? 0 : octets.write(note, at + HEAD_OCTETS + keyOctets)
    octets.writeUInt16LE(note === undefined ? NO_NOTE : noteOctets, at + 2)
    at += HEAD_OCTETS + keyOctets + noteOctets
  }
  return octets
}

function octetsOf({ key, note = '' }: ListEntry): number {
  const [keyOctets, noteOctets] = [Buffer.byteLength(key), Buffer.byteLength(note)]
  if (Math.max(keyOctets, noteOctets) > PART_OCTETS_MAX) throw new RangeError('an entry is too long')
  return HEAD_OCTETS + keyOctets + noteOctets
}
