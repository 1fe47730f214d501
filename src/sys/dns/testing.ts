/**
 * A name server for tests, on loopback, by UDP and TCP: it says what its script says, truth or not. Zones may be changed
 * while it runs.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { decode, encode, type Packet, type Answer as WireRecord } from 'dns-packet'
import type { Endpoint } from '#mail/session.ts'

/** A question as it came; `reply` makes an honest answer of parts. */
export interface Asked {
  readonly id: number
  readonly name: string
  readonly type: string
  readonly transport: 'udp' | 'tcp'
  readonly flags: number
  reply(parts: Partial<Packet> & { rcode?: number }): Buffer
}

/** One or more datagrams (or TCP messages) in answer; none: silence. */
export type Script = (asked: Asked) => readonly Buffer[] | Promise<readonly Buffer[]>

export interface FakeNameServer extends AsyncDisposable {
  readonly endpoint: Endpoint
  /** `A mx.example`, in the order in which they came; `/tcp` behind it if so. */
  readonly asked: string[]
  script: Script
}

export const AUTHENTIC = 1 << 5
export const TRUNCATED = 1 << 9
const RESPONSE = 0x8180

/** Of pairs of ports that are tried: what is free for UDP may be taken for TCP. */
const PORTS_MAX = 20

/** On one port of both kinds. */
async function boundSockets(): Promise<{ udp: UdpSocket; tcp: Server }> {
  for (let tried = 1; ; tried++) {
    const udp = createSocket('udp4')
    udp.bind(0, '127.0.0.1')
    await once(udp, 'listening')
    const tcp = createServer()
    try {
      tcp.listen(udp.address().port, '127.0.0.1')
      await once(tcp, 'listening')
      return { udp, tcp }
    } catch (error) {
      udp.close()
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || tried === PORTS_MAX) throw error
    }
  }
}

export async function fakeNameServer(script: Script): Promise<FakeNameServer> {
  const { udp, tcp } = await boundSockets()
  const asked: string[] = []
  const server = { script }
  const answer = async (octets: Buffer, transport: 'udp' | 'tcp'): Promise<readonly Buffer[]> => {
    const { id = 0, questions = [], flags = 0 } = decode(octets)
    const { name = '', type = '' } = questions[0] ?? {}
    asked.push(`${type} ${name}${transport === 'tcp' ? ' /tcp' : ''}`)
    const reply: Asked['reply'] = ({ rcode = 0, flags: more = 0, ...parts }) =>
      encode({ type: 'response', id, questions, ...parts, flags: RESPONSE | more | rcode })
    return server.script({ id, name, type, transport, flags, reply })
  }
  udp.on('message', async (octets, from) => {
    for (const one of await answer(octets, 'udp')) udp.send(one, from.port, from.address)
  })
  const sockets = new Set<Socket>()
  tcp.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    socket.on('data', async (octets: Buffer) => {
      for (const one of await answer(octets.subarray(2), 'tcp')) {
        socket.write(Buffer.concat([Buffer.from([one.length >> 8, one.length & 255]), one]))
      }
    })
  })
  const { port } = udp.address()
  return {
    endpoint: { address: '127.0.0.1', port },
    asked,
    get script() {
      return server.script
    },
    set script(next) {
      server.script = next
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      udp.close()
      tcp.close()
      await once(tcp, 'close')
    },
  }
}

/** Records by type and name; `servfail` and `silent` are what they say. Names not here do not exist. */
export type Zone = Record<string, readonly WireRecord[] | 'servfail' | 'silent'>

const SERVFAIL = 2
const NXDOMAIN = 3

/** `zone['mx.example']`: all its records. */
export function zoneScript(zone: () => Zone, flags = 0): Script {
  return ({ name, type, reply }) => {
    const records = zone()[name.toLowerCase()]
    if (records === 'silent') return []
    if (records === 'servfail') return [reply({ rcode: SERVFAIL })]
    const authorities = [soa('test', 60)]
    if (records === undefined) return [reply({ rcode: NXDOMAIN, authorities, flags })]
    const answers = records.filter((record) => record.type === type || record.type === 'CNAME')
    return [reply(answers.length > 0 ? { answers, flags } : { authorities, flags })]
  }
}

export const soa = (name: string, minimum: number): WireRecord => ({
  type: 'SOA',
  name,
  ttl: 3600,
  data: { mname: `ns.${name}`, rname: `hostmaster.${name}`, serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
})
export const a = (name: string, data: string, ttl = 60): WireRecord => ({ type: 'A', name, data, ttl })
export const aaaa = (name: string, data: string, ttl = 60): WireRecord => ({ type: 'AAAA', name, data, ttl })
export const cname = (name: string, data: string, ttl = 60): WireRecord => ({ type: 'CNAME', name, data, ttl })
export const mx = (name: string, preference: number, exchange: string, ttl = 60): WireRecord => ({
  type: 'MX',
  name,
  ttl,
  data: { preference, exchange },
})
