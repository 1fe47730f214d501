/**
 * AUTH (RFC 4954) as a client says it: after EHLO over TLS whose certificate was verified, before the first MAIL, and never
 * anywhere else. The mechanism is not known here; challenges go to it, and its answers come back.
 *
 * A login that is refused is no fault of a message: the session ends with the obstacle `login`, mail waits, and the text says
 * what is to be done. A server that makes no sense is left at once, in the middle of the exchange: in its state it would take
 * QUIT for an answer.
 */
import { type RemoteReply, replyClass } from '#mail/reply.ts'
import type { ClientLogin, LoginExchange, SecuredPeer, SessionFault } from './contract.ts'
import { replyTo } from './transaction.ts'

/** RFC 5321 §4.5.3.1.4, with CRLF. RFC 4954 §4: an initial response that does not fit waits for the first challenge. */
const COMMAND_OCTETS_MAX = 512

/** RFC 4954 §6: it waits for a person, although it is a 4yz. */
const PASSWORD_TRANSITION_NEEDED = 432

export type LoginMove =
  | { readonly kind: 'say'; readonly line: string }
  | { readonly kind: 'prove'; readonly exchange: LoginExchange; readonly challenge: Buffer }
  | { readonly kind: 'done' }
  /** `now`: without QUIT. */
  | { readonly kind: 'give-up'; readonly fault: SessionFault; readonly now: boolean }

export interface Begun {
  readonly dialogue?: LoginDialogue
  readonly move: LoginMove
}

export function beginLogin(login: ClientLogin, peer: SecuredPeer, offered: readonly string[]): Begun {
  if (!peer.verified) {
    return { move: giveUp('a login is only sent by TLS with a verified certificate, and this connection has none') }
  }
  const exchange = login.begin(offered, peer.channelBinding)
  if (exchange === undefined) {
    const offers = offered.length === 0 ? 'no AUTH' : `AUTH ${offered.join(' ')}`
    return { move: giveUp(`the server offers ${offers}, and the login of the route needs something else`) }
  }
  const dialogue = new LoginDialogue(login, exchange)
  return { dialogue, move: dialogue.first() }
}

export class LoginDialogue {
  readonly #login: ClientLogin
  readonly #exchange: LoginExchange
  /** Did not fit the command. */
  #initial: Buffer | undefined

  constructor(login: ClientLogin, exchange: LoginExchange) {
    this.#login = login
    this.#exchange = exchange
  }

  first(): LoginMove {
    const { mechanism, initial } = this.#exchange
    const bare = `AUTH ${mechanism}`
    if (initial === undefined) return { kind: 'say', line: bare }
    // RFC 4954 §4: "=" is an initial response of no octets.
    const line = `${bare} ${initial.length === 0 ? '=' : initial.toString('base64')}`
    if (line.length + 2 <= COMMAND_OCTETS_MAX) return { kind: 'say', line }
    this.#initial = initial
    return { kind: 'say', line: bare }
  }

  /** 334, 235, 4yz or 5yz; not 421. */
  reply(reply: RemoteReply): LoginMove {
    if (reply.code === 235) {
      // RFC 5802 §5: a server that does not know our keys could still say yes to everything.
      if (this.#exchange.proved) return { kind: 'done' }
      return giveUp(`the server took the login and did not prove that it knows it (${this.#exchange.mechanism})`)
    }
    return reply.code === 334 ? this.#challenged(reply) : this.#refused(reply)
  }

  respond(answer: Buffer | string): LoginMove {
    if (typeof answer !== 'string') return { kind: 'say', line: answer.toString('base64') }
    return giveUp(`${this.#exchange.mechanism}: ${answer}`, true)
  }

  #challenged({ lines }: RemoteReply): LoginMove {
    const challenge = lines.length === 1 ? decoded(lines[0]!) : undefined
    if (challenge === undefined) return giveUp('the server sent a challenge that is not base64', true)
    const initial = this.#initial
    this.#initial = undefined
    if (initial === undefined) return { kind: 'prove', exchange: this.#exchange, challenge }
    if (challenge.length === 0) return this.respond(initial)
    return giveUp(`the server sent a challenge before it had heard anything (${this.#exchange.mechanism})`, true)
  }

  #refused(reply: RemoteReply): LoginMove {
    const betrayed = reply.lines.some((line) => this.#login.betrays(line))
    const said = betrayed ? `${reply.code} to AUTH, with a text that gives the password away` : replyTo('auth', reply)
    const shown = betrayed ? {} : { reply }
    if (replyClass(reply.code) === 'transient' && reply.code !== PASSWORD_TRANSITION_NEEDED) {
      return { kind: 'give-up', fault: { obstacle: 'refused-for-now', ...shown, text: said }, now: false }
    }
    const text = `${said}; the mail waits until the login of the route is right`
    return { kind: 'give-up', fault: { obstacle: 'login', ...shown, text }, now: false }
  }
}

const giveUp = (text: string, now = false): LoginMove => ({
  kind: 'give-up',
  fault: { obstacle: 'login', text },
  now,
})

// RFC 4954 §4, RFC 4648 §4. Undefined: not base64.
function decoded(text: string): Buffer | undefined {
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)
    ? Buffer.from(text, 'base64')
    : undefined
}
