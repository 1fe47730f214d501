/**
 * One process at a time per folder. When a supervisor is killed, its workers end too, but a little later; a new worker
 * must not open the spool before.
 *
 * The lock is an abstract Unix socket (unix(7)) named after the folder's device and inode: the kernel takes it away with
 * its process, however that dies, and leaves no file behind. It reaches as far as the network namespace does: two
 * containers on one volume do not see each other. Systems other than Linux have no such sockets; there nothing is locked.
 */
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import net from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { EXIT, UserError } from '#cli/exit.ts'

/** The process before needs about one turn of its event loop to notice that it should end. */
export const LOCK_WAIT_MS_MAX = 15_000
const RETRY_MS = 50

/** Held until the process ends, or `close`. Rejects with a UserError if another process keeps it. */
export async function lockFolder(folder: string, waitMsMax = LOCK_WAIT_MS_MAX): Promise<{ close(): void }> {
  const { dev, ino } = await stat(folder)
  if (process.platform !== 'linux') return { close: () => {} }
  for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
    const server = net.createServer((socket) => socket.destroy())
    try {
      await once(server.listen({ path: `\0vorposten-folder-${dev}-${ino}`, exclusive: true }), 'listening')
      server.unref()
      return server
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
    if (waitedMs >= waitMsMax) {
      throw new UserError(`another process keeps ${folder}`, 'Stop the Vorposten that uses it.', EXIT.unavailable)
    }
    await wait(RETRY_MS)
  }
}
