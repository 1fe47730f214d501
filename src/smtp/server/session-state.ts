/**
 * What a server session knows and the few things that may happen to it. The commands (`commands.ts`) act on this, the
 * machine (`session.ts`) feeds it. Phases change only in `enter`, which knows every change that is allowed.
 */
import { type NegativeReply, type Reply, replyBytes, transient } from '#mail/reply.ts'
import type { EnvelopeDraft, Session, Transaction } from '#mail/session.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { Effect, OwnRefusal, Question, ServerSettings } from './contract.ts'
import type { DataReader } from './data-reader.ts'

export type Phase =
  /** No greeting yet. */
  | 'connected'
  /** Greeted; no EHLO or HELO yet, or TLS has just begun. */
  | 'greeted'
  /** No transaction. */
  | 'ready'
  /** A transaction without recipients. */
  | 'mail'
  /** A transaction with recipients. */
  | 'rcpt'
  /** Content after 354, until its reply. */
  | 'data'
  /** BDAT has begun and its last chunk has not been answered. */
  | 'chunks'
  /** A chunk was refused: RFC 3030 §2 leaves the client only RSET; its further chunks are read and refused. */
  | 'failed'
  /** AUTH has begun: lines are answers to its challenges. */
  | 'auth'
  /** 220 to STARTTLS was said. */
  | 'securing'
  | 'closed'

const NEXT: Record<Phase, readonly Phase[]> = {
  connected: ['greeted', 'closed'],
  greeted: ['ready', 'closed'],
  ready: ['ready', 'mail', 'auth', 'securing', 'closed'],
  mail: ['rcpt', 'ready', 'securing', 'closed'],
  rcpt: ['data', 'chunks', 'failed', 'ready', 'securing', 'closed'],
  data: ['ready', 'closed'],
  chunks: ['failed', 'ready', 'securing', 'closed'],
  failed: ['ready', 'securing', 'closed'],
  auth: ['ready', 'closed'],
  securing: ['greeted', 'closed'],
  closed: [],
}

/** A chunk of BDAT that is being read. */
export interface Chunk {
  octetsLeft: number
  readonly last: boolean
  /** Its octets are thrown away, then this is the reply. */
  refusal: NegativeReply | undefined
  /** The refusal is the path's: no error of the client. */
  declined: boolean
}

type CloseReason = Extract<Effect, { kind: 'close' }>['why']

const TOO_MANY_ERRORS = transient(421, '4.7.0', 'Too many errors')

export class SessionState {
  readonly settings: ServerSettings
  readonly session: Session
  phase: Phase = 'connected'
  transaction: Transaction | undefined = undefined
  question: Question | undefined = undefined
  reader: DataReader | undefined = undefined
  chunk: Chunk | undefined = undefined
  shuttingDown = false
  nowMs: number

  readonly startedMs: number
  readonly #newTraceId: () => TraceId
  readonly #tell: (refusal: OwnRefusal) => void
  #unsaid = ''
  #effects: Effect[] = []

  constructor(
    settings: ServerSettings,
    session: Session,
    newTraceId: () => TraceId,
    nowMs: number,
    tell: (refusal: OwnRefusal) => void,
  ) {
    this.#tell = tell
    this.settings = settings
    this.session = session
    this.#newTraceId = newTraceId
    this.nowMs = nowMs
    this.startedMs = nowMs
  }

  enter(phase: Phase): void {
    if (!NEXT[this.phase].includes(phase)) throw new Error(`a session cannot go from ${this.phase} to ${phase}`)
    this.phase = phase
  }

  /** After 354 or the first BDAT, up to the reply for the content; or octets of a refused chunk are still to come. */
  get inContent(): boolean {
    return this.phase === 'data' || this.phase === 'chunks' || this.chunk !== undefined
  }

  /** Replies are gathered and leave together (RFC 2920 §3.2), but before any later effect. */
  say(reply: Reply): void {
    this.#unsaid += replyBytes(reply)
  }

  /** The machine's own refusal: said, and told to whoever keeps account. */
  turnAway(reply: NegativeReply, where = this.#where()): void {
    this.#tell({ reply, ...where })
    this.say(reply)
  }

  /** A command in error: it is refused and counted, and the session stays as it is, unless it was one too many. */
  refuse(reply: NegativeReply, where = this.#where()): void {
    this.turnAway(reply, where)
    this.#countError()
  }

  /** As `refuse`, where the path has refused and told of it. */
  countError(reply: NegativeReply): void {
    this.say(reply)
    this.#countError()
  }

  #countError(): void {
    if (++this.session.tally.errors >= this.settings.limits.errorsMax) this.closeWith(TOO_MANY_ERRORS, 'error')
  }

  /** The path's refusal. 421 says that we close the channel (RFC 5321 §4.2.3), so it is kept to that. */
  decline(reply: NegativeReply): void {
    if (reply.code === 421) this.closeWith(reply, 'refused')
    else this.say(reply)
  }

  /** Machine and driver: nothing further is executed until the answer. */
  ask(question: Question): void {
    this.question = question
    this.#effect({ kind: 'ask', question })
  }

  startTls(): void {
    this.enter('securing')
    this.#effect({ kind: 'start-tls' })
  }

  /** `startedMs` is wall time at the session's start plus what the monotonic clock has counted since (last tick). */
  newTransaction(envelope: EnvelopeDraft): Transaction {
    const startedMs = this.session.startedMs + Math.round(this.nowMs - this.startedMs)
    this.session.tally.transactions++
    this.transaction = { id: this.#newTraceId(), session: this.session, startedMs, envelope }
    return this.transaction
  }

  /** The transaction is over and its end is known to the path. */
  endTransaction(): void {
    this.transaction = undefined
    this.reader = undefined
  }

  /** The transaction is over without content that the path has seen; it is told. */
  abandon(): void {
    if (this.transaction !== undefined) this.#effect({ kind: 'abandoned', transaction: this.transaction })
    this.endTransaction()
  }

  closeWith(reply: Reply, why: CloseReason): void {
    if (why === 'error') this.#tell({ reply: reply as NegativeReply, ...this.#where() })
    this.abandon()
    this.say(reply)
    this.close(why)
  }

  #where(): Pick<OwnRefusal, 'transaction' | 'at'> {
    return { transaction: this.transaction, at: this.inContent ? 'content' : 'command' }
  }

  close(why: CloseReason): void {
    this.enter('closed')
    this.chunk = undefined
    this.#effect({ kind: 'close', why })
  }

  /** The peer is gone: nobody to talk to, but the path must know. Content that is being decided on stays with the path. */
  lose(): void {
    this.enter('closed')
    this.chunk = undefined
    if (this.question?.kind === 'content') this.endTransaction()
    else this.abandon()
    this.question = undefined
  }

  take(): Effect[] {
    this.#flush()
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  #effect(effect: Effect): void {
    this.#flush()
    this.#effects.push(effect)
  }

  #flush(): void {
    if (this.#unsaid === '') return
    this.#effects.push({ kind: 'write', bytes: this.#unsaid })
    this.#unsaid = ''
  }
}
