/** CPU of a server with all that it has forked, from /proc/PID/stat (proc(5)): its own, of children that live, of those that ended. */
import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts in hundredths of a second. */
const TICK_MS = 10

interface Stat {
  readonly pid: number
  readonly parent: number
  readonly cpuMs: number
}

export function treeCpuMs(root: number): number {
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? statOf(Number(name)) : []))
  const within = new Set([root])
  for (let before = 0; before < within.size; ) {
    before = within.size
    for (const { pid, parent } of all) if (within.has(parent)) within.add(pid)
  }
  return all.filter(({ pid }) => within.has(pid)).reduce((sum, { cpuMs }) => sum + cpuMs, 0)
}

function statOf(pid: number): Stat[] {
  try {
    // The name of the program may hold blanks and brackets; what counts stands behind it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
      .map(Number)
    const cpuMs = fields.slice(11, 15).reduce((sum, ticks) => sum + ticks, 0) * TICK_MS
    return [{ pid, parent: fields[1]!, cpuMs }]
  } catch {
    // It has ended meanwhile.
    return []
  }
}
