/**
 * Guessing of passwords, slowed down without locking the owner out. Wrong passwords are counted for the client's address and
 * its networks; a login that is guessed at from everywhere is *under attack*, and then networks where it was never used
 * have a few tries each. Refusals cost nothing, and extend nothing.
 *
 * The owner gets in: from a network where his login was used before only its own mistakes count; from any other IPv4 address
 * that has not guessed a first try is always looked at, and from any other IPv6 network. Nothing tells which logins exist.
 *
 * In memory only, with a monotonic clock: a restart forgives. Limits: guess-limits.ts.
 */

import { clientNetworks } from './client-networks.ts'
import type { Admission } from './credentials.ts'
import { ATTEMPT_MS_MAX, ATTEMPTS_MAX, GUESS_LIMITS, type GuessLimits, STRIKES_KEPT_MS } from './guess-limits.ts'
import { Tallies, type Tally } from './guess-tally.ts'

/** `busy`: ask again in a moment; others under way decide. */
export type Answer = Admission | { readonly kind: 'busy' }

export interface GuessThrottleParts {
  /** Monotonic, ms. */
  readonly nowMs: () => number
  /** Was this login used from there? */
  readonly knows: (login: string, site: string) => boolean
  readonly limits?: GuessLimits
}

interface Count {
  readonly tallies: Tallies
  readonly tally: Tally
}

interface Attempt {
  readonly key: string
  readonly atMs: number
  readonly counts: readonly Count[]
}

export type Refused = 'address' | 'network' | 'login'

export class GuessThrottle {
  readonly #nowMs: () => number
  readonly #knows: GuessThrottleParts['knows']
  readonly #limits: GuessLimits
  readonly #addresses: Tallies
  readonly #networks: Tallies
  readonly #sites: Tallies
  /** By login and address (IPv6: network): who else lives in a site of the owner's does not count against him. */
  readonly #own: Tallies
  /** By login and site. */
  readonly #strangers: Tallies
  readonly #logins: Tallies
  /** Under way, the oldest first. */
  readonly #attempts = new Set<Attempt>()
  readonly #byKey = new Map<string, Attempt[]>()
  readonly refusals: Record<Refused, number> = { address: 0, network: 0, login: 0 }

  constructor({ nowMs, knows, limits = GUESS_LIMITS }: GuessThrottleParts) {
    this.#nowMs = nowMs
    this.#knows = knows
    this.#limits = limits
    this.#addresses = new Tallies(limits.address)
    this.#networks = new Tallies(limits.network)
    this.#sites = new Tallies(limits.site)
    this.#own = new Tallies(limits.own)
    this.#strangers = new Tallies(limits.stranger)
    const { attackWrongMax: wrongMax, attackMs } = limits
    this.#logins = new Tallies({ wrongMax, windowMs: attackMs, refuseMs: attackMs, refuseMsMax: attackMs })
  }

