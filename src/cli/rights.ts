/** What a worker reads from the store about who may send as whom: keys that sign, and sender domains that are verified. */
import type { Config } from '#config/config.ts'
import type { Database } from '#store/database.ts'
import type { Clock } from '#sys/clock.ts'
import { VerifiedDomains } from './sender-domains.ts'
import { SigningKeys } from './signing-keys.ts'

export class Rights {
  readonly keys: SigningKeys
  readonly verified: VerifiedDomains

  constructor(store: Database, config: () => Config, clock: Clock) {
    this.keys = new SigningKeys(store, config, clock)
    this.verified = new VerifiedDomains(store, clock)
  }

  /** What was read is read again. */
  changed(): void {
    this.keys.changed()
    this.verified.changed()
  }
}
