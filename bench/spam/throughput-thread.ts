/** A thread of bench/spam/throughput.ts: looks at messages with the starter that ships with the program; its answer is the score. */
import { parentPort } from 'node:worker_threads'
import { Classifier } from '#scan/spam/classifier/classifier.ts'
import { readStarter } from '#scan/spam/classifier/starter.ts'
import { combine } from '#scan/spam/combine.ts'
import { lookAt } from '#scan/spam/look.ts'

const starter = readStarter()
if (starter.kind !== 'layer') throw new Error(`the starter: ${starter.text}`)
const learned = { kind: 'learned', classifier: new Classifier([starter.layer], 1) } as const

parentPort!.on('message', (octets: Uint8Array) => {
  const { signs } = lookAt(Buffer.from(octets.buffer, octets.byteOffset, octets.length), {}, learned)
  parentPort!.postMessage(combine({ signs, silent: [], durationMs: 0 }).score)
})
