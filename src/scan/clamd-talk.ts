/**
 * One conversation with clamd: `zINSTREAM`, the octets in chunks with a 32-bit length before each, a chunk of length 0, and
 * one answer that ends in NUL. A connection serves one content: clamd gives each a thread either way.
 *
 * Never rejects, and never says `clean` but for the exact words, after all octets were sent. A limit of clamd's own
 * (StreamMaxLength) shows as an error text or, often, as nothing but a reset while we still write: `reset`.
 */
import type { Clock } from '#sys/clock.ts'
import type { Failure } from './servers.ts'
import { type Conversation, pieces, type SocketAddress, type TalkLimits, talk } from './talk.ts'

export type ClamdAnswer = { readonly kind: 'clean' } | { readonly kind: 'found'; readonly name: string } | Failure

/** An answer is a name of some dozen octets; more is no answer of clamd's. */
export const ANSWER_OCTETS_MAX = 4_096
/** What an answer that cannot be read shows of itself. */
const GARBLED_CHARACTERS_MAX = 100

export function clamdTalk(
  address: SocketAddress,
  chunks: readonly Buffer[],
  limits: TalkLimits,
  clock: Pick<Clock, 'after'>,
): Promise<ClamdAnswer> {
  return talk(address, conversation(inStream(chunks), readScan), limits, clock)
}

/** The version of program and signatures in its own words: `ClamAV 1.4.3/27000/Tue Nov 24 09:00:00 2026`. */
export async function clamdVersion(
  address: SocketAddress,
  limits: TalkLimits,
  clock: Pick<Clock, 'after'>,
): Promise<string | undefined> {
  const read = (answer: string) => (/^ClamAV [\x20-\x7e]{1,200}$/.test(answer) ? answer : garbled(answer))
  const answer = await talk(address, conversation([[Buffer.from('zVERSION\0')]], read), limits, clock)
  return typeof answer === 'string' ? answer : undefined
}

function* inStream(chunks: readonly Buffer[]): Generator<readonly Buffer[]> {
  yield [Buffer.from('zINSTREAM\0')]
  for (const piece of pieces(chunks)) yield [lengthOf(piece.length), piece]
  yield [lengthOf(0)]
}

function lengthOf(octets: number): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(octets)
  return length
}

/** An answer is what stands before the NUL, and nothing may stand behind it. */
function conversation<Answer>(
  send: Iterable<readonly Buffer[]>,
  read: (answer: string, sentAll: boolean) => Answer | Failure,
): Conversation<Answer | Failure> {
  let heard = ''
  return {
    send,
    hear(octets, sentAll) {
      heard += octets.toString('latin1')
      const end = heard.indexOf('\0')
      if (end < 0) return heard.length > ANSWER_OCTETS_MAX ? garbled(heard) : undefined
      const isWhole = end < ANSWER_OCTETS_MAX && end + 1 === heard.length
      return isWhole ? read(heard.slice(0, end), sentAll) : garbled(heard)
    },
    closed: () => (heard === '' ? undefined : garbled(heard)),
  }
}

function readScan(answer: string, sentAll: boolean): ClamdAnswer {
  // "OK" before it has all of it is a word about something else.
  if (answer === 'stream: OK') return sentAll ? { kind: 'clean' } : garbled(answer)
  const name = /^stream: ([\x21-\x7e]{1,200}) FOUND$/.exec(answer)?.[1]
  if (name !== undefined) return { kind: 'found', name }
  if (/^INSTREAM size limit exceeded\. ERROR$/.test(answer)) return { kind: 'too-large', text: answer }
  if (/(?:CL_ETIMEOUT|[Tt]ime limit reached).* ERROR$/.test(answer)) return { kind: 'timed-out', text: answer }
  return garbled(answer)
}

const garbled = (heard: string): Failure => ({
  kind: 'garbled',
  text: `not an answer of clamd: ${JSON.stringify(heard.slice(0, GARBLED_CHARACTERS_MAX))}`,
})
