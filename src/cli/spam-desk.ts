/**
 * A worker's side of what the spam filter learns: says to the supervisor that somebody called a message spam or wanted. It
 * sends the features of the message, not the message. Whoever is told goes on at once; a lesson that gets lost is one lesson.
 */
import type { Content } from '#mail/content.ts'
import { featuresOf } from '#scan/spam/classifier/features.ts'
import { packed } from '#scan/spam/classifier/packing.ts'
import { readMessage } from '#scan/spam/message.ts'
import { beginningOf } from '#sys/threads.ts'
import type { Teach } from '../relay/teaching.ts'
import type { Outside } from './assemble.ts'
import type { SpamQuestions, Teaching } from './clerks/spam-requests.ts'
import type { AskDesk } from './serve/worker.ts'

/** Of a message that is learned; the classifier looks no further. */
const OCTETS_MAX = 512 * 1024

/** Nobody learns where no supervisor is. */
export const teachOf = (shared: Outside['shared'] | undefined): { teach?: Teach } =>
  shared === undefined ? {} : { teach: teachDesk(shared.desk, (text) => void process.stderr.write(`spam: ${text}\n`)) }

export function teachDesk(desk: AskDesk, fault: (text: string) => void): Teach {
  return ({ content, ...lesson }) => {
    try {
      const teaching: Teaching = { ...lesson, features: featuresOfContent(content) }
      const body: SpamQuestions['spam/learn']['body'] = [teaching]
      desk('spam/learn', body).catch((error: unknown) => fault(`not learned: ${(error as Error).message}`))
    } catch (error) {
      fault(`not learned: ${(error as Error).message}`)
    }
  }
}

function featuresOfContent(content: Content): Uint8Array {
  const octets = Buffer.concat(beginningOf(content, OCTETS_MAX).chunks)
  return packed(featuresOf(readMessage(octets), octets))
}
