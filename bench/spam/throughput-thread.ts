/** A thread of bench/spam/throughput.ts: learns what it is given, then looks at messages, with the score as its answer. */
import { parentPort, workerData } from 'node:worker_threads'
import { Classifier } from '#scan/spam/classifier/classifier.ts'
import { featuresOf } from '#scan/spam/classifier/features.ts'
import { GLOBAL_BITS, train } from '#scan/spam/classifier/training.ts'
import { combine } from '#scan/spam/combine.ts'
import { lookAt } from '#scan/spam/look.ts'
import { readMessage } from '#scan/spam/message.ts'

interface Lesson {
  readonly octets: Uint8Array
  readonly isSpam: boolean
}

const bufferOf = (octets: Uint8Array): Buffer => Buffer.from(octets.buffer, octets.byteOffset, octets.length)

const lessons = (workerData as readonly Lesson[]).map(({ octets, isSpam }) => {
  const read = bufferOf(octets)
  return { features: featuresOf(readMessage(read), read), isSpam, weight: 1 }
})
const classifier = new Classifier([train(lessons, GLOBAL_BITS)])

parentPort!.on('message', (octets: Uint8Array) => {
  const { signs } = lookAt(bufferOf(octets), {}, { kind: 'learned', classifier })
  parentPort!.postMessage(combine({ signs, silent: [], durationMs: 0 }).score)
})
