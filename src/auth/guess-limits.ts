/** How many wrong passwords are too many. Each limit is for a stretch of time; then it is refused, for longer each time. */

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

export interface GuessLimit {
  /** Wrong passwords within `windowMs`, before anything is refused. */
  readonly wrongMax: number
  readonly windowMs: number
  /** The first refusal. Each further one is twice as long, up to `refuseMsMax`. */
  readonly refuseMs: number
  readonly refuseMsMax: number
}

export interface GuessLimits {
  readonly address: GuessLimit
  readonly network: GuessLimit
  readonly site: GuessLimit
  readonly own: GuessLimit
  readonly stranger: GuessLimit
  /** Wrong passwords for one login within `attackMs`, from where it was never used: it is under attack, for so long again. */
  readonly attackWrongMax: number
  readonly attackMs: number
  /** For each wrong password that a stranger has given already. */
  readonly strangerWaitMs: number
}

export const GUESS_LIMITS: GuessLimits = {
  /** A person who tries all the passwords he ever had stays below. */
  address: { wrongMax: 10, windowMs: 15 * MINUTE_MS, refuseMs: 15 * MINUTE_MS, refuseMsMax: DAY_MS },
  /** IPv4 /24, IPv6 /64: a few such persons. Shorter, since those who did nothing live there too. */
  network: { wrongMax: 40, windowMs: 15 * MINUTE_MS, refuseMs: 15 * MINUTE_MS, refuseMsMax: HOUR_MS },
  /** IPv6 /48, which one customer may have: 65,536 networks, and one limit. */
  site: { wrongMax: 100, windowMs: 15 * MINUTE_MS, refuseMs: 15 * MINUTE_MS, refuseMsMax: HOUR_MS },
  /** A login from an address in a site where it was used: a phone with an old password tries every half minute, and harms nobody else. */
  own: { wrongMax: 30, windowMs: 15 * MINUTE_MS, refuseMs: 15 * MINUTE_MS, refuseMsMax: 15 * MINUTE_MS },
  /** A login under attack, from one network where it was never used: its owner, on a journey, mistypes twice. */
  stranger: { wrongMax: 3, windowMs: HOUR_MS, refuseMs: HOUR_MS, refuseMsMax: DAY_MS },
  attackWrongMax: 50,
  attackMs: HOUR_MS,
  strangerWaitMs: 2_000,
}

/** A refusal that ended so long ago makes the next one no longer. */
export const STRIKES_KEPT_MS = DAY_MS
/** An attempt that nobody has ended by then was a wrong one: SCRAM that was broken off, a client that went away. */
export const ATTEMPT_MS_MAX = 5 * MINUTE_MS
/** Of addresses, of networks, and so on: some 10 MB each. What was quiet longest goes first. */
export const TALLIES_MAX = 50_000
/** Under way at the same time, in all workers. */
export const ATTEMPTS_MAX = 20_000
