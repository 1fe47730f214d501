/**
 * Ports for what a test starts. They lie below the range that the kernel gives to outgoing connections (32768 and up on
 * Linux), so that no connection of anybody can take one between the question and the use.
 */
import { createServer } from 'node:net'

const PORT_MIN = 12_000
const PORT_MAX = 31_999
const TRIES_MAX = 200

// Test files run in processes of their own; each begins to search somewhere else.
let next = PORT_MIN + ((process.pid * 131) % (PORT_MAX - PORT_MIN))

/** A port on which nothing listens now, and which this process gives to nobody else. */
export async function freePort(): Promise<number> {
  for (let i = 0; i < TRIES_MAX; i++) {
    const port = next
    next = next >= PORT_MAX ? PORT_MIN : next + 1
    if (await isFree(port)) return port
  }
  throw new Error(`no free port among ${TRIES_MAX}`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
