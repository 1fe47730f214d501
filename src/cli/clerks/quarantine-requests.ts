/** What operators ask of the quarantine over the control socket, and what they are answered. */
import { z } from 'zod'
import { QUARANTINE_CLASSES } from '#mail/quarantine.ts'
import type { QuarantineEntry } from '#store/quarantine.ts'

/** In one answer of a list. */
export const LIST_ROWS_MAX = 500
/** Messages in one command. */
export const IDS_MAX = 1_000

export const NOT_THERE = 'is not in quarantine'

const id = z.string().max(64)
const ids = z.array(id).min(1).max(IDS_MAX)
const tenant = z.string().max(64).optional()
/** Whoever may open the control socket says who he is; a portal will say which of its users it is. */
const who = z.string().min(1).max(100)
const address = z.string().max(400)
const rowsMax = z.number().int().positive().max(LIST_ROWS_MAX)

export const requests = {
  list: z.strictObject({
    tenant,
    class: z.enum(QUARANTINE_CLASSES).optional(),
    sinceMs: z.number().nonnegative().optional(),
    recipient: address.optional(),
    after: z.tuple([z.number(), id]).optional(),
    rowsMax,
  }),
  log: z.strictObject({ tenant, id: id.optional(), before: z.number().optional(), rowsMax }),
  look: z.strictObject({ id, tenant, who }),
  delete: z.strictObject({ ids, tenant, who }),
  release: z.strictObject({
    ids,
    tenant,
    who,
    recipient: address.optional(),
    to: address.optional(),
    force: z.boolean(),
    dryRun: z.boolean(),
  }),
}

export type ReleaseRequest = z.output<typeof requests.release>

/** What became of one message. */
export interface Done {
  readonly id: string
  readonly done: boolean
  readonly text: string
}

/** An entry as JSON: `trace` in Base64. */
export type ShownEntry = Omit<QuarantineEntry, 'trace'> & { readonly trace: string }
