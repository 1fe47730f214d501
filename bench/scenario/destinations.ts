/**
 * Mail to the Internet: a good domain beside a queue for 10,000 others. Routes with `use-mx`, a name server of this process,
 * all on loopback. First the good domain alone; then with mail queued for domains whose servers refuse connections, and
 * many messages for one that takes connections and never says a word, and for one that says an octet a second.
 */

import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { UNPROVEN_PER_SECOND } from '#queue/starts.ts'
import { a, fakeNameServer, soa } from '#sys/dns/testing.ts'
import { drive, uniformMessages } from '../driver.ts'
import {
  COLUMNS,
  change,
  GOOD,
  type Measured,
  Neighbour,
  OCTETS,
  pause,
  RATE_PER_SECOND,
  row,
  SESSIONS,
  SETTLE_MS,
} from '../neighbour.ts'
import { type BenchOptions, MANY_PER_SESSION } from '../options.ts'
import { RelayUnderTest } from '../relay-under-test.ts'
import { Sink } from '../sink.ts'
import type { Cell, Table } from '../table.ts'

const DESTINATIONS = 10_000
const FILL_MS_MAX = 600_000
/** Of mail that never arrives. */
const FIRST_NUMBERS = { dead: 6_000_000, hole: 8_000_000, tarpit: 10_000_000 }
const [GOOD_ADDRESS, HOLE_ADDRESS, TARPIT_ADDRESS, DEAD_ADDRESS] = ['127.0.0.1', '127.0.1.2', '127.0.1.3', '127.0.1.4']
const OCTET_MS = 1000
const KILOBYTE = 1024
const TTL_SECONDS = 3600

interface WithCpu extends Measured {
  /** Of the whole relay, for each message of the good domain. */
  readonly cpuMs: number
}

const addresses: Readonly<Record<string, string>> = {
  [GOOD]: GOOD_ADDRESS,
  'hole.test': HOLE_ADDRESS,
  'tarpit.test': TARPIT_ADDRESS,
}

const config = (mxPort: number, names: number) => (place: { port: number; dataFolder: string }) =>
  `
hostname: relay.bench.test
data-folder: ${place.dataFolder}
http: {address: 'off'}
name-servers: 127.0.0.1:${names}
destinations: {allow-networks: 127.0.0.0/8}
listeners: [{name: bench, addresses: '127.0.0.1:${place.port}', tls: none, service: outbound}]
limits: {transactions-max: 1000000}
tenants:
  bench:
    routes: {internet: {use-mx: true, mx-port: ${mxPort}, tls: never, deliveries-per-connection-max: 1000}}
    domains: {}
    outbound: {from-networks: 127.0.0.1, route: internet, senders: any}
`

async function slowServer(address: string, port: number, greet: (socket: Socket) => void) {
  const server = createServer((socket) => greet(socket.on('error', () => {})))
  server.listen(port, address)
  await once(server, 'listening')
  return server
}

function dribble(socket: Socket): void {
  const timer = setInterval(() => socket.write('2'), OCTET_MS)
  socket.on('close', () => clearInterval(timer))
}

// "There is none" with a SOA, so that the relay may keep it (RFC 2308 §5) and this process has less to answer.
const nameServer = () =>
  fakeNameServer(({ name, type, reply }) => [
    reply(
      type === 'A'
        ? { answers: [a(name, addresses[name] ?? DEAD_ADDRESS, TTL_SECONDS)] }
        : { authorities: [soa('test', TTL_SECONDS)] },
    ),
  ])

const filler = (port: number) => (domains: readonly string[], messagesMax: number, firstNumber: number) =>
  drive({
    host: '127.0.0.1',
    port,
    sessions: SESSIONS,
    messagesMax,
    firstNumber,
    durationMsMax: FILL_MS_MAX,
    messagesPerSession: MANY_PER_SESSION,
    pace: 'pipelined',
    message: uniformMessages(OCTETS, domains, 1),
  })

export async function destinations(options: BenchOptions): Promise<Table> {
  const neighbour = new Neighbour()
  const sink = new Sink({ ports: [0], arrived: ({ number }) => neighbour.arrived(number) })
  const [mxPort] = await sink.listen()
  const servers = [
    await slowServer(HOLE_ADDRESS, mxPort!, (socket) => socket.pause()),
    await slowServer(TARPIT_ADDRESS, mxPort!, dribble),
  ]
  await using names = await nameServer()
  const relay = await RelayUnderTest.configured(config(mxPort!, names.endpoint.port))
  const fill = filler(relay.port)
  const measured = async (phase: string): Promise<WithCpu> => {
    process.stderr.write(`destinations: ${phase}, ${options.seconds} s\n`)
    const before = relay.cpuSeconds()
    const one = await neighbour.measure(relay.port, options.seconds)
    return { ...one, cpuMs: ((relay.cpuSeconds() - before) * 1000) / one.load.fates.acknowledged }
  }
  try {
    await relay.start()
    await neighbour.measure(relay.port, 2)
    const alone = await measured('alone')
    const before = relay.memory()
    const dead = Array.from({ length: DESTINATIONS }, (_, i) => `d${i}.test`)
    // Spread by chance: with this many nearly every domain has some.
    const queued = await fill(dead, DESTINATIONS * 3, FIRST_NUMBERS.dead)
    await pause(SETTLE_MS * 5)
    const octets = (relay.memory().pssOctets - before.pssOctets) / queued.fates.acknowledged
    const tried = await measured('while dead domains are tried for the first time')
    await pause(((DESTINATIONS / UNPROVEN_PER_SECOND) * 1000) / relay.workers().length)
    const besideDead = await measured('beside dead domains')
    const hole = await fill(['hole.test'], options.blackHole / 2, FIRST_NUMBERS.hole)
    const tarpit = await fill(['tarpit.test'], options.blackHole / 2, FIRST_NUMBERS.tarpit)
    await pause(SETTLE_MS)
    const beside = await measured('beside all')
    const slow = hole.fates.acknowledged + tarpit.fates.acknowledged
    return {
      title:
        `A good domain at ${RATE_PER_SECOND} messages/s, beside ${queued.fates.acknowledged} for ${DESTINATIONS} dead ` +
        `domains (${(octets / KILOBYTE).toFixed(1)} KiB of memory each), then ${slow} more for a black hole and a tarpit`,
      columns: [...COLUMNS, 'relay CPU ms/message'],
      rows: rowsOf(alone, {
        'while dead domains are tried first': tried,
        'beside dead domains': besideDead,
        'beside all': beside,
      }),
    }
  } finally {
    await relay.remove()
    for (const server of servers) server.close()
    await sink.close()
  }
}

function rowsOf(alone: WithCpu, beside: Readonly<Record<string, WithCpu>>): Cell[][] {
  const others = Object.entries(beside).flatMap(([name, one]) => [
    [...row(name, one), one.cpuMs],
    [...change(alone, one), one.cpuMs / alone.cpuMs],
  ])
  return [[...row('alone', alone), alone.cpuMs], ...others]
}
