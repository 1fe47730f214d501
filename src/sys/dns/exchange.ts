/**
 * One question to one name server: by UDP from a fresh port, with an id nobody can guess (RFC 5452 §9); by TCP where the
 * answer does not fit into a datagram (RFC 7766). The kernel lets only datagrams of that server through; answers to other
 * questions are passed over, and where many come somebody is guessing: then TCP decides.
 */
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import type { Endpoint } from '#mail/session.ts'
import type { RecordType } from './answer.ts'
import { encodeQuestion, type Question, type Reading, readAnswer } from './message.ts'

/** Datagrams that are no answer to us, before TCP is asked instead. */
const STRANGERS_MAX = 8

export type Exchanged<T extends RecordType> =
  | Exclude<Reading<T>, { kind: 'truncated' | 'foreign' }>
  | { readonly kind: 'silent'; readonly text: string }

/** For tests. */
export type AskServer = <T extends RecordType>(
  server: Endpoint,
  question: Question & { readonly type: T },
  timeoutMs: number,
) => Promise<Exchanged<T>>

/** Never rejects. The time-out is that of each of the two ways. */
export const askServer: AskServer = async (server, question, timeoutMs) => {
  const answer = await overUdp(server, question, timeoutMs)
  return answer.kind === 'truncated' ? overTcp(server, question, timeoutMs) : answer
}

const newId = (): number => randomInt(0x1_0000)
const silent = (text: string): { readonly kind: 'silent'; readonly text: string } => ({ kind: 'silent', text })
const textOf = (error: NodeJS.ErrnoException): string => error.code ?? error.message

function overUdp<T extends RecordType>(
  server: Endpoint,
  question: Question & { readonly type: T },
  timeoutMs: number,
): Promise<Exchanged<T> | { kind: 'truncated' }> {
  const id = newId()
  const socket = createSocket(server.address.includes(':') ? 'udp6' : 'udp4')
  return new Promise((resolve) => {
    let strangers = 0
    const timer = setTimeout(() => done(silent(`no answer within ${timeoutMs} ms`)), timeoutMs)
    const done = (answer: Exchanged<T> | { kind: 'truncated' }): void => {
      clearTimeout(timer)
      socket.removeAllListeners()
      // What a closing socket still has to say interests nobody.
      socket.on('error', () => {})
      socket.close()
      resolve(answer)
    }
    socket.on('error', (error) => done(silent(textOf(error))))
    socket.on('message', (octets) => {
      const answer = readAnswer(octets, id, question)
      if (answer.kind !== 'foreign' && answer.kind !== 'malformed') return done(answer)
      strangers++
      if (strangers >= STRANGERS_MAX) done({ kind: 'truncated' })
    })
    socket.connect(server.port, server.address, () => socket.send(encodeQuestion(id, question)))
  })
}

function overTcp<T extends RecordType>(
  server: Endpoint,
  question: Question & { readonly type: T },
  timeoutMs: number,
): Promise<Exchanged<T>> {
  const id = newId()
  const socket = connect({ host: server.address, port: server.port, autoSelectFamily: false })
  return new Promise((resolve) => {
    const timer = setTimeout(() => done(silent(`no answer by TCP within ${timeoutMs} ms`)), timeoutMs)
    const done = (answer: Exchanged<T>): void => {
      clearTimeout(timer)
      resolve(answer)
      socket.destroy()
    }
    let received: Buffer = Buffer.alloc(0)
    socket.on('error', (error) => done(silent(textOf(error))))
    socket.on('close', () => done(silent('closed by the server')))
    socket.on('data', (octets: Buffer) => {
      received = Buffer.concat([received, octets])
      const length = received.length < 2 ? undefined : received.readUInt16BE(0)
      if (length === undefined || received.length < 2 + length) return
      const answer = readAnswer(received.subarray(2, 2 + length), id, question)
      if (answer.kind === 'truncated' || answer.kind === 'foreign') {
        done({ kind: 'malformed', text: 'the answer by TCP is none to our question' })
      } else done(answer)
    })
    const query = encodeQuestion(id, question)
    const length = Buffer.alloc(2)
    length.writeUInt16BE(query.length)
    socket.write(Buffer.concat([length, query]))
  })
}
