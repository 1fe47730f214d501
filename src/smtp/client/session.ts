/**
 * The SMTP and LMTP client session (RFC 5321 §3, RFC 2033) as a machine without I/O; `contract.ts` is its face.
 *
 * It is a queue of expected replies (`steps.ts`): every command that is said adds one, every reply takes the first one.
 * `opening.ts` decides until the session is ready, then the job at hand does (`delivery.ts`, `probe.ts`). Replies that
 * make no sense where they come, that nobody asked for, or that are no replies end the session: after that no later
 * reply could be trusted to answer our command. A 421 ends it at any time (RFC 5321 §3.8).
 */
import { type RemoteReply, remoteReplyLine } from '#mail/reply.ts'
import { type Capabilities, NO_CAPABILITIES } from './capabilities.ts'
import { isCommandText } from './commands.ts'
import type {
  ClientEffect,
  ClientMachine,
  ClientSettings,
  DeliverJob,
  ProbeJob,
  SecuredPeer,
  SessionFault,
} from './contract.ts'
import type { Parts } from './data-writer.ts'
import { Delivery } from './delivery.ts'
import type { ClientLimits } from './limits.ts'
import { beginLogin, type LoginDialogue, type LoginMove } from './login.ts'
import { hello, type OpeningMove, type OpeningStep, openingMove } from './opening.ts'
import { planDelivery } from './plan.ts'
import { Probe } from './probe.ts'
import { ReplyReader } from './reply-reader.ts'
import { meaning, STEPS, type Step } from './steps.ts'
import { type Ending, type Line, replyTo, type Transaction } from './transaction.ts'

/**
 * `securing`: until the end of the handshake, from STARTTLS or from the beginning. `proving`: an answer to a challenge is made. `leaving`: QUIT was said. `closed`: the last effect was
 * given out or waits in `take`.
 */
type Phase = 'opening' | 'securing' | 'proving' | 'ready' | 'busy' | 'leaving' | 'closed'

/** Throws a TypeError if the greeting name cannot stand in a command. */
export function createClientSession(settings: ClientSettings): ClientMachine {
  return new ClientSession(settings)
}

class ClientSession implements ClientMachine, Line {
  readonly limits: ClientLimits
  readonly lmtp: boolean
  offered: Capabilities = NO_CAPABILITIES
  tls = false
  readonly #settings: ClientSettings
  #phase: Phase = 'opening'
  #reader = new ReplyReader()
  #steps: Step[] = ['greeting']
  #transaction: Transaction | undefined
  #peer: SecuredPeer = UNVERIFIED
  #login: LoginDialogue | undefined
  #effects: ClientEffect[] = []
  #commands = ''
  #parts: Parts = []
  #more = false
  /** When the present silence was first seen by a tick; so a wait may last one tick longer, never shorter. */
  #silentSinceMs: number | undefined

  constructor(settings: ClientSettings) {
    const { greetingName, limits, protocol } = settings
    if (greetingName === '' || greetingName.includes(' ') || !isCommandText(greetingName)) {
      throw new TypeError('the greeting name cannot stand in a command')
    }
    this.#settings = settings
    this.limits = limits
    this.lmtp = protocol === 'lmtp'
    if (settings.implicitTls) this.#startTls()
  }

  get ready(): boolean {
    return this.#phase === 'ready'
  }

  get dsn(): boolean {
    return this.offered.dsn
  }

  get requireTls(): boolean {
    return this.offered.requireTls
  }

  deliver(job: DeliverJob): void {
    const { preferChunking, tls } = this.#settings
    const verified = this.tls && tls === 'verified'
    this.#begin(new Delivery(job, planDelivery(job, { offered: this.offered, preferChunking, verified }), this))
  }

  probe(job: ProbeJob): void {
    this.#begin(new Probe(job, this))
  }

