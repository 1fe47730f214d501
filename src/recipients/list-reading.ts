/**
 * Reads a list of recipients from a file, in pieces: a million lines take no memory and hold nobody up. Whoever takes the
 * entries decides what becomes of them. What is wrong is a value; only what `take` throws is thrown.
 */
import { constants, type FileHandle, open } from 'node:fs/promises'
import { setImmediate as pause } from 'node:timers/promises'
import { ioFault } from '#config/file-text.ts'
import { type ListFault, ListFile, type ParsedEntry } from './list-file.ts'

/** Some 2,000 lines: about 5 ms of work between two pauses. */
const PIECE_OCTETS = 48 * 1024

export type ListRead =
  /** `read`: entries; one that stands twice counts twice. `stamp`: changes with the file. */
  | { readonly kind: 'read'; readonly read: number; readonly stamp: string }
  | { readonly kind: 'faulty'; readonly faults: readonly ListFault[]; readonly more: boolean }
  /** Ends the sentence "the file …". */
  | { readonly kind: 'unreadable'; readonly text: string }

export async function readListFile(
  path: string,
  domain: string,
  take: (entries: readonly ParsedEntry[]) => Promise<void>,
): Promise<ListRead> {
  const opened = await openFile(path)
  if (typeof opened === 'string') return { kind: 'unreadable', text: opened }
  await using handle = opened
  const before = await stampOf(path, handle)
  if (before === undefined) return { kind: 'unreadable', text: 'is no file' }
  const list = new ListFile({ domain })
  const octets = Buffer.allocUnsafe(PIECE_OCTETS)
  // No further than it went at first: somebody may write as fast as we read.
  const { size } = await handle.stat()
  for (let at = 0; at < size && !list.over; ) {
    const read = await readPiece(handle, octets, Math.min(octets.length, size - at))
    if (typeof read === 'string') return { kind: 'unreadable', text: read }
    if (read === 0) break
    at += read
    const entries = list.push(octets.subarray(0, read))
    if (list.faults.length === 0) await take(entries)
    await pause()
  }
  const last = list.end()
  if (list.faults.length > 0) return { kind: 'faulty', faults: list.faults, more: list.over }
  await take(last)
  // Half of an old and half of a new list; whoever writes it will be done at the next time.
  if ((await stampOf(path, handle)) !== before) return { kind: 'unreadable', text: 'changed while it was read' }
  return { kind: 'read', read: list.read, stamp: before }
}

/** Undefined: there is no such file, or it cannot be looked at. */
export async function listStamp(path: string): Promise<string | undefined> {
  const opened = await openFile(path)
  if (typeof opened === 'string') return undefined
  await using handle = opened
  return stampOf(path, handle)
}

// Whoever replaces a file makes another inode, whoever writes into it changes its times.
async function stampOf(path: string, handle: FileHandle): Promise<string | undefined> {
  const stat = await handle.stat({ bigint: true })
  if (!stat.isFile()) return undefined
  return `${path} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`
}

// A pipe would be waited for, so only what is there is opened.
async function openFile(path: string): Promise<FileHandle | string> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    return ioFault(error as NodeJS.ErrnoException)
  }
}

async function readPiece(handle: FileHandle, octets: Buffer, max: number): Promise<number | string> {
  try {
    return (await handle.read(octets, 0, max)).bytesRead
  } catch (error) {
    return ioFault(error as NodeJS.ErrnoException)
  }
}
