/**
 * DATA (RFC 5321 §4.1.1.4), BDAT (RFC 3030 §2) and the content they bring.
 *
 * BDAT tells how many octets follow, so a BDAT that is refused, for whatever reason, still has its octets read and
 * thrown away before the reply: they are content, never commands. Where the number cannot be read, or is so large that
 * reading on would be an attack on us, nobody knows where the next command begins, and the session is closed.
 *
 * Content with bare line ends or NUL after DATA is refused and the session closed: what the client sends behind it may
 * be the second half of a smuggled transaction, and an honest client loses only the reuse of the connection. After
 * BDAT the octets were counted, there is no doubt about the next command, and the session goes on.
 */
import { promise } from '#mail/custody.ts'
import type { ContentAnswer, EtrnAnswer } from '#mail/decisions.ts'
import { type NegativeReply, type PermanentReply, permanent } from '#mail/reply.ts'
import type { Transaction } from '#mail/session.ts'
import type { Gate } from '#mail/verdict.ts'
import type { Answer } from './contract.ts'
import { type ContentFault, DataReader } from './data-reader.ts'
import type { Chunk, SessionState } from './session-state.ts'

/** Content this many times over the limit is not read to its end. */
const OVERSIZE_FACTOR_MAX = 4

const GO_AHEAD = { code: 354, text: 'End data with <CRLF>.<CRLF>' } as const
const NO_VALID_RECIPIENTS = permanent(554, '5.5.1', 'No valid recipients')
const NEEDS_BDAT = permanent(503, '5.5.1', 'BINARYMIME content needs BDAT')
const CHUNK_OK = { code: 250, status: '2.0.0', text: 'Ok, more' } as const
const BAD_CHUNK = permanent(501, '5.5.4', 'Syntax: BDAT octets [LAST]')
const TOO_LARGE = permanent(552, '5.3.4', 'Message size exceeds the limit')

const FAULT_REPLIES: Record<ContentFault, PermanentReply> = {
  'bare-line-end': permanent(550, '5.6.0', 'Bare line feed or carriage return in content; see RFC 5321 section 2.3.8'),
  nul: permanent(550, '5.6.0', 'NUL in content'),
  'line-too-long': permanent(550, '5.6.0', 'Text line too long; see RFC 5321 section 4.5.3.1.6'),
  'too-large': TOO_LARGE,
}

export function data(state: SessionState): PermanentReply | undefined {
  const transaction = openTransaction(state)
  // RFC 2920 §3.1: a pipelining client may come here although every RCPT was refused; 354 would take its content.
  if (state.phase === 'mail') return NO_VALID_RECIPIENTS
  // RFC 3030 §3
  if (transaction.envelope.body === 'binarymime') return NEEDS_BDAT
  state.ask({ kind: 'data', transaction })
  return undefined
}

export function dataAnswered(state: SessionState, gate: Gate): void {
  if (state.chunk !== undefined) firstChunkAnswered(state, state.chunk, gate)
  else if (gate.kind === 'accept') {
    state.enter('data')
    state.reader = newReader(state, 'dot')
    state.say(GO_AHEAD)
  } else {
    // A refused DATA leaves the transaction as it is: the client may try again, or RSET.
    state.decline(gate.reply)
  }
}

/** Reads content after 354; the answer is the index behind what was taken. */
export function readData(state: SessionState, bytes: Buffer, from: number): number {
  const reader = openReader(state)
  const at = reader.read(bytes, from, bytes.length)
  // Before looking for the end, so that it makes no difference whether the end came in the same bytes.
  if (reader.wireOctets > OVERSIZE_FACTOR_MAX * state.settings.limits.contentOctetsMax) {
    state.closeWith(TOO_LARGE, 'error')
  } else if (reader.ended) dataEnded(state, reader)
  return at
}

function dataEnded(state: SessionState, reader: DataReader): void {
  const { fault } = reader
  if (fault === undefined) askContent(state, reader)
  else if (fault === 'bare-line-end' || fault === 'nul') state.closeWith(FAULT_REPLIES[fault], 'error')
  else {
    const { transaction } = state
    state.abandon()
    state.enter('ready')
    state.refuse(FAULT_REPLIES[fault], { transaction, at: 'content' })
  }
}

function askContent(state: SessionState, reader: DataReader): void {
  state.reader = undefined
  state.ask({ kind: 'content', transaction: openTransaction(state), content: reader.content })
}

export function contentAnswered(state: SessionState, answer: Gate | ContentAnswer | EtrnAnswer): void {
  state.endTransaction()
  state.enter('ready')
  if (answer.kind === 'accept') state.say(promise(custodyOf(answer)))
  else if (answer.kind === 'discard') state.say(promise(answer.record))
  else if (answer.kind === 'vanish') state.close('error')
  else state.decline(answer.reply)
}

