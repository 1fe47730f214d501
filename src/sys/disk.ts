/**
 * The few file operations that the spool needs, as an interface: the tests make the Nth of them fail, the simulator
 * loses what was not synced. Errors are Node's (`code` such as ENOSPC).
 */
import { type FileHandle, mkdir, open, readdir, rename, statfs, unlink } from 'node:fs/promises'

export interface DiskFile {
  /** Writes all parts at `position`; resolves when the kernel has them all. */
  writeAll(parts: readonly Buffer[], position: number): Promise<void>
  /** fdatasync. After a failure the file's state is unknown: never call it again, never trust what it held. */
  datasync(): Promise<void>
  /** Fills `into` from `position`; the number of octets read, less than its length only at the end of the file. */
  read(into: Buffer, position: number): Promise<number>
  size(): Promise<number>
  truncate(octets: number): Promise<void>
  close(): Promise<void>
}

export interface Disk {
  /** `create` fails if it exists; `read` is read-only; `write` opens an existing file for reading and writing. */
  open(path: string, mode: 'create' | 'read' | 'write'): Promise<DiskFile>
  /** Names in a folder, unsorted. */
  list(folder: string): Promise<string[]>
  makeFolder(folder: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /** fsync of a folder, so that a new name survives a power loss. */
  syncFolder(folder: string): Promise<void>
  /** Octets that may still be written. */
  freeOctets(folder: string): Promise<number>
}

const FLAGS = { create: 'wx+', read: 'r', write: 'r+' } as const
/** writev takes at most IOV_MAX parts. */
const PARTS_MAX = 1024

export const systemDisk: Disk = {
  open: async (path, mode) => systemFile(await open(path, FLAGS[mode], 0o600)),
  list: readdir,
  makeFolder: async (folder) => void (await mkdir(folder, { recursive: true, mode: 0o700 })),
  rename,
  unlink,
  async syncFolder(folder) {
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
  async freeOctets(folder) {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  },
}

function systemFile(handle: FileHandle): DiskFile {
  return {
    async writeAll(parts, position) {
      for (let i = 0, at = position; i < parts.length; i += PARTS_MAX) {
        at += await writeFully(handle, parts.slice(i, i + PARTS_MAX), at)
      }
    },
    datasync: () => handle.datasync(),
    async read(into, position) {
      let filled = 0
      while (filled < into.length) {
        const { bytesRead } = await handle.read(into, filled, into.length - filled, position + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return filled
    },
    size: async () => (await handle.stat()).size,
    truncate: (octets) => handle.truncate(octets),
    close: () => handle.close(),
  }
}

// A short write is legal; a disk that is about to be full gives one.
async function writeFully(handle: FileHandle, parts: readonly Buffer[], position: number): Promise<number> {
  const { bytesWritten } = await handle.writev(parts, position)
  let total = 0
  for (const part of parts) total += part.length
  if (bytesWritten === total) return total
  const rest = Buffer.concat(parts).subarray(bytesWritten)
  for (let sent = 0; sent < rest.length; ) {
    const { bytesWritten: more } = await handle.write(rest, sent, rest.length - sent, position + bytesWritten + sent)
    if (more === 0) throw Object.assign(new Error('disk took no more octets'), { code: 'ENOSPC' })
    sent += more
  }
  return total
}