  /** `login` is folded. What is admitted is to be ended. */
  admit(login: string, clientAddress: string): Answer {
    const nowMs = this.#nowMs()
    this.#expire(nowMs)
    if (this.#attempts.size >= ATTEMPTS_MAX) return { kind: 'busy' }
    const client = clientNetworks(clientAddress)
    if (this.#knows(login, client.site)) {
      const own = count(this.#own, `${client.family === 4 ? client.address : client.network} ${login}`)
      return this.#admit(login, clientAddress, [own], [])
    }
    const address = count(this.#addresses, client.address)
    const around = [count(this.#networks, client.network)]
    if (client.family === 6) around.push(count(this.#sites, client.site))
    if (this.underAttack(login)) around.push(count(this.#strangers, `${client.site} ${login}`))
    const counted = count(this.#logins, login)
    // What its neighbours did says nothing about an address that never guessed: 256 tries a day for a /24.
    const first = client.family === 4 && nowMs - address.tally.lastMs > STRIKES_KEPT_MS
    const [judging, counting] = first ? [[address], [...around, counted]] : [[address, ...around], [counted]]
    return this.#admit(login, clientAddress, judging, counting)
  }

  /** `right` undefined: nobody looked. */
  ended(login: string, clientAddress: string, right: boolean | undefined): void {
    const attempt = this.#byKey.get(`${clientAddress} ${login}`)?.[0]
    if (attempt === undefined) return
    this.#end(attempt)
    const nowMs = this.#nowMs()
    for (const { tallies, tally } of attempt.counts) {
      if (right === false) tally.confirmed(tallies.limit, nowMs)
      else tally.takenBack()
    }
  }

  underAttack(login: string): boolean {
    return (this.#logins.find(login)?.refusedForMs(this.#nowMs()) ?? 0) > 0
  }

  /** An operator vouches for the address: nothing is counted for it, nor for its networks. */
  forgive(clientAddress: string): boolean {
    const { address, network, site } = clientNetworks(clientAddress)
    const known = [this.#addresses.forget(address), this.#networks.forget(network), this.#sites.forget(site)]
    return known.includes(true)
  }

  /** What is refused now, and the logins under attack; for how long, ms. */
  standing() {
    const nowMs = this.#nowMs()
    return {
      addresses: this.#addresses.refused(nowMs),
      networks: [...this.#networks.refused(nowMs), ...this.#sites.refused(nowMs)],
      logins: this.#logins.refused(nowMs),
    }
  }

  #admit(login: string, clientAddress: string, judging: readonly Count[], counting: readonly Count[]): Answer {
    const nowMs = this.#nowMs()
    let busy = false
    for (const one of judging) {
      const state = one.tally.state(one.tallies.limit, nowMs)
      if (state === 'refuse') return this.#refuse(one, nowMs)
      busy ||= state === 'busy'
    }
    if (busy) return { kind: 'busy' }
    const stranger = judging.find(({ tallies }) => tallies === this.#strangers)
    const waitMs = (stranger?.tally.wrong ?? 0) * this.#limits.strangerWaitMs
    const counts = [...judging, ...counting]
    for (const { tally, tallies } of counts) tally.start(tallies.limit.windowMs, nowMs)
    this.#begin({ key: `${clientAddress} ${login}`, atMs: nowMs, counts })
    return waitMs === 0 ? { kind: 'go' } : { kind: 'wait', waitMs }
  }

  #refuse({ tallies, tally }: Count, nowMs: number): Admission {
    const what =
      tallies === this.#addresses
        ? 'address'
        : tallies === this.#strangers || tallies === this.#own
          ? 'login'
          : 'network'
    this.refusals[what]++
    const minutes = Math.ceil(tally.refusedForMs(nowMs) / 60_000)
    const whose = what === 'login' ? 'for this login from your network' : `from your ${what}`
    return { kind: 'refuse', text: `too many wrong passwords ${whose}; try again in ${minutes} min` }
  }

  #begin(attempt: Attempt): void {
    this.#attempts.add(attempt)
    const same = this.#byKey.get(attempt.key)
    if (same === undefined) this.#byKey.set(attempt.key, [attempt])
    else same.push(attempt)
  }

  #end(attempt: Attempt): void {
    this.#attempts.delete(attempt)
    const rest = this.#byKey.get(attempt.key)?.filter((one) => one !== attempt) ?? []
    if (rest.length === 0) this.#byKey.delete(attempt.key)
    else this.#byKey.set(attempt.key, rest)
  }

  #expire(nowMs: number): void {
    for (const attempt of this.#attempts) {
      if (nowMs - attempt.atMs < ATTEMPT_MS_MAX) return
      this.#end(attempt)
      for (const { tallies, tally } of attempt.counts) tally.confirmed(tallies.limit, nowMs)
    }
  }
}

const count = (tallies: Tallies, key: string): Count => ({ tallies, tally: tallies.get(key) })
