/**
 * The twin of a disk, in memory: what a process sees, and beside it what would still be there after a power loss.
 *
 * Each file has two images. The cache holds every octet written; `kill()` (kill -9) keeps it. The platter holds what a
 * datasync put there; `powerLoss()` keeps that and a random part of the rest, by sectors, so that the last record may
 * be torn, have holes or be whole. Names behave in the same way, with syncFolder. After a failed datasync the pending
 * octets are partly on the platter and no later datasync brings the rest there, while the cache still shows them: that
 * is what Linux does, and why an fsync must never be tried again.
 *
 * Everything follows from the seed and from the order of the calls. A crash ends the view that `boot()` gave: calls
 * through it never settle, as in a dead process. Limits: no hard links, no permissions, folders are not checked.
 */
import type { Disk, DiskFile } from '#sys/disk.ts'

export type DiskOperation =
  | 'open'
  | 'write'
  | 'datasync'
  | 'read'
  | 'size'
  | 'truncate'
  | 'close'
  | 'list'
  | 'makeFolder'
  | 'rename'
  | 'unlink'
  | 'syncFolder'
  | 'freeOctets'

export interface DiskFault {
  readonly operation: DiskOperation
  /** The Nth call from now fails; 1 is the next. */
  readonly nth: number
  /** All later calls of this operation fail too. */
  readonly forGood: boolean
  readonly code: 'EIO' | 'ENOSPC'
}

/** What a power loss leaves of the writes that were not synced. */
type Mercy = 'none' | 'prefix' | 'subset' | 'all'
const MERCIES: readonly Mercy[] = ['none', 'prefix', 'subset', 'all']
/** The unit that a disk writes whole or not at all. */
const SECTOR_OCTETS = 512

type Pending = { kind: 'write'; position: number; bytes: Buffer } | { kind: 'truncate'; octets: number }
type NameChange =
  | { kind: 'link'; path: string; inode: Inode }
  | { kind: 'rename'; path: string; to: string; inode: Inode }
  | { kind: 'unlink'; path: string }

/** mulberry32: small, and good enough to choose sectors. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

class Image {
  #bytes = Buffer.alloc(0)
  octets = 0

  write(position: number, bytes: Buffer): void {
    const end = position + bytes.length
    if (end > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(end, this.#bytes.length * 2, 4096))
      this.#bytes.copy(grown, 0, 0, this.octets)
      this.#bytes = grown
    }
    bytes.copy(this.#bytes, position)
    this.octets = Math.max(this.octets, end)
  }

  truncate(octets: number): void {
    if (octets < this.octets) this.#bytes.fill(0, octets, this.octets)
    else if (octets > this.octets) this.write(octets, Buffer.alloc(0))
    this.octets = octets
  }

  view(): Buffer {
    return this.#bytes.subarray(0, this.octets)
  }
}

class Inode {
  cache = new Image()
  readonly platter = new Image()
  #pending: Pending[] = []

  change(change: Pending): void {
    applyTo(this.cache, change)
    this.#pending.push(change)
  }

  synced(): void {
    for (const change of this.#pending) applyTo(this.platter, change)
    this.#pending = []
  }

  /** What is pending reaches the platter in part, the rest never does. */
  lose(mercy: Mercy, random: () => number): void {
    const keepOf = mercy === 'prefix' ? Math.floor(random() * (this.#pending.length + 1)) : 0
    for (const [i, change] of this.#pending.entries()) {
      if (mercy === 'all' || (mercy === 'prefix' && i < keepOf)) applyTo(this.platter, change)
      else if (mercy === 'prefix' && i === keepOf) tear(this.platter, change, random)
      else if (mercy === 'subset') scatter(this.platter, change, random)
    }
    this.#pending = []
  }

  restart(): void {
    this.cache = new Image()
    this.cache.write(0, Buffer.from(this.platter.view()))
  }
}

function applyTo(image: Image, change: Pending): void {
  if (change.kind === 'write') image.write(change.position, change.bytes)
  else image.truncate(change.octets)
}

// The start of a write, cut anywhere.
function tear(image: Image, change: Pending, random: () => number): void {
  if (change.kind === 'write') {
    image.write(change.position, change.bytes.subarray(0, Math.floor(random() * (change.bytes.length + 1))))
  }
}

// Any of the sectors of a write; holes read as zeros.
function scatter(image: Image, change: Pending, random: () => number): void {
  if (change.kind === 'truncate') {
    if (random() < 0.5) image.truncate(change.octets)
    return
  }
  for (let at = 0; at < change.bytes.length; ) {
    const next = Math.min(at + SECTOR_OCTETS - ((change.position + at) % SECTOR_OCTETS), change.bytes.length)
    if (random() < 0.5) image.write(change.position + at, change.bytes.subarray(at, next))
    at = next
  }
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))

