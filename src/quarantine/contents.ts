/**
 * Contents in quarantine, on disk: one file for each different content, named by its SHA-256, in one of 256 folders. A worker
 * writes a content into `incoming/` and syncs it; the supervisor alone moves it to its place and removes it from there, so that
 * no two processes can disagree about who still needs a file.
 *
 *     <folder>/incoming/<trace id>       being written, or left by a crash
 *     <folder>/contents/ab/abcdef…       in its place
 *
 * Errors are Node's. Whatever is read is checked against its name.
 */
import { createHash, type Hash } from 'node:crypto'
import { join } from 'node:path'
import { type Content, content } from '#mail/content.ts'
import type { Disk, DiskFile } from '#sys/disk.ts'

/** Written, read and hashed at a time: half a millisecond of hashing, then others have their turn. */
export const PIECE_OCTETS = 1024 * 1024
const HASH = /^[0-9a-f]{64}$/

export type ReadContent =
  | { readonly kind: 'content'; readonly content: Content }
  | { readonly kind: 'missing' }
  /** It is not what was written. */
  | { readonly kind: 'damaged' }

export class Contents {
  readonly #folder: string
  readonly #disk: Disk
  /** Moves and removals of one hash, one after the other. */
  readonly #turns = new Map<string, Promise<unknown>>()
  readonly #folders = new Set<string>()

  constructor(folder: string, disk: Disk) {
    this.#folder = folder
    this.#disk = disk
  }

  /** Makes the folders. */
  async prepare(): Promise<void> {
    for (const name of ['incoming', 'contents']) await this.#disk.makeFolder(join(this.#folder, name))
    await this.#disk.syncFolder(this.#folder)
  }

  /** Writes and syncs it as `incoming/<name>`; its hash. What could not be written is removed again. */
  async write(name: string, body: Content): Promise<string> {
    const path = this.#incoming(name)
    const file = await this.#disk.open(path, 'create')
    try {
      const hash = await writeHashed(file, body)
      await file.datasync()
      await file.close()
      return hash
    } catch (error) {
      await file.close().catch(() => {})
      await this.#disk.unlink(path).catch(() => {})
      throw error
    }
  }

  /** Takes an incoming content to its place; resolves when that survives a crash. The same content may be there already. */
  place(name: string, hash: string): Promise<void> {
    return this.#inTurn(hash, async () => {
      const folder = await this.#shard(hash)
      await this.#disk.rename(this.#incoming(name), join(folder, hash))
      await this.#disk.syncFolder(folder)
    })
  }

  /** Removes an incoming content that nobody keeps. Never rejects: what stays is collected at the next start. */
  async abandon(name: string): Promise<void> {
    await this.#disk.unlink(this.#incoming(name)).catch(() => {})
  }

  /** Removes a content, unless somebody still needs it when its turn comes. True: it is gone. */
  drop(hash: string, isNeeded: () => boolean): Promise<boolean> {
    return this.#inTurn(hash, async () => {
      if (isNeeded()) return false
      await this.#disk.unlink(this.path(hash)).catch(ignoreMissing)
      return true
    })
  }

  async read(hash: string): Promise<ReadContent> {
    let file: DiskFile
    try {
      file = await this.#disk.open(this.path(hash), 'read')
    } catch (error) {
      ignoreMissing(error)
      return { kind: 'missing' }
    }
    try {
      const { chunks, found } = await readHashed(file)
      return found === hash ? { kind: 'content', content: content(chunks) } : { kind: 'damaged' }
    } finally {
      await file.close()
    }
  }

  /** What a crash left in `incoming/`; only while nobody writes. */
  async clearIncoming(): Promise<number> {
    const names = await this.#disk.list(join(this.#folder, 'incoming'))
    for (const name of names) await this.abandon(name)
    return names.length
  }

  /** All hashes that have a file, folder by folder. */
  async *hashes(): AsyncGenerator<string> {
    const contents = join(this.#folder, 'contents')
    for (const shard of (await this.#disk.list(contents)).sort()) {
      const names = await this.#disk.list(join(contents, shard))
      yield* names.filter((name) => HASH.test(name) && name.startsWith(shard))
    }
  }

  freeOctets(): Promise<number> {
    return this.#disk.freeOctets(this.#folder)
  }

  path(hash: string): string {
    if (!HASH.test(hash)) throw new Error(`not a hash: ${hash}`)
    return join(this.#folder, 'contents', hash.slice(0, 2), hash)
  }

  #incoming(name: string): string {
    if (!/^[0-9A-Z]{1,32}$/.test(name)) throw new Error(`not the name of an incoming content: ${name}`)
    return join(this.#folder, 'incoming', name)
  }

  async #shard(hash: string): Promise<string> {
    const folder = join(this.path(hash), '..')
    if (this.#folders.has(folder)) return folder
    await this.#disk.makeFolder(folder)
    await this.#disk.syncFolder(join(folder, '..'))
    this.#folders.add(folder)
    return folder
  }

  #inTurn<T>(hash: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(hash) ?? Promise.resolve()
    const mine = before.catch(() => {}).then(work)
    this.#turns.set(hash, mine)
    const forget = () => {
      if (this.#turns.get(hash) === mine) this.#turns.delete(hash)
    }
    mine.then(forget, forget)
    return mine
  }
}

async function writeHashed(file: DiskFile, body: Content): Promise<string> {
  const hash = createHash('sha256')
  let at = 0
  let parts: Buffer[] = []
  let octets = 0
  const writeOut = async () => {
    await file.writeAll(parts, at)
    at += octets
    parts = []
    octets = 0
  }
  for (const piece of piecesOf(body)) {
    hash.update(piece)
    parts.push(piece)
    octets += piece.length
    if (octets >= PIECE_OCTETS) await writeOut()
  }
  if (octets > 0) await writeOut()
  return hash.digest('hex')
}

function* piecesOf({ chunks }: Content): Generator<Buffer> {
  for (const chunk of chunks) {
    for (let i = 0; i < chunk.length; i += PIECE_OCTETS) yield chunk.subarray(i, i + PIECE_OCTETS)
  }
}

async function readHashed(file: DiskFile): Promise<{ chunks: Buffer[]; found: string }> {
  const hash: Hash = createHash('sha256')
  const chunks: Buffer[] = []
  const octets = await file.size()
  for (let at = 0; at < octets; ) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE_OCTETS, octets - at))
    const filled = await file.read(piece, at)
    if (filled === 0) break
    const read = piece.subarray(0, filled)
    hash.update(read)
    chunks.push(read)
    at += filled
  }
  return { chunks, found: hash.digest('hex') }
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}
