/** The thread of the embedded engine: one message in, its facts out. It knows nothing of the program around it. */
import { parentPort } from 'node:worker_threads'
import type { FromThread, ToThread } from './embedded.ts'
import { look } from './look.ts'

const port = parentPort!

port.on('message', async ({ job, octets }: ToThread) => {
  const say = (message: FromThread) => port.postMessage(message)
  try {
    say({ job, facts: await look(Buffer.from(octets), () => performance.now()) })
  } catch (error) {
    say({ job, failed: (error as Error).message })
  }
})
