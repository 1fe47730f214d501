/**
 * What the spool does on this disk: records/s for 1, 32, 128 and 512 producers that each wait for their receipt, and
 * the time to replay N messages. `node --expose-gc bench/spool.ts [folder] [messages to replay] [octets of a message]`.
 * The folder (default: a new one in the system's temporary folder) must be on the disk in question.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { parseForwardPath, parseReversePath } from '#mail/address.ts'
import { content } from '#mail/content.ts'
import type { NewMessage } from '#mail/stored.ts'
import { traceIds } from '#mail/trace-id.ts'
import type { Spool } from '../src/spool/contract.ts'
import { openSpool } from '../src/spool/spool.ts'
import { systemClock } from '../src/sys/clock.ts'
import { systemDisk } from '../src/sys/disk.ts'

const [base = tmpdir(), replayText = '100000', octetsText = '4096'] = process.argv.slice(2)
const RUN_MS = 3000
const replayMessages = Number(replayText)
const body = Buffer.alloc(Number(octetsText), 'x')
const nextId = traceIds(0, Date.now, Math.random)

const open = (folder: string): Promise<Spool> =>
  openSpool({
    folder,
    disk: systemDisk,
    clock: systemClock,
    freeOctetsMin: 64 << 20,
    alarm: (event) => console.error(event),
  })

function newMessage(): NewMessage {
  const from = parseReversePath('<alice@sender.example>')
  const to = parseForwardPath('<bob@customer.example>')
  if (!from.ok || !to.ok) throw new Error('address')
  return {
    id: nextId(),
    tenant: 'customer',
    route: 'customer/main',
    envelope: { reversePath: from.value, recipients: [{ forwardPath: to.value }], body: '8bitmime', smtputf8: false },
    reception: {
      clientAddress: '192.0.2.7',
      greetingName: 'mail.sender.example',
      protocol: 'ESMTPS',
      receivedMs: Date.now(),
    },
  }
}

async function append(spool: Spool): Promise<void> {
  const message = newMessage()
  await spool.append(message, content([Buffer.from(body)]), Date.now())
}

/** Each producer settles its message after the receipt, as a first delivery that works does. */
async function throughput(producers: number): Promise<void> {
  const folder = await mkdtemp(`${base}/spool-bench-`)
  const spool = await open(folder)
  const endMs = performance.now() + RUN_MS
  let records = 0
  const cpu = process.cpuUsage()
  const produce = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const message = newMessage()
      await spool.append(message, content([Buffer.from(body)]), 0)
      spool.change(message.id, { kind: 'drop', atMs: 0, text: 'bench' })
      records++
    }
  }
  await Promise.all(Array.from({ length: producers }, produce))
  const { user, system } = process.cpuUsage(cpu)
  const { syncs } = spool.counts
  await spool.close()
  await rm(folder, { recursive: true })
  const perSecond = Math.round(records / (RUN_MS / 1000))
  const cpuUs = ((user + system) / records).toFixed(1)
  console.log(
    `${producers} producers: ${perSecond} records/s, ${(syncs / records).toFixed(4)} syncs each, ${cpuUs} µs CPU each`,
  )
}

async function fillFolder(folder: string): Promise<void> {
  const spool = await open(folder)
  for (let done = 0; done < replayMessages; done += 500) {
    await Promise.all(Array.from({ length: Math.min(500, replayMessages - done) }, () => append(spool)))
  }
  await spool.close()
}

async function replay(): Promise<void> {
  const folder = await mkdtemp(`${base}/spool-bench-`)
  await fillFolder(folder)
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  const start = performance.now()
  const spool = await open(folder)
  const openMs = performance.now() - start
  let worstMs = 0
  let last = performance.now()
  const watch = (): void => {
    worstMs = Math.max(worstMs, performance.now() - last)
    last = performance.now()
    if (watching) setImmediate(watch)
  }
  let watching = true
  watch()
  const { messages } = await spool.replayed
  watching = false
  const seconds = (performance.now() - start) / 1000
  globalThis.gc?.()
  const octets = (process.memoryUsage().heapUsed - before) / messages
  console.log(
    `replay: ${messages} messages in ${seconds.toFixed(2)} s, open after ${openMs.toFixed(0)} ms, longest stop of the ` +
      `event loop ${worstMs.toFixed(1)} ms, ${octets.toFixed(0)} octets of heap each${globalThis.gc ? '' : ' (no --expose-gc)'}`,
  )
  await spool.close()
  await rm(folder, { recursive: true })
}

for (const producers of [1, 20, 32, 100, 128, 512]) await throughput(producers)
await replay()
