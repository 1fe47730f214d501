/**
 * One process per folder: a file `lock` names its owner. A lock whose owner is dead is taken over.
 *
 * A pid alone is not enough, pids come again; on Linux the owner is pid, start time and boot, from /proc. Without /proc
 * it is the pid, and after a reboot an operator may have to remove the file. There is no flock in Node: two processes
 * that take over the same stale lock in the same instant see it by reading back what they wrote.
 */
import { readFileSync } from 'node:fs'
import type { Disk } from '#sys/disk.ts'

export const LOCK_NAME = 'lock'
const LOCK_OCTETS_MAX = 256

export interface LockOwner {
  /** One line that no other process has. */
  readonly text: string
  /** Does the process of that line still run? When in doubt, yes. */
  isAlive(text: string): boolean
}

export class SpoolLocked extends Error {
  constructor(folder: string, owner: string) {
    super(`spool ${folder} is in use by another process (${owner.split(' ')[0]}); one folder serves one process`)
  }
}

export function thisProcess(): LockOwner {
  return {
    text: describe(process.pid),
    // Empty: its writer died in between, or reads back in a moment that it lost.
    isAlive: (text) => text !== '' && describe(Number(text.split(' ')[0])) === text,
  }
}

// Empty for a process that does not exist; only the pid where there is no /proc.
function describe(pid: number): string {
  if (!Number.isSafeInteger(pid) || pid <= 0) return ''
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the name in parentheses and may hold anything; the start time is the 22nd.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie, killed and not yet reaped, writes nothing any more.
    if (state === 'Z' || state === 'X') return ''
    const started = fields[18]
    return `${pid} ${started} ${boot}`
  } catch {
    return exists(pid) && process.platform !== 'linux' ? String(pid) : ''
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Throws `SpoolLocked`, or what the disk threw. The answer gives the lock back. */
export async function lockFolder(folder: string, disk: Disk, owner: LockOwner): Promise<() => Promise<void>> {
  const path = `${folder}/${LOCK_NAME}`
  const holder = await lockHolder(folder, disk)
  if (holder !== undefined) {
    if (owner.isAlive(holder)) throw new SpoolLocked(folder, holder)
    await disk.unlink(path)
  }
  await write(path, disk, owner.text, folder)
  const now = await lockHolder(folder, disk)
  if (now !== owner.text) throw new SpoolLocked(folder, now ?? 'unknown')
  return () => disk.unlink(path)
}

/** What the lock file says; undefined without one. */
export async function lockHolder(folder: string, disk: Disk): Promise<string | undefined> {
  if (!(await disk.list(folder)).includes(LOCK_NAME)) return undefined
  const file = await disk.open(`${folder}/${LOCK_NAME}`, 'read')
  try {
    const bytes = Buffer.alloc(LOCK_OCTETS_MAX)
    return bytes.toString('latin1', 0, await file.read(bytes, 0))
  } finally {
    await file.close()
  }
}

async function write(path: string, disk: Disk, text: string, folder: string): Promise<void> {
  try {
    const file = await disk.open(path, 'create')
    try {
      await file.writeAll([Buffer.from(text, 'latin1')], 0)
    } finally {
      await file.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new SpoolLocked(folder, 'unknown')
    throw error
  }
}
