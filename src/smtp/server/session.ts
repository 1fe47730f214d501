/**
 * The receiving side of an SMTP session (RFC 5321) as a machine without I/O: octets, answers and clock ticks in, effects
 * out. `commands.ts` is the protocol as a table, `session-state.ts` what may happen, this the order in which it does.
 *
 * Octets are executed strictly in order (RFC 2920 §3.2). While a question is open nothing is executed; what arrives
 * waits, and from `pendingOctetsMax` on the machine wants no more. The bytes given to `receive` are kept as slices of
 * content: the driver must not write into them again.
 *
 * Time: `tick` brings the monotonic clock. A command must be complete within `commandMsMax` of the one before; single
 * octets of it do not count, so a client that drips them gains nothing. Content has `dataBlockMsMax` per read. While
 * the path decides, the client waits for us and no time runs but the session's, which ends it after the answer.
 */
import type { AuthAnswer } from '#mail/decisions.ts'
import { type NegativeReply, type PermanentReply, type TransientReply, transient } from '#mail/reply.ts'
import type { Session, TlsFacts } from '#mail/session.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { Gate } from '#mail/verdict.ts'
import { AUTH_LINE_OCTETS_MAX, authAnswered, authLine } from './auth-commands.ts'
import { etrnAnswered, execute } from './commands.ts'
import { contentAnswered, dataAnswered, readChunk, readData } from './content-commands.ts'
import type { Answer, Effect, OwnRefusal, Question, ServerMachine, ServerSettings } from './contract.ts'
import { mailAnswered, rcptAnswered } from './envelope-commands.ts'
import { LineReader } from './line-reader.ts'
import { SessionState } from './session-state.ts'

const SHUTTING_DOWN = transient(421, '4.3.2', 'Service is shutting down')
const TIMED_OUT = transient(421, '4.4.2', 'Timeout')

/** `nowMs`: the monotonic clock, as `tick` will bring it. `tell` hears what the machine refuses by itself. */
export function createServerSession(
  settings: ServerSettings,
  session: Session,
  newTraceId: () => TraceId,
  nowMs: number,
  tell: (refusal: OwnRefusal) => void = () => {},
): ServerMachine {
  return new ServerSession(new SessionState(settings, session, newTraceId, nowMs, tell))
}

class ServerSession implements ServerMachine {
  readonly session: Session
  readonly #state: SessionState
  readonly #line: LineReader
  #authLine: LineReader | undefined
  #input: Buffer[] = []
  /** Index into the first of `#input`: up to here it was taken. */
  #at = 0
  #pendingOctets = 0
  /** Something counted against silence since the last tick. */
  #heard = false
  #heardMs: number

  constructor(state: SessionState) {
    this.#state = state
    this.session = state.session
    this.#line = new LineReader(state.settings.limits.commandOctetsMax)
    this.#heardMs = state.nowMs
  }

  greet(gate: Gate): void {
    const state = this.#state
    if (state.phase === 'closed') return
    this.#heard = true
    if (gate.kind !== 'accept') state.closeWith(refusedGreeting(gate.reply), 'refused')
    else if (state.shuttingDown) state.closeWith(SHUTTING_DOWN, 'shutdown')
    else {
      state.enter('greeted')
      // RFC 5321 §4.3.1: the host name first. No enhanced status here (RFC 2034 §4).
      state.say({ code: 220, text: `${state.settings.hostname} ESMTP Vorposten` })
    }
    this.#run()
  }