  quit(): void {
    if (this.#phase === 'ready') this.#leave()
    else if (this.#phase !== 'leaving' && this.#phase !== 'closed') {
      this.#failTransaction({ obstacle: 'aborted', text: 'the session was ended on our side' })
      this.#close(true)
    }
  }

  receive(bytes: Buffer): void {
    // RFC 3207 §4.2 and CVE-2011-0411: what comes in clear behind the 220 is not the server's, or should not be.
    if (this.#phase === 'securing') this.fail(INJECTION)
    if (this.#phase === 'closed') return
    this.#reader.receive(bytes)
    while (this.#isOpen) {
      const reply = this.#reader.next()
      if (reply === undefined) return
      if (typeof reply === 'string') this.#failProtocol(`the server sent ${reply}`)
      else this.#onReply(reply)
    }
  }

  secured(peer = UNVERIFIED): void {
    if (this.#phase !== 'securing') return
    this.#phase = 'opening'
    this.tls = true
    this.#peer = peer
    this.offered = NO_CAPABILITIES
    this.#reader = new ReplyReader()
    this.#silentSinceMs = undefined
    // Where TLS came first, the greeting comes now.
    if (this.#steps.length === 0) this.#move(hello(this.#settings))
  }

  respond(answer: Buffer | string): void {
    if (this.#phase !== 'proving') return
    this.#phase = 'opening'
    this.#onLogin(this.#login!.respond(answer))
  }

  flowing(): void {
    if (!this.#transaction?.sending) return
    this.#silentSinceMs = undefined
    this.#transaction.flowing()
  }

  fail(fault: SessionFault): void {
    this.#end(fault, true)
  }

  tick(nowMs: number): void {
    // What we calculate ourselves is no silence of the server.
    if (this.#phase === 'ready' || this.#phase === 'closed' || this.#phase === 'proving') return
    if (this.#silentSinceMs === undefined) this.#silentSinceMs = nowMs
    else if (nowMs - this.#silentSinceMs >= this.limits[this.#silence]) this.#onSilence()
  }

  take(): ClientEffect[] {
    this.#flush()
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  say(command: string, step: Step): void {
    this.#commands += `${command}\r\n`
    this.expect(step)
  }

  expect(step: Step): void {
    this.#steps.push(step)
    this.#silentSinceMs = undefined
  }

  send(parts: Parts, more: boolean): void {
    if (this.#commands !== '') this.#parts.push(this.#commands)
    this.#commands = ''
    // A loop, because a spread of many parts would not fit the stack.
    for (const part of parts) this.#parts.push(part)
    this.#more = more
    if (more) this.#flush()
  }

  settle(result: ClientEffect): void {
    this.#effect(result)
  }

  finish(ending: Ending): void {
    this.#transaction = undefined
    if (ending === 'clean') this.#becomeReady()
    else if (ending === 'reset') this.say('RSET', 'rset')
  }

  abandon(fault: SessionFault): void {
    this.fail(fault)
  }

  get #isOpen(): boolean {
    return this.#phase !== 'closed' && this.#phase !== 'securing'
  }

  get #silence(): keyof ClientLimits {
    if (this.#phase === 'securing') return 'tlsHandshakeMsMax'
    if (this.#transaction?.sending) return 'dataBlockMsMax'
    return STEPS[this.#steps[0] ?? 'quit'].silence
  }

  #begin(transaction: Transaction): void {
    if (this.#phase !== 'ready') throw new Error(`no job can be given: the session is ${this.#phase}`)
    this.#phase = 'busy'
    this.#transaction = transaction
    // A line that began before our command cannot be its answer.
    if (this.#reader.pending) this.#failProtocol('the server sent octets that nobody asked for')
    else transaction.begin()
  }

  #onReply(reply: RemoteReply): void {
    const step = this.#steps.shift()
    this.#silentSinceMs = undefined
    if (this.#phase === 'leaving') this.#close(false)
    else if (reply.code === 421) this.#onServiceClosing(step, reply)
    else if (step === undefined) this.#failProtocol(`the server sent ${remoteReplyLine(reply)}, and nobody had asked`)
    else if (meaning(step, reply) === 'misplaced') this.#failProtocol(`the server sent ${replyTo(step, reply)}`)
    else if (step === 'rset') this.#onReset(reply)
    else if (step === 'auth') this.#onLogin(this.#login!.reply(reply))
    else if (this.#transaction) this.#transaction.reply(step, reply)
    else this.#move(openingMove(step as OpeningStep, reply, this.#settings, this.tls))
  }

  #onServiceClosing(step: Step | undefined, reply: RemoteReply): void {
    // The job reads it first: for the command that it answers, it is a plain 4yz.
    if (step !== undefined && step !== 'rset') this.#transaction?.reply(step, reply)
    const text = step === undefined ? remoteReplyLine(reply) : replyTo(step, reply)
    const fault: SessionFault = { obstacle: 'refused-for-now', reply, text }
    this.#end(fault, false)
  }

  #onReset(reply: RemoteReply): void {
    if (meaning('rset', reply) === 'go-on') this.#becomeReady()
    else this.#giveUp({ obstacle: 'protocol', reply, text: replyTo('rset', reply) })
  }

  #move(move: OpeningMove): void {
    switch (move.kind) {
      case 'say':
        this.offered = move.offered ?? this.offered
        this.say(move.line, move.step)
        break
      case 'ready':
        this.offered = move.offered ?? this.offered
        this.#logInOrBeReady()
        break
      case 'start-tls':
        this.#startTls()
        break
      case 'give-up':
        this.#giveUp(move.fault)
    }
  }

  // The one way to the first job: nobody gets past a login that is wanted.
  #logInOrBeReady(): void {
    const { login, tls } = this.#settings
    if (login === undefined) this.#becomeReady()
    else {
      const verified = this.tls && tls === 'verified' && this.#peer.verified
      const begun = beginLogin(login, { ...this.#peer, verified }, this.offered.auth)
      this.#login = begun.dialogue
      this.#onLogin(begun.move)
    }
  }

  #onLogin(move: LoginMove): void {
    switch (move.kind) {
      case 'say':
        this.say(move.line, 'auth')
        break
      case 'prove':
        this.#phase = 'proving'
        this.#effect(move)
        break
      case 'done':
        this.#becomeReady()
        break
      case 'give-up':
        if (move.now) this.fail(move.fault)
        else this.#giveUp(move.fault)
    }
  }

  #startTls(): void {
    this.#phase = 'securing'
    if (this.#reader.pending) this.fail(INJECTION)
    else this.#effect({ kind: 'start-tls' })
  }

  #becomeReady(): void {
    this.#phase = 'ready'
    this.#silentSinceMs = undefined
    this.#effect({ kind: 'ready' })
  }

  #onSilence(): void {
    if (this.#phase === 'securing') this.fail({ obstacle: 'tls', text: 'the TLS handshake took too long' })
    else this.fail({ obstacle: 'timeout', text: this.#silenceText })
  }

  get #silenceText(): string {
    const seconds = Math.round(this.limits[this.#silence] / 1000)
    if (this.#transaction?.sending) return `the server took no content for ${seconds} s`
    return `no reply to ${STEPS[this.#steps[0] ?? 'quit'].name} for ${seconds} s`
  }

  #failProtocol(text: string): void {
    this.fail({ obstacle: 'protocol', text })
  }

  #end(fault: SessionFault, now: boolean): void {
    if (this.#phase === 'closed') return
    // Whoever waits for the reply to QUIT has heard all that matters.
    if (this.#phase !== 'leaving') {
      this.#failTransaction(fault)
      this.#effect({ kind: 'over', fault })
    }
    this.#close(now)
  }

  #failTransaction(fault: SessionFault): void {
    const transaction = this.#transaction
    this.#transaction = undefined
    transaction?.fail(fault)
  }

  #giveUp(fault: SessionFault): void {
    this.#effect({ kind: 'over', fault })
    this.#leave()
  }

  // RFC 5321 §4.1.1.10: QUIT, then wait for its reply.
  #leave(): void {
    this.#phase = 'leaving'
    this.#steps.length = 0
    this.say('QUIT', 'quit')
  }

  #close(now: boolean): void {
    this.#phase = 'closed'
    this.#steps.length = 0
    this.#effect({ kind: 'close', now })
  }

  #effect(effect: ClientEffect): void {
    this.#flush()
    this.#effects.push(effect)
  }

  #flush(): void {
    if (this.#commands !== '') this.#parts.push(this.#commands)
    this.#commands = ''
    if (this.#parts.length === 0) return
    this.#effects.push({ kind: 'write', parts: this.#parts, more: this.#more })
    this.#parts = []
    this.#more = false
  }
}

const UNVERIFIED: SecuredPeer = { verified: false }

const INJECTION: SessionFault = {
  obstacle: 'tls',
  text: 'octets came in clear before the TLS handshake',
}
