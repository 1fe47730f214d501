/**
 * One session between its wire and its protocol machine: octets go in, effects are carried out, questions are taken to
 * the path and the answers back. It decides nothing itself.
 *
 * An answer that is there at once costs no promise and no extra write: what the machine says to one piece of input goes
 * out in one write. A client that does not read our replies is not read either, and closed after `STALL_MS_MAX`.
 * A defect in a stage costs its session a 451, a defect in the machine costs it the connection, never the worker.
 */
import type { Decisions, Soon } from '#mail/decisions.ts'
import { permanent, replyBytes, transient } from '#mail/reply.ts'
import type { Session, TlsFacts } from '#mail/session.ts'
import { type Defer, defer, type Gate, reject } from '#mail/verdict.ts'
import type { Answer, Effect, Question, ServerMachine } from '#smtp/server/contract.ts'
import type { Clock } from '#sys/clock.ts'
import type { TlsServerOptions, Wire, WireEvents } from '#sys/wire.ts'
import type { AcceptEvents, SessionEnd } from './events.ts'

/** A client that lets our replies lie this long is not waiting for them. */
const STALL_MS_MAX = 60_000
/** Two round trips and some arithmetic; without a limit a silent peer would stay for ever. */
const TLS_HANDSHAKE_MS_MAX = 30_000

const EARLY = reject(
  permanent(554, '5.7.1', 'You spoke before the greeting'),
  'early-talker',
  'the client sent octets before the greeting (RFC 5321 §4.3.1)',
)
const CLOSING = defer(transient(421, '4.3.2', 'Closing for maintenance'), 'draining', 'this worker is stopping')
const DEFECT = defer(transient(451, '4.3.0', 'Local error, try again later'), 'defect', 'a stage failed')
const NO_ETRN = reject(permanent(502, '5.5.1', 'ETRN is not available'), 'no-etrn', 'nothing answers ETRN here')
const NO_AUTH = reject(permanent(535, '5.7.8', 'Authentication failed'), 'no-auth', 'nobody knows passwords here')
const BROKEN = replyBytes(transient(421, '4.3.0', 'Local error, closing'))

/** What all sessions of a worker share. */
export interface SessionHost {
  readonly decisions: Decisions
  readonly events: AcceptEvents
  readonly clock: Clock
  readonly draining: boolean
  /** The wire is closed; called exactly once. */
  ended(driver: SessionDriver): void
}

/** What all sessions of a listener share. */
export interface SessionListener {
  readonly tls: TlsServerOptions | undefined
  /** TLS comes before the greeting. */
  readonly implicitTls: boolean
}

type Phase = 'greeting' | 'open' | 'tls' | 'closing' | 'closed'

export class SessionDriver implements WireEvents {
  readonly session: Session
  readonly #host: SessionHost
  readonly #listener: SessionListener
  readonly #wire: Wire
  readonly #machine: ServerMachine
  #phase: Phase = 'greeting'
  #gate: Gate | undefined
  /** The greeting waits, and octets before it are an offence. */
  #delaying = false
  #greeted = false
  #asked = false
  #reading = true
  #inputEnded = false
  #out = ''
  /** Since when the peer does not read, or shakes hands; monotonic ms, 0 for neither. */
  #waitingSinceMs = 0
  #why: SessionEnd | undefined

  constructor(host: SessionHost, listener: SessionListener, wire: Wire, machine: ServerMachine) {
    this.session = machine.session
    this.#host = host
    this.#listener = listener
    this.#wire = wire
    this.#machine = machine
  }