  receive(bytes: Buffer): void {
    if (bytes.length === 0 || this.#deaf) return
    this.#input.push(bytes)
    this.#pendingOctets += bytes.length
    this.#run()
  }

  answer(answer: Answer): void {
    const { question, phase } = this.#state
    // The peer may have vanished while the path was deciding.
    if (phase === 'closed') return
    if (question === undefined) throw new Error('an answer without a question')
    this.#state.question = undefined
    this.#heard = true
    this.#answered(question, answer)
    this.#run()
  }

  secured(tls: TlsFacts): void {
    const state = this.#state
    if (state.phase === 'closed') return
    // RFC 3207 §4.2: what the client said before TLS, anybody may have said.
    delete state.session.greetingName
    delete state.session.authenticated
    state.session.extended = false
    state.session.tls = tls
    state.enter('greeted')
    this.#heard = true
    this.#run()
  }

  lost(): void {
    if (this.#state.phase === 'closed') return
    this.#state.lose()
    this.#discardInput()
  }

  tick(nowMs: number): void {
    const state = this.#state
    state.nowMs = nowMs
    if (this.#heard) this.#heardMs = nowMs
    this.#heard = false
    if (state.phase === 'closed' || state.phase === 'connected' || state.question !== undefined) return
    const { commandMsMax, dataBlockMsMax, sessionMsMax } = state.settings.limits
    const silenceMsMax = state.inContent ? dataBlockMsMax : commandMsMax
    if (nowMs - this.#heardMs <= silenceMsMax && nowMs - state.startedMs <= sessionMsMax) return
    // In the middle of a TLS handshake nothing may be said.
    if (state.phase === 'securing') state.close('timeout')
    else state.closeWith(TIMED_OUT, 'timeout')
    this.#discardInput()
  }

  shutDown(): void {
    this.#state.shuttingDown = true
    if (this.#state.phase !== 'connected') this.#run()
  }

  get wantsInput(): boolean {
    // What comes after the end is read and thrown away, so that our last reply is not lost to a TCP reset.
    if (this.#state.phase === 'closed') return true
    return this.#state.phase !== 'securing' && this.#pendingOctets < this.#state.settings.limits.pendingOctetsMax
  }

  get idle(): boolean {
    return this.#state.question === undefined && !this.#state.inContent
  }

  take(): Effect[] {
    return this.#state.take()
  }

  /** No octet is taken: the session is over, or TLS is about to begin (RFC 3207 §4.2, CVE-2011-0411). */
  get #deaf(): boolean {
    return this.#state.phase === 'closed' || this.#state.phase === 'securing'
  }

  #run(): void {
    const state = this.#state
    while (state.question === undefined && state.phase !== 'connected' && !this.#deaf) {
      if (state.shuttingDown && !state.inContent) state.closeWith(SHUTTING_DOWN, 'shutdown')
      else if (!this.#step()) return
    }
    if (this.#deaf) this.#discardInput()
  }

  // One command, or content as far as it goes in one buffer; false: there is nothing to read.
  #step(): boolean {
    const bytes = this.#input[0]
    if (bytes === undefined) return false
    const from = this.#at
    this.#at = this.#read(bytes, from)
    // Closing or STARTTLS may have thrown the input away meanwhile; both end the loop.
    this.#pendingOctets -= this.#at - from
    if (this.#at === bytes.length) {
      this.#input.shift()
      this.#at = 0
    }
    return true
  }

  #read(bytes: Buffer, from: number): number {
    const state = this.#state
    if (state.chunk !== undefined) {
      this.#heard = true
      return readChunk(state, state.chunk, bytes, from)
    }
    if (state.phase === 'data') {
      this.#heard = true
      return readData(state, bytes, from)
    }
    const isAuth = state.phase === 'auth'
    const line = isAuth ? (this.#authLine ??= new LineReader(AUTH_LINE_OCTETS_MAX)) : this.#line
    const end = line.read(bytes, from)
    if (line.complete) {
      this.#heard = true
      if (isAuth) authLine(state, line)
      else execute(state, line)
    }
    return end
  }

  #discardInput(): void {
    this.#input = []
    this.#at = 0
    this.#pendingOctets = 0
  }

  #answered(question: Question, answer: Answer): void {
    const state = this.#state
    if (question.kind === 'auth') {
      authAnswered(state, answer as AuthAnswer)
      return
    }
    if (answer.kind === 'challenge' || answer.kind === 'authenticated')
      throw new Error(`${question.kind} cannot be answered by ${answer.kind}`)
    if (question.kind === 'content') contentAnswered(state, answer)
    else if (answer.kind === 'vanish' || answer.kind === 'discard')
      throw new Error(`${question.kind} cannot be answered by ${answer.kind}`)
    // 421 may answer any command (RFC 5321 §3.8). Only content that has come is decided to the end.
    else if (state.shuttingDown) state.closeWith(SHUTTING_DOWN, 'shutdown')
    else if (question.kind === 'mail') mailAnswered(state, answer)
    else if (question.kind === 'rcpt') rcptAnswered(state, question, answer)
    else if (question.kind === 'data') dataAnswered(state, answer)
    else etrnAnswered(state, answer)
  }
}

// RFC 5321 §3.1 and RFC 7504 §3 know 554 and 521 in place of a greeting, §3.8 knows 421. After 554 a server should wait
// for QUIT; one that refuses thousands of connections cannot afford to, and closes.
function refusedGreeting(reply: NegativeReply): NegativeReply {
  if (reply.code < 500) return { ...(reply as TransientReply), code: 421 }
  return { ...(reply as PermanentReply), code: reply.code === 521 ? 521 : 554 }
}
