/** For tests: a scanner that behaves as it is told. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

export type Behaviour = (socket: Socket, heard: Buffer) => void

/** A server that calls `behave` at each piece it hears. */
export async function fake(behave: Behaviour, greet?: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    greet?.(socket)
    let heard = Buffer.alloc(0)
    socket.on('data', (octets: Buffer) => {
      heard = Buffer.concat([heard, octets])
      behave(socket, heard)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    address: { kind: 'tcp', address: '127.0.0.1', port } as const,
    sockets,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
