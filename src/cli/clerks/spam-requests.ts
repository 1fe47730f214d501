/** What workers and operators ask the clerk of the spam filter's lessons, and what he answers. */
import { z } from 'zod'
import { TEACHERS, type Teacher } from '#scan/spam/classifier/lessons.ts'
import { PACKED_OCTETS_MAX } from '#scan/spam/classifier/packing.ts'

/** In one request over the control socket; its octets are the narrower limit. */
export const LESSONS_PER_REQUEST_MAX = 100
/** Of what is sent at a time, in characters of base64. */
export const FEATURES_PER_REQUEST_MAX = 40 * 1024

const tenant = z.string().min(1).max(64).optional()
const source = z.string().min(1).max(400)
const lesson = z.strictObject({
  isSpam: z.boolean(),
  features: z.base64().max(Math.ceil(PACKED_OCTETS_MAX / 3) * 4),
})
const teacher = z.enum(TEACHERS)

export const requests = {
  train: z.strictObject({ tenant, source, lessons: z.array(lesson).max(LESSONS_PER_REQUEST_MAX) }),
  import: z.strictObject({
    tenant,
    lessons: z.array(lesson.extend({ teacher, source, atMs: z.number().nonnegative() })).max(LESSONS_PER_REQUEST_MAX),
  }),
  export: z.strictObject({ tenant, after: z.number().int().nonnegative() }),
  undo: z.strictObject({ tenant, source, teacher: teacher.optional(), sinceMs: z.number().nonnegative().optional() }),
  stats: z.strictObject({ tenant }),
  settle: z.strictObject({}),
}

/** Of one message, as a worker says it. */
export interface Teaching {
  readonly tenant: string
  readonly isSpam: boolean
  readonly teacher: Teacher
  readonly source: string
  /** Packed. */
  readonly features: Uint8Array
}

export interface SpamQuestions {
  'spam/learn': { body: readonly Teaching[] }
}

export interface TrainAnswer {
  readonly learned: number
  readonly known: number
  readonly tooMany: number
}

export interface ExportedLesson {
  readonly isSpam: boolean
  readonly teacher: string
  readonly source: string
  readonly atMs: number
  readonly features: string
}

export interface StatsAnswer {
  readonly tenants: readonly {
    /** Absent: for everybody. */
    readonly tenant?: string
    readonly ham: number
    readonly spam: number
    /** Octets of its layer; absent: there is none yet. */
    readonly layerOctets?: number
    readonly sources: readonly { teacher: string; source: string; ham: number; spam: number; lastMs: number }[]
  }[]
}
