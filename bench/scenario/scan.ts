/**
 * What the virus wall costs: CPU of one message through the embedded engine, and through a real clamd in the same run, in turns.
 * CPU is that of whole processes, with the threads in them: the machine may have other work. And how late the event loop of
 * the accept side is while the engine's threads take bombs apart; the idle loop beside it says what the machine itself does.
 */
import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type Content, content } from '#mail/content.ts'
import { Clamd } from '#scan/clamd.ts'
import type { Engine } from '#scan/contract.ts'
import { Embedded } from '#scan/embedded.ts'
import { systemClock } from '#sys/clock.ts'
import { type ClamdPeer, startClamd, withoutClamd } from '../../test/peers/clamd.ts'
import { type BenchOptions, median } from '../options.ts'
import { bombs, mailWithAttachments, textMail } from '../scan-messages.ts'
import type { Cell, Table } from '../table.ts'

/** Of /proc/PID/stat: a tick is 10 ms on every Linux that we know. */
const TICK_MS = 10
const LAG_RESOLUTION_MS = 1
const LOADS = [
  { what: '4 KB text', make: textMail, messages: 400 },
  { what: '1 MB with attachments', make: mailWithAttachments, messages: 25 },
]

export async function scan({ repetitions, told }: BenchOptions): Promise<Table> {
  const rows: Cell[][] = []
  const reader = new Embedded(systemClock)
  const embedded = engineOf(reader)
  const peer = withoutClamd() ? undefined : await startClamd()
  const clamd = peer && clamdOf(peer)
  try {
    for (const { what, make, messages } of LOADS) {
      const message = content([make()])
      await times(embedded, message, messages)
      const [own, theirs]: [number[], number[]] = [[], []]
      for (let round = 0; round < repetitions; round++) {
        own.push((await cpuOf(ownCpuMs, () => times(embedded, message, messages))) / messages)
        if (peer && clamd)
          theirs.push(
            (await cpuOf(
              () => childCpuMs(peer),
              () => times(clamd, message, messages),
            )) / messages,
          )
        told(`scan: ${what}, round ${round + 1}`)
      }
      const [ours, other] = [median(own), median(theirs)]
      rows.push([`CPU of ${what}, ms`, ours, other, ours / other])
    }
    const idle = await lag(() => new Promise((resolve) => setTimeout(resolve, 2_000)))
    const busy = await lag(async () => {
      const contents = bombs().map((octets) => content([octets]))
      for (let round = 0; round < repetitions; round++)
        await Promise.all(contents.map((one) => embedded.look(one, NO_EXTRA)))
    })
    rows.push(['loop lag p99 with nothing to do, ms', idle.p99, undefined, undefined])
    rows.push(['loop lag p99 beside bombs, ms', busy.p99, undefined, undefined])
    rows.push(['loop lag at most, beside bombs, ms', busy.most, undefined, undefined])
  } finally {
    await reader.close()
    await clamd?.close?.()
    await peer?.[Symbol.asyncDispose]()
  }
  return { title: 'scan', columns: ['what', 'embedded', 'clamd', 'ratio'], rows }
}

const NO_EXTRA = Promise.resolve([])

const engineOf = (reader: Embedded): Engine => ({
  name: 'embedded',
  look: (content) => reader.read(content, false).facts,
})

const clamdOf = (peer: ClamdPeer): Engine =>
  new Clamd(
    {
      name: 'clamd',
      servers: [{ kind: 'local', path: peer.path }],
      connectionsMax: 1,
      connectMsMax: 5_000,
      timeMsMax: 60_000,
    },
    systemClock,
  )

async function times(engine: Engine, message: Content, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const failed = (await engine.look(message, NO_EXTRA)).find(({ kind }) => kind === 'not-looked')
    if (failed) throw new Error(`${engine.name} did not look: ${JSON.stringify(failed)}`)
  }
}

async function cpuOf(cpuMs: () => number, work: () => Promise<void>): Promise<number> {
  const from = cpuMs()
  await work()
  return cpuMs() - from
}

function ownCpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function childCpuMs({ child }: ClamdPeer): number {
  const fields = readFileSync(`/proc/${child!.pid}/stat`, 'latin1').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

async function lag(work: () => Promise<unknown>): Promise<{ readonly p99: number; readonly most: number }> {
  const histogram = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
  histogram.enable()
  await work()
  histogram.disable()
  return { p99: histogram.percentile(99) / 1e6, most: histogram.max / 1e6 }
}