function diskError(code: string, operation: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${operation} '${path}'`), { code })
}

export class TwinDisk {
  /** Octets of all files together, at most. */
  capacityOctets = Number.POSITIVE_INFINITY
  /** Calls since the start, of all operations together. */
  calls = 0
  /** Calls that a fault made fail. */
  faultsHit = 0
  /** Calls by operation. */
  readonly callsOf = new Map<DiskOperation, number>()
  readonly #random: () => number
  #names = new Map<string, Inode>()
  #durableNames = new Map<string, Inode>()
  #nameChanges: NameChange[] = []
  #faults: (DiskFault & { seen: number })[] = []
  #crash: { call: number; how: 'kill' | 'power-loss'; then: () => void } | undefined
  #boot = 0

  constructor(seed: number) {
    this.#random = seededRandom(seed)
  }

  /** The disk as one process sees it, until the next crash. */
  boot(): Disk {
    const boot = this.#boot
    const call = <T>(operation: DiskOperation, path: string, act: () => T, half?: () => void): Promise<T> =>
      this.#call(boot, operation, path, act, half)
    return {
      open: (path, mode) =>
        call('open', path, () => this.#file(path, mode === 'create' ? this.#create(path) : this.#find(path), call)),
      list: (folder) => call('list', folder, () => this.#list(folder)),
      makeFolder: (folder) => call('makeFolder', folder, () => undefined),
      rename: (from, to) => call('rename', from, () => this.#rename(from, to)),
      unlink: (path) => call('unlink', path, () => this.#unlink(path)),
      syncFolder: (folder) =>
        call(
          'syncFolder',
          folder,
          () => this.#settleNames(folder, 'all'),
          () => this.#settleNames(folder, 'subset'),
        ),
      freeOctets: (folder) => call('freeOctets', folder, () => Math.max(0, this.capacityOctets - this.usedOctets)),
    }
  }

  /** Adds a fault; several may wait at a time. */
  fail(fault: DiskFault): void {
    this.#faults.push({ ...fault, seen: 0 })
  }

  /** Takes all faults away. */
  heal(): void {
    this.#faults = []
  }

  /** Crashes in the middle of the Nth call from now, then calls `then`. */
  crashAt(nth: number, how: 'kill' | 'power-loss', then: () => void): void {
    this.#crash = { call: this.calls + nth, how, then }
  }

  /** kill -9: the process is gone, all that it wrote stays. */
  kill(): void {
    this.#boot++
    this.#crash = undefined
  }

  /** The machine stops: what was not synced is lost, or not, or in part. */
  powerLoss(): void {
    this.kill()
    const mercy = (): Mercy => MERCIES[Math.floor(this.#random() * MERCIES.length)]!
    for (const inode of new Set([...this.#names.values(), ...this.#durableNames.values()])) {
      inode.lose(mercy(), this.#random)
      inode.restart()
    }
    this.#settleNames(undefined, mercy())
    this.#names = new Map(this.#durableNames)
  }

  get usedOctets(): number {
    let octets = 0
    for (const inode of new Set(this.#names.values())) octets += inode.cache.octets
    return octets
  }

  /** Paths of all files, sorted. */
  paths(): string[] {
    return [...this.#names.keys()].sort()
  }

  /** A file's octets as a process would read them. */
  bytes(path: string): Buffer {
    return Buffer.from(this.#find(path).cache.view())
  }

  /** Puts these octets in the place of a file's, durably: rot, or a stranger's file. */
  overwrite(path: string, bytes: Buffer): void {
    const inode = this.#names.get(path) ?? this.#create(path)
    inode.change({ kind: 'truncate', octets: 0 })
    inode.change({ kind: 'write', position: 0, bytes: Buffer.from(bytes) })
    inode.synced()
    this.#settleNames(folderOf(path), 'all')
  }

  async #call<T>(boot: number, operation: DiskOperation, path: string, act: () => T, half?: () => void): Promise<T> {
    if (boot !== this.#boot) return new Promise<never>(() => undefined)
    this.calls++
    this.callsOf.set(operation, (this.callsOf.get(operation) ?? 0) + 1)
    if (this.#crash?.call === this.calls) {
      const { how, then } = this.#crash
      // A sync that a kill interrupts has not failed: the kernel goes on with it, or does it later.
      if (operation === 'write' && this.#random() < 0.5) half?.()
      if (how === 'kill') this.kill()
      else this.powerLoss()
      then()
      return new Promise<never>(() => undefined)
    }
    const code = this.#faultOf(operation)
    if (code !== undefined) {
      this.faultsHit++
      half?.()
      throw diskError(code, operation, path)
    }
    return act()
  }

  #faultOf(operation: DiskOperation): string | undefined {
    let code: string | undefined
    for (const fault of this.#faults) {
      if (fault.operation !== operation) continue
      fault.seen++
      if (fault.seen === fault.nth || (fault.forGood && fault.seen > fault.nth)) code = fault.code
    }
    return code
  }

  #find(path: string): Inode {
    const inode = this.#names.get(path)
    if (inode === undefined) throw diskError('ENOENT', 'open', path)
    return inode
  }

  #create(path: string): Inode {
    if (this.#names.has(path)) throw diskError('EEXIST', 'open', path)
    const inode = new Inode()
    this.#changeName({ kind: 'link', path, inode })
    return inode
  }

  #rename(from: string, to: string): void {
    this.#changeName({ kind: 'rename', path: from, to, inode: this.#find(from) })
  }

  #unlink(path: string): void {
    this.#find(path)
    this.#changeName({ kind: 'unlink', path })
  }

  #changeName(change: NameChange): void {
    applyName(this.#names, change)
    this.#nameChanges.push(change)
  }

  #list(folder: string): string[] {
    const names: string[] = []
    for (const path of this.#names.keys()) if (folderOf(path) === folder) names.push(path.slice(folder.length + 1))
    return names
  }

  #settleNames(folder: string | undefined, mercy: Mercy): void {
    const rest: NameChange[] = []
    const inFolder: NameChange[] = []
    for (const change of this.#nameChanges) {
      ;(folder === undefined || folderOf(change.path) === folder ? inFolder : rest).push(change)
    }
    const keepOf = mercy === 'prefix' ? Math.floor(this.#random() * (inFolder.length + 1)) : inFolder.length
    for (const [i, change] of inFolder.entries()) {
      const kept = mercy === 'subset' ? this.#random() < 0.5 : mercy !== 'none' && i < keepOf
      if (kept) applyName(this.#durableNames, change)
    }
    this.#nameChanges = rest
  }

  #file(path: string, inode: Inode, call: Call): DiskFile {
    return {
      writeAll: (parts, position) => {
        const bytes = Buffer.concat(parts)
        const some = () => inode.change({ kind: 'write', position, bytes: this.#someOf(bytes) })
        return call('write', path, () => this.#write(inode, path, bytes, position), some)
      },
      datasync: () =>
        call(
          'datasync',
          path,
          () => inode.synced(),
          () => inode.lose('subset', this.#random),
        ),
      read: (into, position) => call('read', path, () => inode.cache.view().copy(into, 0, position)),
      size: () => call('size', path, () => inode.cache.octets),
      truncate: (octets) => call('truncate', path, () => inode.change({ kind: 'truncate', octets })),
      close: () => call('close', path, () => undefined),
    }
  }

  #someOf(bytes: Buffer): Buffer {
    return bytes.subarray(0, Math.floor(this.#random() * (bytes.length + 1)))
  }

  #write(inode: Inode, path: string, bytes: Buffer, position: number): void {
    const room = this.capacityOctets - this.usedOctets
    const growth = position + bytes.length - inode.cache.octets
    const fits = growth <= room ? bytes.length : Math.max(0, bytes.length - (growth - room))
    inode.change({ kind: 'write', position, bytes: bytes.subarray(0, fits) })
    if (fits < bytes.length) throw diskError('ENOSPC', 'write', path)
  }
}

type Call = <T>(operation: DiskOperation, path: string, act: () => T, half?: () => void) => Promise<T>

function applyName(names: Map<string, Inode>, change: NameChange): void {
  if (change.kind !== 'link') names.delete(change.path)
  if (change.kind !== 'unlink') names.set(change.kind === 'link' ? change.path : change.to, change.inode)
}
