/**
 * What operators may ask about the limits of one login (R7): read, and kept below what its tenant allows. Counts are of
 * recipients. Faults are UserErrors.
 */
import { z } from 'zod'
import { EXIT, UserError } from '#cli/exit.ts'
import { loginMax } from '#policy/sending-limits.ts'
import type { OwnLimits, SendingLimits } from '#tenant/directory.ts'

const RECIPIENTS_MAX = 100_000_000
/** Null: the tenant's again. */
const count = z.int().min(1).max(RECIPIENTS_MAX).nullable().optional()

/** What is absent stays. */
export const ownLimits = z.strictObject({
  per10Minutes: count,
  perDay: count,
  toOneDomainPer10Minutes: count,
  toOneDomainPerDay: count,
})
export type AskedLimits = z.output<typeof ownLimits>

/** `limits`: of the tenant. Absent: it has no mail that leaves. */
export function limitsAfter(
  before: OwnLimits | undefined,
  asked: AskedLimits,
  tenant: string,
  limits: SendingLimits | undefined,
): OwnLimits {
  const max = limits && loginMax(limits)
  for (const name of ['per10Minutes', 'perDay'] as const) {
    const [wanted, allowed] = [asked[name], max?.[name]]
    if (typeof wanted !== 'number' || allowed === undefined || wanted <= allowed) continue
    const problem = `no login of ${tenant} may have more than ${allowed} recipients ${WINDOWS[name]}`
    const advice = `Take less, or raise tenants.${tenant}.outbound.limits.login-max and reload.`
    throw new UserError(problem, advice, EXIT.data)
  }
  const named = Object.entries(asked).filter(([, value]) => value !== undefined)
  const after = Object.entries({ ...before, ...Object.fromEntries(named) }).filter(([, value]) => value !== null)
  return Object.fromEntries(after) as OwnLimits
}

const WINDOWS = { per10Minutes: 'in 10 minutes', perDay: 'in 24 hours' } as const
