/**
 * How many syncs a message costs: strace(1) counts fsync, fdatasync and the like in all processes of the relay while a
 * bounded load runs. strace slows the relay down; only the counts mean something here.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drive, uniformMessages } from '../driver.ts'
import { type BenchOptions, MANY_PER_SESSION } from '../options.ts'
import { RelayUnderTest } from '../relay-under-test.ts'
import { SinkProcess } from '../sink-process.ts'
import type { Cell, Table } from '../table.ts'

const DOMAIN = 'dest.test'
const CALLS = ['fsync', 'fdatasync', 'sync_file_range', 'msync', 'syncfs', 'sync'] as const
const ATTACH_MS = 2000
const SETTLE_MS = 1000

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function attach(pids: readonly number[], file: string): ChildProcess {
  const targets = pids.flatMap((pid) => ['-p', String(pid)])
  return spawn('strace', ['-f', '-q', '-e', `trace=${CALLS.join(',')}`, '-o', file, ...targets], { stdio: 'ignore' })
}

function counts(file: string): Map<string, number> {
  const found = new Map<string, number>()
  for (const line of readFileSync(file, 'latin1').split('\n')) {
    const call = /^\d+\s+(\w+)\(/.exec(line)?.[1]
    if (call !== undefined) found.set(call, (found.get(call) ?? 0) + 1)
  }
  return found
}

async function traced(relay: RelayUnderTest, sink: SinkProcess, sessions: number, first: number): Promise<Cell[]> {
  const folder = mkdtempSync(join(tmpdir(), 'vorposten-syncs-'))
  const file = join(folder, 'trace')
  const messages = sessions === 1 ? 500 : 5000
  const tracer = attach([relay.pid, ...relay.workers()], file)
  const ended = new Promise((resolve) => tracer.once('exit', resolve))
  try {
    await pause(ATTACH_MS)
    const { distinct } = await sink.status()
    const { fates } = await drive({
      host: '127.0.0.1',
      port: relay.port,
      sessions,
      messagesMax: messages,
      firstNumber: first,
      durationMsMax: 60_000,
      messagesPerSession: MANY_PER_SESSION,
      pace: 'pipelined',
      message: uniformMessages(4096, [DOMAIN], 1),
    })
    await sink.waitFor(distinct + fates.acknowledged, 10_000)
    await pause(SETTLE_MS)
    tracer.kill('SIGINT')
    await ended
    const found = counts(file)
    let total = 0
    for (const count of found.values()) total += count
    const which = [...found].map(([call, count]) => `${call} ${count}`).join(', ')
    return [`${sessions}`, `${fates.acknowledged}`, which, total / fates.acknowledged]
  } finally {
    tracer.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

export async function syncs(options: BenchOptions): Promise<Table> {
  const sink = await SinkProcess.start(['--port', '0'])
  const relay = await RelayUnderTest.create('spool', { [DOMAIN]: sink.ports[0]! })
  const rows: Cell[][] = []
  try {
    await relay.start()
    let first = 1
    for (const sessions of options.sessions) {
      rows.push(await traced(relay, sink, sessions, first))
      first += 10_000
    }
  } finally {
    await relay.remove()
    await sink.stop()
  }
  return {
    title: 'Syncs per message (4 KB, many per connection)',
    columns: ['sessions', 'messages', 'calls', 'per message'],
    rows,
  }
}