  /** Octets that come before the greeting are an offence if it has a delay; with 0 they simply wait. */
  start(greetingDelayMs: number): void {
    this.#wire.listen(this)
    if (this.#listener.implicitTls) this.#secure(greetingDelayMs)
    else this.#prepareGreeting(greetingDelayMs)
  }

  data(bytes: Buffer): void {
    if (this.#phase === 'greeting' && this.#delaying) this.#greet(EARLY)
    if (this.#phase !== 'open') return
    // The machine's clock is as fine as its ticks; a transaction must not seem a second older than it is.
    this.#machine.tick(this.#host.clock.monotonic())
    this.#drive(receive, bytes)
  }

  drained(): void {
    this.#waitingSinceMs = 0
    if (this.#phase === 'open') this.#regulate()
  }

  ended(): void {
    this.#inputEnded = true
    if (this.#phase === 'open') this.#regulate()
  }

  closed(): void {
    if (this.#phase !== 'closing') this.#loseMachine()
    this.#phase = 'closed'
    this.#why ??= 'lost'
    try {
      this.#host.decisions.closed(this.session, this.#why)
    } catch (error) {
      this.#defect(error)
    }
    this.#host.events.sessionClosed(this.session, this.#why)
    this.#host.ended(this)
  }

  /** About once a second, monotonic ms. */
  tick(nowMs: number): void {
    if (this.#waitingSinceMs > 0) {
      const waitMsMax = this.#phase === 'tls' ? TLS_HANDSHAKE_MS_MAX : STALL_MS_MAX
      if (nowMs - this.#waitingSinceMs > waitMsMax) this.destroy('timeout')
    }
    if (this.#phase === 'open') this.#drive(tick, nowMs)
  }

  /** 421 as soon as that is allowed. */
  shutDown(): void {
    if (this.#phase === 'greeting') this.#greet(CLOSING)
    else if (this.#phase === 'open') this.#drive(shutDown, undefined)
    // In STARTTLS the 421 waits for the handshake's end. Before the end of an implicit one nothing is greeted yet, and
    // the greeting will be the 421.
    else if (this.#phase === 'tls' && this.#greeted) this.#machine.shutDown()
  }

  destroy(why: SessionEnd): void {
    this.#why ??= why
    this.#wire.destroy()
  }

  #prepareGreeting(delayMs: number): void {
    this.#phase = 'greeting'
    if (delayMs > 0) {
      this.#delaying = true
      this.#host.clock.after(delayMs, () => this.#delayOver())
    }
    let gate: Soon<Gate>
    try {
      gate = this.#host.decisions.connect(this.session)
    } catch (error) {
      gate = this.#defect(error)
    }
    if (!(gate instanceof Promise)) {
      this.#gateKnown(gate)
      return
    }
    gate.catch((error) => this.#defect(error)).then((known) => this.#gateKnown(known))
    if (!this.#delaying) this.#setReading(false)
  }

  #delayOver(): void {
    this.#delaying = false
    if (this.#phase !== 'greeting') return
    if (this.#gate) this.#greet(this.#gate)
    else this.#setReading(false)
  }

  #gateKnown(gate: Gate): void {
    this.#gate = gate
    if (!this.#delaying && this.#phase === 'greeting') this.#greet(gate)
  }

  #greet(gate: Gate): void {
    this.#phase = 'open'
    this.#greeted = true
    this.#drive(greet, this.#host.draining ? CLOSING : gate)
  }

  #drive<T>(step: (machine: ServerMachine, value: T) => void, value: T): void {
    try {
      step(this.#machine, value)
      this.#pump()
    } catch (error) {
      this.#broken(error)
    }
  }

  // Carries out what the machine wants, until it wants nothing more.
  #pump(): void {
    let effects = this.#machine.take()
    while (effects.length > 0) {
      for (const effect of effects) this.#carryOut(effect)
      effects = this.#machine.take()
    }
    this.#flush()
    if (this.#phase === 'open') this.#regulate()
    else if (this.#phase === 'closing') this.#wire.end()
  }

  #carryOut(effect: Effect): void {
    if (effect.kind === 'write') this.#out += effect.bytes
    else if (effect.kind === 'ask') this.#ask(effect.question)
    else if (effect.kind === 'abandoned') this.#host.decisions.abandoned(effect.transaction)
    else if (effect.kind === 'start-tls') this.#secure(0)
    else {
      this.#why ??= effect.why
      this.#phase = 'closing'
    }
  }

  #ask(question: Question): void {
    let soon: Soon<Answer>
    try {
      soon = decide(this.#host.decisions, this.session, question)
    } catch (error) {
      soon = this.#defect(error)
    }
    if (soon instanceof Promise) {
      this.#asked = true
      soon.catch((error) => this.#defect(error)).then((known) => this.#answered(known))
    } else this.#machine.answer(soon)
  }

  #answered(known: Answer): void {
    this.#asked = false
    // After the end of the session whatever was decided stands without it.
    if (this.#phase === 'open') this.#drive(answer, known)
  }

  #flush(): void {
    if (this.#out === '') return
    const out = this.#out
    this.#out = ''
    if (!this.#wire.write(out) && this.#waitingSinceMs === 0) this.#waitingSinceMs = this.#host.clock.monotonic()
  }

  // Reads as long as the machine takes input and the peer takes replies; notices when no more can come.
  #regulate(): void {
    this.#setReading(this.#machine.wantsInput && this.#waitingSinceMs === 0)
    if (this.#inputEnded && !this.#asked) {
      this.#loseMachine()
      this.#phase = 'closing'
      this.#wire.end()
    }
  }

  #setReading(reading: boolean): void {
    if (reading === this.#reading) return
    this.#reading = reading
    if (reading) this.#wire.resume()
    else this.#wire.pause()
  }

  #secure(greetingDelayMs: number): void {
    this.#flush()
    this.#phase = 'tls'
    this.#waitingSinceMs = this.#host.clock.monotonic()
    this.#wire.secure(this.#listener.tls!).then(
      (facts) => this.#secured(facts, greetingDelayMs),
      (error: Error) => {
        this.#host.events.tlsFailed(this.session.listener, this.session.client.address, error)
        this.destroy('error')
      },
    )
  }

  #secured(facts: TlsFacts, greetingDelayMs: number): void {
    this.#waitingSinceMs = 0
    if (this.#greeted) {
      this.#phase = 'open'
      this.#drive(secured, facts)
    } else {
      this.session.tls = facts
      this.#prepareGreeting(greetingDelayMs)
    }
  }

  #loseMachine(): void {
    this.#why ??= 'lost'
    try {
      this.#machine.lost()
      for (const effect of this.#machine.take()) {
        if (effect.kind === 'abandoned') this.#host.decisions.abandoned(effect.transaction)
      }
    } catch (error) {
      this.#defect(error)
    }
  }

  // Unknown is not no: a stage that failed has not refused.
  #defect(error: unknown): Defer {
    this.#host.events.defect(this.session, error)
    return DEFECT
  }

  #broken(error: unknown): void {
    this.#defect(error)
    this.#why ??= 'error'
    this.#phase = 'closing'
    this.#out = ''
    this.#wire.write(BROKEN)
    this.#wire.end()
  }
}

// The steps of a machine as constants: a session then needs no closure for each piece of input.
const receive = (machine: ServerMachine, bytes: Buffer): void => machine.receive(bytes)
const answer = (machine: ServerMachine, known: Answer): void => machine.answer(known)
const tick = (machine: ServerMachine, nowMs: number): void => machine.tick(nowMs)
const greet = (machine: ServerMachine, gate: Gate): void => machine.greet(gate)
const secured = (machine: ServerMachine, facts: TlsFacts): void => machine.secured(facts)
const shutDown = (machine: ServerMachine): void => machine.shutDown()

function decide(decisions: Decisions, session: Session, question: Question): Soon<Answer> {
  switch (question.kind) {
    case 'mail':
      return decisions.mail(question.transaction)
    case 'rcpt':
      return decisions.rcpt(question.transaction, question.recipient)
    case 'data':
      return decisions.data(question.transaction)
    case 'content':
      return decisions.content(question.transaction, question.content)
    case 'etrn':
      return decisions.etrn ? decisions.etrn(session, question.argument) : NO_ETRN
    case 'auth':
      return decisions.auth ? decisions.auth(session, question.step) : NO_AUTH
  }
}
