/** A reading thread: one message in, what engines beside us do not see and its facts out, or its parts. It knows nothing of the program around it. */
import { parentPort } from 'node:worker_threads'
import type { ScanFact } from '#mail/scan.ts'
import { readEveryWay } from '#mime/readings/readings.ts'
import { partsOf } from '#mime/removal/parts.ts'
import type { FromThread, ToThread } from '#sys/threads.ts'
import type { EmbeddedAnswer, EmbeddedQuestion } from './embedded.ts'
import { extraOf, pack } from './extra.ts'
import { distinct, doubtsOf, examined } from './look.ts'
import { createBudget, UNPACK_LIMITS } from './unpack/budget.ts'

const port = parentPort!
const now = () => performance.now()
type Asked = ToThread<EmbeddedQuestion>

const say = (message: FromThread<EmbeddedAnswer>, moved: ArrayBuffer[] = []) => port.postMessage(message, moved)

port.on('message', async (message: Asked) => {
  const { job } = message
  try {
    if (message.wantsParts) say({ job, parts: partsOf(octetsOf(message)) })
    else say({ job, facts: await look(message) })
  } catch (error) {
    say({ job, failed: (error as Error).message })
  }
})

const octetsOf = ({ octets }: Asked): Buffer => Buffer.from(octets.buffer, octets.byteOffset, octets.length)

async function look(message: Asked): Promise<readonly ScanFact[]> {
  const { job, examines, wantsExtra } = message
  const octets = octetsOf(message)
  const read = readEveryWay(octets)
  const facts = doubtsOf(read)
  if (wantsExtra) {
    const extra = await extraOf(read.readings, octets.length, createBudget(UNPACK_LIMITS, now))
    facts.push(...extra.facts)
    // First of all: the engines wait for it.
    const packed = pack(extra.objects)
    say({ job, extra: packed }, [packed.octets.buffer])
  }
  return distinct(examines ? [...facts, ...(await examined(read, now))] : facts)
}
