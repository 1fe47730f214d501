/** The spam filter: whom it asks, and how it decides. */
import type { z } from 'zod'
import { spamLists } from './schema-spam-lists.ts'
import { section } from './setting.ts'

export const spamSettings = section({
  lists: spamLists
    .optional()
    .describe('DNS lists, by name; 30 at most. None is asked if none is written here: see spam-lists.md.'),
})

export type SpamWritten = z.output<typeof spamSettings>
