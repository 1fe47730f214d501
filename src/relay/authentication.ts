/**
 * Who submits: AUTH as the path answers it. The mechanisms say what to check, the keeper of credentials checks it, and guesses
 * are counted before any password is looked at, so that guessing costs the guesser and not the owner.
 *
 * Nobody can say now is 454, never 535: a client that hears 535 asks its user for another password.
 */

import { Networks } from '#accept/networks.ts'
import type { Credential, Credentials, Guesses, PasswordAnswer } from '#auth/credentials.ts'
import type { Exchange, Step } from '#auth/sasl/exchange.ts'
import type { Mechanism } from '#auth/sasl/mechanisms.ts'
import { login, loginPrompt, plain } from '#auth/sasl/plain.ts'
import { scram } from '#auth/sasl/scram.ts'
import type { AuthAnswer, AuthStep, Soon } from '#mail/decisions.ts'
import type { Report } from '#mail/event.ts'
import type { Session } from '#mail/session.ts'
import type { Clock } from '#sys/clock.ts'
import * as refusals from './refusals.ts'

export interface AuthenticationParts {
  readonly credentials: Credentials
  readonly guesses: Guesses
  readonly clock: Clock
  /** 18 random octets in base64. */
  readonly nonce: () => string
  readonly report: Report
}

interface Open {
  readonly mechanism: Mechanism
  readonly exchange: Exchange
}

export class Authentication {
  readonly #parts: AuthenticationParts
  readonly #open = new WeakMap<Session, Open>()

  constructor(parts: AuthenticationParts) {
    this.#parts = parts
  }

  step(session: Session, step: AuthStep): Soon<AuthAnswer> {
    if (step.kind === 'response') {
      const open = this.#open.get(session)
      if (open === undefined) throw new Error('a response without an exchange')
      return this.#carryOut(session, open, open.exchange.receive(Buffer.from(step.response)))
    }
    const mechanism = step.mechanism as Mechanism
    const open = { mechanism, exchange: this.#begin(mechanism, session) }
    this.#open.set(session, open)
    if (step.initial !== undefined)
      return this.#carryOut(session, open, open.exchange.receive(Buffer.from(step.initial)))
    return this.#carryOut(session, open, mechanism === 'LOGIN' ? loginPrompt : ASK)
  }

  #begin(mechanism: Mechanism, { tls }: Session): Exchange {
    if (mechanism === 'PLAIN') return plain()
    if (mechanism === 'LOGIN') return login()
    const channelBinding = tls?.channelBinding
    return scram({
      nonce: this.#parts.nonce(),
      plus: mechanism === 'SCRAM-SHA-256-PLUS',
      plusOffered: channelBinding !== undefined,
      ...(channelBinding && { channelBinding }),
    })
  }

  #carryOut(session: Session, open: Open, step: Step): Soon<AuthAnswer> {
    if (step.kind === 'challenge') return step
    if (step.kind === 'keys') return this.#giveKeys(session, open, step.login)
    this.#open.delete(session)
    if (step.kind === 'malformed') {
      this.#tell(session, open, 'malformed', undefined, step.text)
      return refusals.authMalformed(step.text)
    }
    if (step.kind === 'password') return this.#checkPassword(session, open, step.login, step.password)
    const answer = step.kind === 'proved' ? this.#parts.credentials.proved(step.login) : WRONG
    return this.#concluded(session, open, step.login, answer)
  }

  async #giveKeys(session: Session, open: Open, name: string): Promise<AuthAnswer> {
    const refused = await this.#admit(session, open, name)
    if (refused !== undefined) return refused
    try {
      const keys = this.#parts.credentials.scramKeys(name)
      return this.#carryOut(session, open, open.exchange.keys!(keys))
    } catch (error) {
      return this.#concluded(session, open, name, { kind: 'unknown', text: (error as Error).message })
    }
  }

  async #checkPassword(session: Session, open: Open, name: string, password: string): Promise<AuthAnswer> {
    const refused = await this.#admit(session, open, name)
    return refused ?? this.#concluded(session, open, name, await this.#parts.credentials.check(name, password))
  }

  // Undefined: the password may be looked at.
  async #admit(session: Session, open: Open, name: string): Promise<AuthAnswer | undefined> {
    const { guesses, clock } = this.#parts
    try {
      const admission = await guesses.admit(name, session.client.address)
      if (admission.kind === 'refuse') {
        this.#tell(session, open, 'throttled', name, admission.text)
        return refusals.authThrottled(admission.text)
      }
      if (admission.kind === 'wait') await new Promise<void>((resolve) => clock.after(admission.waitMs, resolve))
      return undefined
    } catch (error) {
      const text = `guesses cannot be counted: ${(error as Error).message}`
      this.#tell(session, open, 'unknown', name, text)
      return refusals.authUnknown(text)
    }
  }

  #concluded(session: Session, open: Open, name: string, answer: PasswordAnswer): AuthAnswer {
    const { address } = session.client
    const isWelcome = answer.kind === 'right' && mayComeFrom(answer.credential, address)
    // Who knows the password is no guesser, whatever else is in his way; but only who gets in makes his network a known one.
    this.#parts.guesses.ended(name, address, isWelcome ? true : answer.kind === 'wrong' ? false : undefined)
    if (answer.kind === 'unknown') {
      this.#tell(session, open, 'unknown', name, answer.text)
      return refusals.authUnknown(answer.text)
    }
    if (answer.kind === 'wrong') {
      this.#tell(session, open, 'wrong', name, 'wrong login or password')
      return refusals.authWrong()
    }
    const { credential } = answer
    if (answer.kind === 'locked') {
      this.#tell(session, open, 'locked', name, answer.text, credential)
      return refusals.authLocked(answer.text)
    }
    if (!isWelcome) {
      const text = `${credential.login} may not be used from ${address}`
      this.#tell(session, open, 'network', name, text, credential)
      return refusals.authNetwork(text)
    }
    this.#tell(session, open, 'right', name, 'authenticated', credential)
    const { tenant, senders } = credential
    return { kind: 'authenticated', as: { tenant, login: credential.login, mechanism: open.mechanism, senders } }
  }

  #tell(
    session: Session,
    { mechanism }: Open,
    result: 'right' | 'wrong' | 'locked' | 'network' | 'throttled' | 'malformed' | 'unknown',
    name: string | undefined,
    text: string,
    credential?: Credential,
  ): void {
    this.#parts.report({
      kind: 'authenticated',
      session,
      mechanism,
      result,
      ...(name !== undefined && { login: name }),
      ...(credential && { tenant: credential.tenant }),
      text,
    })
  }
}

/** RFC 4954 §4: a client that sends no initial response is asked by an empty challenge. */
const ASK: Step = { kind: 'challenge', challenge: Buffer.alloc(0) }
const WRONG: PasswordAnswer = { kind: 'wrong' }

const mayComeFrom = ({ networks }: Credential, address: string): boolean =>
  networks.length === 0 || new Networks(networks).has(address)
