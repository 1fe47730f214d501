/**
 * One look into a message, in a reading thread: the message in every reading that some mail program makes of it; then, for
 * the embedded engine, each part taken apart until nothing is left to open, and each object examined. What it throws is a
 * defect, and the message was not looked at.
 */
import type { ScanFact } from '#mail/scan.ts'
import type { Readings } from '#mime/readings/contract.ts'
import { readEveryWay } from '#mime/readings/readings.ts'
import { objectOf } from './extra.ts'
import { createBudget, UNPACK_LIMITS, type UnpackLimits } from './unpack/budget.ts'
import { unpack } from './unpack/unpack.ts'
import { EXAMINERS, OPENERS } from './workmen.ts'

export async function look(
  octets: Buffer,
  now: () => number,
  limits: UnpackLimits = UNPACK_LIMITS,
): Promise<readonly ScanFact[]> {
  const read = readEveryWay(octets)
  return distinct([...doubtsOf(read), ...(await examined(read, now, limits))])
}

export function examined(
  { readings }: Readings,
  now: () => number,
  limits: UnpackLimits = UNPACK_LIMITS,
): Promise<readonly ScanFact[]> {
  return unpack(readings.map(objectOf), OPENERS, EXAMINERS, createBudget(limits, now))
}

export const doubtsOf = ({ doubts }: Readings): ScanFact[] =>
  doubts.map(({ symbol, where, text }): ScanFact => ({ kind: 'cannot-tell', symbol, where, text }))

/** Two readings of one place often show the same thing; `where` tells them apart where it matters. */
export function distinct(facts: readonly ScanFact[]): ScanFact[] {
  const seen = new Map(facts.map((fact) => [JSON.stringify(fact), fact]))
  return [...seen.values()]
}
