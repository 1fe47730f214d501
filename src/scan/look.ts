/**
 * One look of the embedded engine: the message in every reading that some mail program makes of it, each part taken apart
 * until nothing is left to open, each object examined. Runs in the scanning thread; what it throws is a defect, and the
 * message was not looked at.
 */
import type { ScanFact } from '#mail/scan.ts'
import { readEveryWay } from '#mime/readings/readings.ts'
import type { ScanObject } from './contract.ts'
import { createBudget, UNPACK_LIMITS, type UnpackLimits } from './unpack/budget.ts'
import { unpack } from './unpack/unpack.ts'
import { EXAMINERS, OPENERS } from './workmen.ts'

export async function look(
  octets: Buffer,
  now: () => number,
  limits: UnpackLimits = UNPACK_LIMITS,
): Promise<readonly ScanFact[]> {
  const { readings, doubts } = readEveryWay(octets)
  const objects = readings.map(
    ({ where, names, declaredType, octets: part }): ScanObject => ({
      where,
      names,
      ...(declaredType !== undefined && { declaredType }),
      octets: part,
      depth: 0,
    }),
  )
  const found = await unpack(objects, OPENERS, EXAMINERS, createBudget(limits, now))
  const doubtful = doubts.map(({ symbol, where, text }): ScanFact => ({ kind: 'cannot-tell', symbol, where, text }))
  return distinct([...doubtful, ...found])
}

/** Two readings of one place often show the same thing; `where` tells them apart where it matters. */
function distinct(facts: readonly ScanFact[]): ScanFact[] {
  const seen = new Map(facts.map((fact) => [JSON.stringify(fact), fact]))
  return [...seen.values()]
}
