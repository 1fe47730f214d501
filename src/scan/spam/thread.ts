/** The reading thread: one message in, the signs of all rules out. It knows nothing of the program around it. */
import { parentPort } from 'node:worker_threads'
import type { FromThread, ToThread } from '#sys/threads.ts'
import { Models } from './classifier/models.ts'
import { linkDomains } from './links.ts'
import { lookAt } from './look.ts'
import { partiesOf } from './mailboxes.ts'
import type { ReaderQuestion, SpamReading } from './reader.ts'

const port = parentPort!
const say = (message: FromThread<SpamReading>) => port.postMessage(message)

/** By folder; a worker has one. */
let models: { readonly folder: string | undefined; readonly of: Models['of'] } | undefined

function modelsIn(folder: string | undefined): Pick<Models, 'of'> {
  if (models === undefined || models.folder !== folder) {
    const read = new Models(folder)
    models = { folder, of: (tenant) => read.of(tenant) }
  }
  return models
}

port.on('message', ({ job, octets, about, modelFolder, tenant }: ToThread<ReaderQuestion>) => {
  try {
    const read = Buffer.from(octets.buffer, octets.byteOffset, octets.length)
    const { message, signs, trail } = lookAt(read, about, modelsIn(modelFolder).of(tenant))
    say({ job, signs, trail, linkDomains: linkDomains(message), authorDomain: partiesOf(message).from.domain })
  } catch (error) {
    say({ job, failed: (error as Error).message })
  }
})
