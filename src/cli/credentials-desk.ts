/** A worker's side of the clerks of credentials: it reads the store itself, and tells the supervisor what it saw. */
import { PasswordChecks } from '#auth/check-password.ts'
import type { Credentials } from '#auth/credentials.ts'
import { CredentialReader } from '#store/credentials.ts'
import type { Database } from '#store/database.ts'
import type { Clock } from '#sys/clock.ts'
import type { AskDesk } from './serve/worker.ts'

export interface CredentialsOptions {
  /** For reading. */
  readonly store: Database
  readonly desk: AskDesk
  readonly clock: Clock
  /** Of the configuration in force. */
  readonly tenantExists: (tenant: string) => boolean
}

export function credentialsOf({ store, desk, clock, tenantExists }: CredentialsOptions): Credentials {
  return new PasswordChecks({
    reader: new CredentialReader(store),
    clock,
    tenantExists,
    // When a login was used last is good to know; a check does not depend on it.
    used: (login, applicationPassword) => void desk('credentials/used', { login, applicationPassword }).catch(() => {}),
  })
}
