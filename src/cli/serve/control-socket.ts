/**
 * The way from the tools (`queue`, `trace`, …) to the running program: a Unix socket in the data folder, for its owner
 * only. One request per connection: a line of JSON there, a line of JSON back.
 *
 * Limits: a request `REQUEST_OCTETS_MAX`, a reply `REPLY_OCTETS_MAX`, `CONNECTIONS_MAX` at a time. Errors are UserErrors.
 */
import { once } from 'node:events'
import { unlink } from 'node:fs/promises'
import net from 'node:net'
import { EXIT, type Problem, problemOf, toUserError, UserError, userErrorOf } from '#cli/exit.ts'

const REQUEST_OCTETS_MAX = 64 * 1024
/** A million queue entries would be more; lists are asked for in pages. */
const REPLY_OCTETS_MAX = 64 * 1024 * 1024
const CONNECTIONS_MAX = 16
/** For the request to arrive; a tool has it ready. */
const REQUEST_MS_MAX = 5_000
/** sockaddr_un (unix(7)) has 108 octets with its NUL. */
const PATH_OCTETS_MAX = 107

type Reply = { readonly ok: true; readonly body: unknown } | { readonly ok: false; readonly problem: Problem }

export type ControlHandler = (request: unknown) => Promise<unknown>

/** Serves until `close`. A socket that a dead process left is replaced; one that answers means: already running. */
export async function controlServer(path: string, handler: ControlHandler): Promise<{ close(): Promise<void> }> {
  checkLength(path)
  if (await answers(path)) {
    const text = `another Vorposten is running on ${path}`
    throw new UserError(text, 'Stop it first, or give this one another data folder.', EXIT.unavailable)
  }
  await unlink(path).catch(() => {})
  const server = net.createServer({ allowHalfOpen: true }, (socket) => serve(socket, handler))
  server.maxConnections = CONNECTIONS_MAX
  // The socket must never exist with wider rights, not even between two calls. Binding is done within `listen`.
  const before = process.umask(0o177)
  server.listen({ path, exclusive: true })
  process.umask(before)
  await once(server, 'listening')
  return { close: () => new Promise((resolve) => server.close(() => resolve())) }
}

/** Asks the running program. Rejects with a UserError, its own or the program's. */
export async function controlRequest(path: string, request: unknown, msMax = 30_000): Promise<unknown> {
  checkLength(path)
  const socket = net.connect({ path, allowHalfOpen: true })
  try {
    await once(socket, 'connect')
  } catch (error) {
    throw connectError(path, (error as NodeJS.ErrnoException).code)
  }
  socket.setTimeout(msMax, () => socket.destroy())
  socket.end(`${JSON.stringify(request)}\n`)
  const line = await readLine(socket, REPLY_OCTETS_MAX)
  socket.destroy()
  if (line === undefined) {
    throw new UserError('the running Vorposten gave no answer', 'See its log, then try again.', EXIT.unavailable)
  }
  const reply = JSON.parse(line) as Reply
  if (reply.ok) return reply.body
  throw userErrorOf(reply.problem)
}

async function serve(socket: net.Socket, handler: ControlHandler): Promise<void> {
  socket.on('error', () => {})
  socket.setTimeout(REQUEST_MS_MAX, () => socket.destroy())
  const line = await readLine(socket, REQUEST_OCTETS_MAX)
  if (line === undefined) {
    socket.destroy()
    return
  }
  socket.setTimeout(0)
  socket.end(`${JSON.stringify(await replyTo(line, handler))}\n`)
}

async function replyTo(line: string, handler: ControlHandler): Promise<Reply> {
  try {
    return { ok: true, body: await handler(JSON.parse(line)) }
  } catch (error) {
    const known = toUserError(error)
    if (known) return { ok: false, problem: problemOf(known) }
    const message = error instanceof Error ? error.message : String(error)
    return { ok: false, problem: { message, advice: 'This is a defect; see the log.', exitCode: EXIT.software } }
  }
}

// undefined: closed, failed or too long before there was a line.
function readLine(socket: net.Socket, octetsMax: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const parts: Buffer[] = []
    let octets = 0
    socket.on('data', (bytes: Buffer) => {
      const end = bytes.indexOf(0x0a)
      parts.push(end < 0 ? bytes : bytes.subarray(0, end))
      octets += bytes.length
      if (end >= 0) resolve(Buffer.concat(parts).toString())
      else if (octets > octetsMax) socket.destroy()
    })
    socket.once('end', () => resolve(undefined))
    socket.once('close', () => resolve(undefined))
    socket.once('error', () => resolve(undefined))
  })
}

async function answers(path: string): Promise<boolean> {
  const socket = net.connect({ path })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

function checkLength(path: string): void {
  if (Buffer.byteLength(path) <= PATH_OCTETS_MAX) return
  const text = `${path} is longer than ${PATH_OCTETS_MAX} octets, the system's limit for sockets`
  throw new UserError(text, 'Choose a data folder with a shorter path.', EXIT.config)
}

function connectError(path: string, code: string | undefined): UserError {
  if (code === 'EACCES' || code === 'EPERM') {
    const advice = 'Run this as root or as the user that runs Vorposten.'
    return new UserError(`no permission for ${path}`, advice, EXIT.notPermitted)
  }
  const advice = 'Start it (vorposten serve), or name the configuration that it runs with (--config).'
  return new UserError(`Vorposten is not running: nothing answers on ${path}`, advice, EXIT.unavailable)
}
