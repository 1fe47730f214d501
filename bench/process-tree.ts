/**
 * What a program and all its children cost, from /proc (proc(5)); CPU time from a cgroup of its own where one can be made
 * (cgroups(7), v1 `cpuacct` or v2), since only that also counts children that are gone. Linux only.
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'

/** USER_HZ, the unit of /proc/PID/stat; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100
const PAGE_OCTETS = 4096
const CGROUP_ROOTS = [
  { folder: '/sys/fs/cgroup/cpuacct', file: 'cpuacct.usage' },
  { folder: '/sys/fs/cgroup/unified', file: 'cpu.stat' },
  { folder: '/sys/fs/cgroup', file: 'cpu.stat' },
]

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    // The process has ended meanwhile.
    return ''
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Direct children, in the order of their start. Empty if the process is gone. */
export function childPids(pid: number): number[] {
  const pids: number[] = []
  for (const thread of names(`/proc/${pid}/task`)) {
    for (const child of read(`/proc/${pid}/task/${thread}/children`).split(' '))
      if (child !== '') pids.push(Number(child))
  }
  return pids.sort((a, b) => a - b)
}

/** The process and all below it. */
export function treePids(pid: number): number[] {
  const all = [pid]
  for (let i = 0; i < all.length; i++) all.push(...childPids(all[i]!))
  return all
}

/** Is it running? A zombie that its parent has not yet asked about is not. */
export function isAlive(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`)
  return stat !== '' && !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
}

/** CPU seconds, user and system, of a process and of its children that have ended. */
function cpuSeconds(pid: number): number {
  const stat = read(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  let ticks = 0
  for (const field of fields.slice(11, 15)) ticks += Number(field)
  return ticks / TICKS_PER_SECOND
}

export interface Memory {
  /** Shared pages counted once per process. */
  readonly rssOctets: number
  /** Shared pages divided among those that share them. */
  readonly pssOctets: number
  readonly processes: number
}

export function treeMemory(pid: number): Memory {
  const pids = treePids(pid)
  let rssOctets = 0
  let pssOctets = 0
  for (const each of pids) {
    rssOctets += Number(read(`/proc/${each}/statm`).split(' ')[1] ?? 0) * PAGE_OCTETS
    pssOctets += Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${each}/smaps_rollup`))?.[1] ?? 0) * 1024
  }
  return { rssOctets, pssOctets, processes: pids.length }
}

/** Counts the CPU time of a program that has just been started and has no children yet. */
export class CpuMeter {
  readonly #pid: number
  #folder = ''
  #file = ''

  constructor(pid: number) {
    this.#pid = pid
    for (const { folder, file } of CGROUP_ROOTS)
      if (this.#folder === '') this.#enter(`${folder}/vorposten-bench-${pid}`, file)
  }

  get source(): 'cgroup' | 'proc' {
    return this.#folder === '' ? 'proc' : 'cgroup'
  }

  seconds(): number {
    const text = this.#folder === '' ? '' : read(`${this.#folder}/${this.#file}`)
    if (this.#file === 'cpuacct.usage') return Number(text) / 1e9
    if (text !== '') return Number(/usage_usec (\d+)/.exec(text)?.[1] ?? 0) / 1e6
    let seconds = 0
    for (const pid of treePids(this.#pid)) seconds += cpuSeconds(pid)
    return seconds
  }

  /** Removes the cgroup; the program has ended. */
  close(): void {
    try {
      if (this.#folder !== '') rmdirSync(this.#folder)
    } catch {
      // Still busy: an empty cgroup costs nothing and goes with the machine.
    }
  }

  #enter(folder: string, file: string): void {
    try {
      mkdirSync(folder)
    } catch {
      return
    }
    try {
      readFileSync(`${folder}/${file}`)
      writeFileSync(`${folder}/cgroup.procs`, String(this.#pid))
      this.#folder = folder
      this.#file = file
    } catch {
      rmdirSync(folder)
    }
  }
}