// Law 1: the types of the stages say it, and this says it again where the promise is made.
function custodyOf(answer: Extract<Answer, { kind: 'accept' }>) {
  if (!('custody' in answer)) throw new Error('content was accepted without custody')
  return (answer as Extract<ContentAnswer, { kind: 'accept' }>).custody
}

interface ChunkSize {
  readonly octets: number
  readonly last: boolean
}

function chunkSize(argument: string): ChunkSize | undefined {
  const match = /^(\d{1,20})( +LAST)?$/i.exec(argument)
  if (match === null) return undefined
  const octets = Number(match[1])
  return Number.isSafeInteger(octets) ? { octets, last: match[2] !== undefined } : undefined
}

export const isChunk = (argument: string): boolean => chunkSize(argument) !== undefined

/** Allowed with recipients, or after an earlier chunk. The path is asked before the first chunk is read. */
export function bdat(state: SessionState, argument: string): undefined {
  const chunk = beginChunk(state, argument)
  if (chunk === undefined) return
  if (state.phase === 'rcpt') state.ask({ kind: 'data', transaction: openTransaction(state) })
  else if (chunk.octetsLeft === 0) chunkEnded(state, chunk)
}

/** A BDAT that is not allowed now: its octets are read, then it is refused. */
export function bdatRefused(state: SessionState, argument: string, refusal: PermanentReply): undefined {
  const chunk = beginChunk(state, argument)
  if (chunk === undefined) return
  chunk.refusal = refusal
  if (chunk.octetsLeft === 0) chunkEnded(state, chunk)
}

function beginChunk(state: SessionState, argument: string): Chunk | undefined {
  const size = chunkSize(argument)
  if (size === undefined) {
    state.closeWith(BAD_CHUNK, 'error')
    return undefined
  }
  if (size.octets > OVERSIZE_FACTOR_MAX * state.settings.limits.contentOctetsMax) {
    state.closeWith(TOO_LARGE, 'error')
    return undefined
  }
  state.chunk = { octetsLeft: size.octets, last: size.last, refusal: undefined, declined: false }
  return state.chunk
}

function firstChunkAnswered(state: SessionState, chunk: Chunk, gate: Gate): void {
  if (gate.kind === 'accept') {
    state.enter('chunks')
    state.reader = newReader(state, 'count')
  } else {
    state.enter('failed')
    chunk.refusal = gate.reply
    chunk.declined = true
  }
  if (chunk.octetsLeft === 0) chunkEnded(state, chunk)
}

/** Reads octets of the open chunk; the answer is the index behind what was taken. */
export function readChunk(state: SessionState, chunk: Chunk, bytes: Buffer, from: number): number {
  const end = Math.min(bytes.length, from + chunk.octetsLeft)
  if (chunk.refusal === undefined) openReader(state).read(bytes, from, end)
  chunk.octetsLeft -= end - from
  if (chunk.octetsLeft === 0) chunkEnded(state, chunk)
  return end
}

function chunkEnded(state: SessionState, chunk: Chunk): void {
  state.chunk = undefined
  if (chunk.refusal === undefined) chunkRead(state, chunk, openReader(state))
  else chunkRefused(state, chunk, chunk.refusal)
}

function chunkRead(state: SessionState, chunk: Chunk, reader: DataReader): void {
  if (chunk.last) reader.finish()
  if (reader.fault !== undefined) {
    state.enter('failed')
    chunkRefused(state, chunk, FAULT_REPLIES[reader.fault])
  } else if (chunk.last) askContent(state, reader)
  else state.say(CHUNK_OK)
}

// The last chunk ends a transaction that has failed: no more of it can come, and the client may go on.
function chunkRefused(state: SessionState, chunk: Chunk, reply: NegativeReply): void {
  if (state.phase === 'failed' && chunk.last) {
    state.abandon()
    state.enter('ready')
  }
  if (chunk.declined) state.decline(reply)
  else state.refuse(reply)
}

function newReader(state: SessionState, framing: 'dot' | 'count'): DataReader {
  const { limits, lineEnds } = state.settings
  return new DataReader({
    framing,
    binary: openTransaction(state).envelope.body === 'binarymime',
    lineEnds,
    octetsMax: limits.contentOctetsMax,
    textLineOctetsMax: limits.textLineOctetsMax,
  })
}

function openTransaction(state: SessionState): Transaction {
  if (state.transaction === undefined) throw new Error('no transaction is open')
  return state.transaction
}

function openReader(state: SessionState): DataReader {
  if (state.reader === undefined) throw new Error('no content is being read')
  return state.reader
}
