/** A server of Debian's in a folder of its own: started until it is ready, signalled with its children, killed, cleared away. */
import { connect } from 'node:net'
import type { Child } from '../harness/child.ts'
import type { TempFolder } from '../harness/temp-folder.ts'
import { waitFor } from '../harness/wait-for.ts'

export interface Daemon extends AsyncDisposable {
  start(): Promise<void>
  /** To all of its processes. */
  signal(signal: NodeJS.Signals): void
  kill9(): Promise<void>
}

export interface DaemonParts {
  readonly name: string
  readonly folder: TempFolder
  readonly launch: () => Child
  readonly isReady: (child: Child) => boolean | Promise<boolean>
  /** Much more than it takes on a busy machine. */
  readonly startMsMax?: number
}

/** Started. One that ends before it is ready is told with what it said. */
export async function startDaemon({ name, folder, launch, isReady, startMsMax }: DaemonParts): Promise<Daemon> {
  let child: Child | undefined
  const daemon: Daemon = {
    async start() {
      const started = launch()
      child = started
      await waitFor(name, () => running(started) && isReady(started), {
        ...(startMsMax !== undefined && { msMax: startMsMax }),
        context: () => started.lines.join('\n'),
      })
    },
    signal: (signal) => void (child && process.kill(-child.pid, signal)),
    async kill9() {
      await child?.kill9()
    },
    async [Symbol.asyncDispose]() {
      await child?.kill9()
      folder.remove()
    },
  }
  await daemon.start()
  return daemon
}

function running(child: Child): true {
  if (!child.running) throw new Error(`it ended at once\n${child.lines.join('\n')}`)
  return true
}

export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
