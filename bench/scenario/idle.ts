/**
 * Many clients that say nothing after the greeting, and what is left for a new one: 20 messages, one per connection.
 * Opened from several loopback addresses, 200 at a time.
 */
import { connect, type Socket } from 'node:net'
import { drive, uniformMessages } from '../driver.ts'
import { type BenchOptions, MEGABYTE } from '../options.ts'
import { RelayUnderTest } from '../relay-under-test.ts'
import { SinkProcess } from '../sink-process.ts'
import type { Table } from '../table.ts'

const DOMAIN = 'dest.test'
const AT_A_TIME = 200
const GREETING_MS_MAX = 30_000
const SETTLE_MS = 3000
const NEW_CLIENT_MESSAGES = 20

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

interface Crowd {
  readonly sockets: Set<Socket>
  greeted: number
  refused: number
}

function join(crowd: Crowd, port: number, index: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: `127.0.1.${1 + (index % 200)}` })
    crowd.sockets.add(socket)
    const timer = setTimeout(resolve, GREETING_MS_MAX)
    socket.once('data', (octets) => {
      if (octets.toString('latin1').startsWith('220')) crowd.greeted++
      else crowd.refused++
      clearTimeout(timer)
      resolve()
    })
    socket.once('error', () => socket.destroy())
    socket.once('close', () => {
      crowd.sockets.delete(socket)
      clearTimeout(timer)
      resolve()
    })
  })
}

async function gather(port: number, size: number): Promise<Crowd> {
  const crowd: Crowd = { sockets: new Set(), greeted: 0, refused: 0 }
  for (let at = 0; at < size; at += AT_A_TIME) {
    const batch = Math.min(AT_A_TIME, size - at)
    await Promise.all(Array.from({ length: batch }, (_, i) => join(crowd, port, at + i)))
  }
  return crowd
}

export async function idle(options: BenchOptions): Promise<Table> {
  const sink = await SinkProcess.start(['--port', '0'])
  const relay = await RelayUnderTest.create('spool', { [DOMAIN]: sink.ports[0]! })
  try {
    await relay.start()
    await pause(1000)
    const before = relay.memory()
    const openMs = performance.now()
    const crowd = await gather(relay.port, options.idle)
    const openSeconds = (performance.now() - openMs) / 1000
    await pause(SETTLE_MS)
    const after = relay.memory()
    const held = crowd.sockets.size
    const client = await drive({
      host: '127.0.0.1',
      port: relay.port,
      sessions: 1,
      messagesMax: NEW_CLIENT_MESSAGES,
      durationMsMax: 15_000,
      messagesPerSession: 1,
      pace: 'pipelined',
      message: uniformMessages(4096, [DOMAIN], 1),
    })
    for (const socket of crowd.sockets) socket.destroy()
    const row = [
      `${options.idle}`,
      `${crowd.greeted}`,
      `${crowd.refused}`,
      `${held}`,
      openSeconds,
      (after.rssOctets - before.rssOctets) / 1024 / crowd.greeted,
      (after.pssOctets - before.pssOctets) / 1024 / crowd.greeted,
      after.pssOctets / MEGABYTE,
      `${client.fates.acknowledged}`,
      client.seconds,
    ]
    const columns = ['sessions', 'greeted', 'refused', 'held', 'open s', 'RSS KB/session', 'PSS KB/session', 'PSS MB']
    return { title: 'Idle sessions', columns: [...columns, 'new client: messages', 'in s'], rows: [row] }
  } finally {
    await relay.remove()
    await sink.stop()
  }
}
