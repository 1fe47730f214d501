/** A question on a connection of its own, and all that comes back until it is closed. */
import { createConnection, type NetConnectOpts } from 'node:net'

export function exchange(to: NetConnectOpts, question: readonly Buffer[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = createConnection(to)
    socket.on('data', (chunk: Buffer) => void chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
    for (const octets of question) socket.write(octets)
  })
}
