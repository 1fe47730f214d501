/**
 * Keeps what cannot be read: a damaged range of a segment is copied to `set-aside/`, as it is, under the name of the
 * segment and the range. Only when the copy is synced may the segment be unlinked some day.
 */
import type { Disk, DiskFile } from '#sys/disk.ts'
import { WINDOW_OCTETS } from './scan.ts'
import type { Segment } from './segment.ts'

export const SET_ASIDE_FOLDER = 'set-aside'

/** The path of the copy; undefined: not copied, so the segment must stay. Never rejects. */
export async function setAside(
  disk: Disk,
  folder: string,
  segment: Segment,
  range: Range,
): Promise<string | undefined> {
  const target = `${folder}/${SET_ASIDE_FOLDER}`
  const path = `${target}/${segment.name}.${range.from}-${range.to}`
  try {
    await copyRange(disk, target, segment.path, path, range)
    return path
  } catch {
    segment.kept = true
    return undefined
  }
}

interface Range {
  readonly from: number
  readonly to: number
}

async function copyRange(disk: Disk, target: string, from: string, to: string, range: Range): Promise<void> {
  await disk.makeFolder(target)
  const names = await disk.list(target)
  const name = to.slice(target.length + 1)
  if (!names.includes(name)) {
    // Only a whole and synced copy has the final name.
    const part = `${to}.part`
    if (names.includes(`${name}.part`)) await disk.unlink(part)
    await copyTo(disk, from, part, range)
    await disk.rename(part, to)
  }
  await disk.syncFolder(target)
}

async function copyTo(disk: Disk, from: string, to: string, range: Range): Promise<void> {
  const source = await disk.open(from, 'read')
  try {
    const copy = await disk.open(to, 'create')
    try {
      await pour(source, copy, range)
      await copy.datasync()
    } finally {
      await copy.close()
    }
  } finally {
    await source.close()
  }
}

async function pour(source: DiskFile, copy: DiskFile, range: Range): Promise<void> {
  for (let at = range.from; at < range.to; ) {
    const bytes = Buffer.allocUnsafeSlow(Math.min(WINDOW_OCTETS, range.to - at))
    const octets = await source.read(bytes, at)
    if (octets === 0) throw new Error('the damaged range is shorter than before')
    await copy.writeAll([bytes.subarray(0, octets)], at - range.from)
    at += octets
  }
}
