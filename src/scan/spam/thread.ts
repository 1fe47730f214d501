/** The reading thread: one message in, the signs of all rules out. It knows nothing of the program around it. */
import { parentPort } from 'node:worker_threads'
import type { FromThread, ToThread } from '#sys/threads.ts'
import { linkDomains } from './links.ts'
import { lookAt } from './look.ts'
import { partiesOf } from './mailboxes.ts'
import type { ReaderQuestion, SpamReading } from './reader.ts'

const port = parentPort!
const say = (message: FromThread<SpamReading>) => port.postMessage(message)

port.on('message', ({ job, octets, about }: ToThread<ReaderQuestion>) => {
  try {
    const { message, signs, trail } = lookAt(Buffer.from(octets.buffer, octets.byteOffset, octets.length), about)
    say({ job, signs, trail, linkDomains: linkDomains(message), authorDomain: partiesOf(message).from.domain })
  } catch (error) {
    say({ job, failed: (error as Error).message })
  }
})
