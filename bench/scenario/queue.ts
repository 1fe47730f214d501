/**
 * The next hop is down: how fast the queue grows and what a queued message costs in memory; then the next hop is back and
 * the queue drains. `restart` leaves the next hop down, ends the relay by SIGKILL, and asks how long it is until the
 * next 220, the next 250, and, with the next hop back, the first delivery.
 */
import { drive, type LoadReport, uniformMessages } from '../driver.ts'
import { type BenchOptions, MANY_PER_SESSION, MEGABYTE, QUIET_MS_MAX } from '../options.ts'
import { RelayUnderTest } from '../relay-under-test.ts'
import { SinkProcess } from '../sink-process.ts'
import type { Cell, Table } from '../table.ts'

const DOMAIN = 'dest.test'
const OCTETS = 4096
const SESSIONS = 20
const FILL_MS_MAX = 600_000
const SETTLE_MS = 3000

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const fill = (relay: RelayUnderTest, messages: number, firstNumber: number): Promise<LoadReport> =>
  drive({
    host: '127.0.0.1',
    port: relay.port,
    sessions: Math.min(SESSIONS, messages),
    messagesMax: messages,
    firstNumber,
    durationMsMax: FILL_MS_MAX,
    messagesPerSession: MANY_PER_SESSION,
    pace: 'pipelined',
    message: uniformMessages(OCTETS, [DOMAIN], 1),
  })

/** A port on which nothing listens now and a sink can listen later. */
async function closedSinkPort(): Promise<number> {
  const sink = await SinkProcess.start(['--port', '0'])
  await sink.stop()
  return sink.ports[0]!
}

export async function queue(options: BenchOptions): Promise<Table> {
  const port = await closedSinkPort()
  const relay = await RelayUnderTest.create('spool', { [DOMAIN]: port })
  try {
    await relay.start()
    await pause(1000)
    const before = relay.takePeak()
    const cpuBefore = relay.cpuSeconds()
    const load = await fill(relay, options.queued, 1)
    const cpu = relay.cpuSeconds() - cpuBefore
    const accepted = load.fates.acknowledged
    await pause(SETTLE_MS)
    const full = relay.takePeak()
    const drainFromMs = performance.timeOrigin + performance.now()
    const sink = await SinkProcess.start(['--port', String(port)])
    await relay.flush()
    const first = await sink.waitFor(1, QUIET_MS_MAX)
    const all = await sink.waitFor(accepted, QUIET_MS_MAX)
    await sink.stop()
    const drainSeconds = (all.lastArrivalMs - drainFromMs) / 1000
    const row: Cell[] = [
      `${accepted}`,
      load.rate,
      (cpu / accepted) * 1000,
      before.pssOctets / MEGABYTE,
      full.rssOctets / MEGABYTE,
      full.pssOctets / MEGABYTE,
      (full.pssOctets - before.pssOctets) / accepted,
      (first.lastArrivalMs - drainFromMs) / 1000,
      drainSeconds,
      all.distinct / drainSeconds,
      `${accepted - all.distinct}`,
    ]
    const columns = [
      'queued',
      'accept/s',
      'CPU s/1000',
      'PSS before MB',
      'peak RSS MB',
      'peak PSS MB',
      'octets/message',
    ]
    return {
      title: 'Next hop down, then drained',
      columns: [...columns, 'first message s', 'drain s', 'drain/s', 'missing'],
      rows: [row],
    }
  } finally {
    await relay.remove()
  }
}

export async function restart(options: BenchOptions): Promise<Table> {
  const port = await closedSinkPort()
  const relay = await RelayUnderTest.create('spool', { [DOMAIN]: port })
  try {
    await relay.start()
    const load = await fill(relay, options.queued, 1)
    await relay.kill9()
    const startMs = performance.now()
    const greetingSeconds = await relay.start()
    const one = await fill(relay, 1, options.queued + 1)
    const acceptSeconds = (performance.now() - startMs) / 1000
    const { pssOctets } = relay.memory()
    const accepted = load.fates.acknowledged + one.fates.acknowledged
    const hopMs = performance.timeOrigin + performance.now()
    const sink = await SinkProcess.start(['--port', String(port)])
    await relay.flush()
    const first = await sink.waitFor(1, QUIET_MS_MAX)
    const all = await sink.waitFor(accepted, QUIET_MS_MAX)
    await sink.stop()
    const firstSeconds = (first.lastArrivalMs - hopMs) / 1000
    const cells: Cell[] = [
      `${load.fates.acknowledged}`,
      load.rate,
      greetingSeconds,
      acceptSeconds,
      pssOctets / MEGABYTE,
    ]
    return {
      title: 'SIGKILL with a queue, then a start',
      columns: ['queued', 'accept/s', '220 after s', '250 after s', 'PSS MB', 'first delivery s', 'missing'],
      rows: [[...cells, firstSeconds, `${accepted - all.distinct}`]],
    }
  } finally {
    await relay.remove()
  }
}
