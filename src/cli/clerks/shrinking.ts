/** When a new list is so much shorter that somebody should look before it counts. */
import type { Difference } from '#store/recipient-lists.ts'

/** A list of at least so many entries … */
const GUARDED_ENTRIES_MIN = 50
/** … loses no more than this part of them by accident. */
const REMOVED_PART_MAX = 0.2

export function shrinks({ before, removed }: Difference): boolean {
  return before >= GUARDED_ENTRIES_MIN && removed > before * REMOVED_PART_MAX
}
