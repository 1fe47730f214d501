/**
 * How many addresses a tenant's outgoing mail may teach: so many new ones in 24 hours. Who has stolen an account can write
 * from any local part; the store must not fill with them, and an operator should hear of it. Monotonic time; a restart
 * begins the day anew.
 */
import type { Clock } from '#sys/clock.ts'
import { keepBounded } from './memory.ts'

const DAY_MS = 24 * 3_600_000
/** More than anybody has; the oldest day is forgotten first. */
const TENANTS_MAX = 20_000

interface Day {
  readonly untilMs: number
  taken: number
}

export class OutgoingQuota {
  readonly #clock: Clock
  readonly #max: number
  readonly #tell: (text: string) => void
  readonly #days = new Map<string, Day>()

  /** `tell` hears once a day of a tenant that wants more. */
  constructor(clock: Clock, max: number, tell: (text: string) => void) {
    this.#clock = clock
    this.#max = max
    this.#tell = tell
  }

  /** For one new address; `route` is `tenant/name`. */
  take(route: string): boolean {
    const tenant = route.slice(0, route.indexOf('/'))
    const nowMs = this.#clock.monotonic()
    let day = this.#days.get(tenant)
    if (day === undefined || nowMs >= day.untilMs) {
      day = { untilMs: nowMs + DAY_MS, taken: 0 }
      keepBounded(this.#days, tenant, day, TENANTS_MAX)
    }
    day.taken++
    if (day.taken === this.#max + 1) {
      this.#tell(
        `tenant ${tenant} wrote from more than ${this.#max} addresses within a day that were not known before; ` +
          'further ones teach nothing until the day is over. See whether one of its accounts was stolen',
      )
    }
    return day.taken <= this.#max
  }
}
