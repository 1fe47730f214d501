/**
 * What a check of a password costs, and what checks do to the spool: they run in the same four threads as its syncs.
 *
 *     node bench/password-checks.ts [seconds]
 *
 * For each number of checks at a time: the time of a write with fdatasync beside them, and the checks per second. It shows
 * why a worker runs `CHECKS_AT_A_TIME` of them and no more. Times in ms.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HASH_COST, nobodysHash, passwordFits } from '#auth/password-hash.ts'

const AT_A_TIME = [0, 1, 2, 3, 4, 8]
const FILE_OCTETS = 16 * 1024 * 1024
const WRITE_OCTETS = 64 * 1024

const check = () => passwordFits('correct horse battery', nobodysHash())

const quantile = (sorted: readonly number[], part: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(2)

async function oneCheck(times: number): Promise<void> {
  const before = process.cpuUsage()
  const startMs = performance.now()
  for (let i = 0; i < times; i++) await check()
  const { user, system } = process.cpuUsage(before)
  const wallMs = (performance.now() - startMs) / times
  const cpuMs = (user + system) / 1000 / times
  console.log(`one check (${HASH_COST.memoryKib} KiB): ${wallMs.toFixed(1)} ms, of CPU ${cpuMs.toFixed(1)} ms`)
}

async function beside(checks: number, path: string, seconds: number): Promise<void> {
  const file = await open(path, 'w')
  const octets = Buffer.alloc(WRITE_OCTETS)
  const endMs = performance.now() + seconds * 1000
  let done = 0
  const checking = Array.from({ length: checks }, async () => {
    for (; performance.now() < endMs; done++) await check()
  })
  const times: number[] = []
  for (let at = 0; performance.now() < endMs; at = (at + WRITE_OCTETS) % FILE_OCTETS) {
    const startMs = performance.now()
    await file.write(octets, 0, WRITE_OCTETS, at)
    await file.datasync()
    times.push(performance.now() - startMs)
  }
  await Promise.all(checking)
  await file.close()
  times.sort((a, b) => a - b)
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((part) => quantile(times, part))
  const syncs = `${(times.length / seconds).toFixed(0)} syncs/s, p50 ${p50}, p95 ${p95}, p99 ${p99}`
  console.log(`${checks} checks at a time: ${syncs}; ${(done / seconds).toFixed(1)} checks/s`)
}

const folder = mkdtempSync(join(process.env['VORPOSTEN_BENCH_FOLDER'] ?? tmpdir(), 'checks-'))
try {
  await oneCheck(20)
  for (const checks of AT_A_TIME) await beside(checks, join(folder, 'file'), Number(process.argv[2] ?? 4))
} finally {
  rmSync(folder, { recursive: true })
}
