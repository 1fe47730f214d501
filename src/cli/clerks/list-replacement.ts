/**
 * Puts a list that was read or fetched in the place of the old one. An empty answer, or one that lacks more than a fifth,
 * is far more often a filter or a script that went wrong than a customer who dismissed everybody: then the old one stays,
 * unless an operator says otherwise.
 */
import { EXIT, UserError } from '#cli/exit.ts'
import type { Difference, ListOrigin, RecipientLists, StagedList } from '#store/recipient-lists.ts'
import type { Clock } from '#sys/clock.ts'
import { shrinks } from './shrinking.ts'

export interface ReplacementParts {
  readonly lists: RecipientLists
  readonly clock: Clock
  /** Tells the workers. */
  readonly changed: (domain: string) => Promise<void>
}

export interface Replacement {
  readonly domain: string
  readonly origin: ListOrigin
  /** "the directory", "the file …" */
  readonly from: string
  /** Whatever it lacks. */
  readonly force: boolean
}

/** Ends `staged` in any case. Throws a UserError that says why the old list stays. */
export async function replaceList(
  staged: StagedList,
  replacement: Replacement,
  parts: ReplacementParts,
): Promise<Difference> {
  let inForce = false
  try {
    const difference = await judged(staged, replacement)
    inForce = await switched(staged, difference, replacement, parts)
    if (inForce) await parts.changed(replacement.domain)
    return difference
  } finally {
    if (!inForce) await staged.discard()
  }
}

async function judged(staged: StagedList, { domain, from, force }: Replacement): Promise<Difference> {
  const difference = await staged.difference()
  const { before, after, removed } = difference
  if (force || (after > 0 && !shrinks(difference))) return difference
  const what = after === 0 ? `${from} knows nobody` : `${from} lacks ${removed} of ${before} addresses`
  const advice = `If that is right: vorposten recipients refresh ${domain} --force`
  throw new UserError(`${what}; the list was kept (${advice})`, `${advice}.`, EXIT.data)
}

// What says the same as before is not written again.
async function switched(
  staged: StagedList,
  { added, removed }: Difference,
  { domain, origin }: Replacement,
  { lists, clock }: ReplacementParts,
): Promise<boolean> {
  if (lists.state(domain)?.source === origin.source && added + removed === 0) {
    lists.confirmed(domain, clock.wall(), origin.stamp)
    return false
  }
  await staged.commit(origin, clock.wall())
  return true
}
