/** A worker's side of the clerks of credentials: it reads the store itself, and tells the supervisor what it saw. */
import { PasswordChecks } from '#auth/check-password.ts'
import type { Credentials, Guesses } from '#auth/credentials.ts'
import { CredentialReader } from '#store/credentials.ts'
import type { Database } from '#store/database.ts'
import type { Clock } from '#sys/clock.ts'
import type { LoginState } from '../relay/locked-mail.ts'
import type { GuessQuestions } from './clerks/guesses.ts'
import type { AskDesk } from './serve/worker.ts'

export interface CredentialsOptions {
  /** For reading. */
  readonly store: Database
  readonly desk: AskDesk
  readonly clock: Clock
  /** Of the configuration in force. */
  readonly tenantExists: (tenant: string) => boolean
  /** Something that the operator should look at; once in `FAULT_MS`. */
  readonly fault: (text: string) => void
}

const FAULT_MS = 60_000

export function credentialsOf({ store, desk, clock, tenantExists, fault }: CredentialsOptions): Credentials {
  let quietUntilMs = Number.NEGATIVE_INFINITY
  return new PasswordChecks({
    reader: new CredentialReader(store),
    clock,
    tenantExists,
    fault: (text) => {
      if (clock.monotonic() < quietUntilMs) return
      quietUntilMs = clock.monotonic() + FAULT_MS
      fault(text)
    },
    // When a login was used last is good to know; a check does not depend on it.
    used: (login, applicationPassword) => void desk('credentials/used', { login, applicationPassword }).catch(() => {}),
  })
}

/** For mail that waits: may its login send? */
export function loginStatesOf(store: Database): (login: string) => LoginState {
  const reader = new CredentialReader(store)
  return (login) => {
    const found = reader.find(login)
    return found === undefined ? 'gone' : found.locked === undefined ? 'open' : 'locked'
  }
}

/** The client waits meanwhile; a supervisor that is slower than this is in trouble. */
const ANSWER_MS_MAX = 10_000
/** Others of the same client are under way, and what becomes of them decides. */
const BUSY_AGAIN_MS = 250
/** Longer than a check takes when all of them wait in line. */
const BUSY_MS_MAX = 10_000

export function guessesOf({ desk, clock }: Pick<CredentialsOptions, 'desk' | 'clock'>): Guesses {
  const pause = () => new Promise<void>((resolve) => clock.after(BUSY_AGAIN_MS, resolve))
  return {
    async admit(login, clientAddress) {
      const untilMs = clock.monotonic() + BUSY_MS_MAX
      for (;;) {
        const asked = await desk('guesses/admit', { login, clientAddress }, ANSWER_MS_MAX)
        const answer = asked as GuessQuestions['guesses/admit']['answer']
        if (answer.kind !== 'busy') return answer
        if (clock.monotonic() >= untilMs) return { kind: 'refuse', text: 'too many attempts at once; try again later' }
        await pause()
      }
    },
    // What is not told counts as wrong after some minutes.
    ended: (login, clientAddress, right) => void desk('guesses/ended', { login, clientAddress, right }).catch(() => {}),
  }
}
