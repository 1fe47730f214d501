/** The thread that verifies. It has no network of its own: what it wants of DNS it asks of the program. */
import { parentPort } from 'node:worker_threads'
import type { Answer, RecordType } from '#sys/dns/answer.ts'
import { evaluate } from './evaluate.ts'
import type { FromThread, ToThread } from './questions.ts'

const port = parentPort!
const waiting = new Map<number, (answer: Answer<RecordType>) => void>()
let questions = 0

const say = (message: FromThread): void => port.postMessage(message)

port.on('message', (message: ToThread) => {
  if (message.kind === 'verify') return void verify(message)
  waiting.get(message.question)?.(message.answer)
  waiting.delete(message.question)
})

async function verify({ job, evidence, octets }: Extract<ToThread, { kind: 'verify' }>): Promise<void> {
  try {
    const verified = await evaluate(evidence, octets, (name, type) => {
      const question = questions++
      const { promise, resolve } = Promise.withResolvers<Answer<RecordType>>()
      waiting.set(question, resolve)
      say({ kind: 'lookup', job, question, name, type })
      return promise
    })
    say({ kind: 'verified', job, verified })
  } catch (error) {
    say({ kind: 'failed', job, text: (error as Error).message })
  }
}
