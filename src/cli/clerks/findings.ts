/** The clerk of findings: writes what workers found, and lists it for operators. */
import { z } from 'zod'
import type { Clerk } from '#cli/serve/desk.ts'
import { type Database, inTransaction } from '#store/database.ts'
import { type Counted, FINDINGS_MAX, FindingsStore } from '#store/findings.ts'
import type { Clock } from '#sys/clock.ts'
import { EXIT, UserError } from '../exit.ts'

const PRUNE_MS = 3_600_000

const asked = z.strictObject({
  tenant: z.string().max(64).optional(),
  rowsMax: z.number().int().positive().max(FINDINGS_MAX),
})

/** `wallMs`: a wall clock that never goes back. */
export function findingsClerk<Settings>(database: Database, wallMs: () => number, clock: Clock): Clerk<Settings> {
  const findings = new FindingsStore(database)
  let cancel = (): void => {}
  const prune = (): void => {
    try {
      findings.prune(wallMs())
    } catch {
      // A disk that is full is told by the spool; the next turn tries again.
    }
    cancel = clock.after(PRUNE_MS, prune)
  }
  return {
    subject: 'findings',
    async answer(_what, body) {
      const nowMs = wallMs()
      inTransaction(database, () => {
        for (const counted of body as readonly Counted[]) findings.add(counted, nowMs)
      })
    },
    async command(_what, body) {
      const parsed = asked.safeParse(body)
      if (parsed.success) return findings.list(parsed.data)
      throw new UserError('the request was not understood', 'Use vorposten findings.', EXIT.unavailable)
    },
    started: prune,
    async close() {
      cancel()
    },
  }
}
