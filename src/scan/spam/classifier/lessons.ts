/**
 * Lessons: messages of which somebody said what they are. Lessons are what is kept; a layer is made from them (training.ts)
 * and can be made again without those of a source that is not believed any more.
 *
 * Whoever can teach can lie, so what a lesson counts depends on the others:
 *
 * | what | then |
 * |---|---|
 * | the same message again, with the same label | counts once |
 * | it contradicts strongly what is known without this tenant's lessons | counts `DOUBTED`, and all such of one source `DOUBTED_MAX`, until another source says the same of a message like it |
 * | one source teaches much | all it teaches counts no more than `SOURCE_SHARE_MAX` of all, or `SOURCE_FREE` lessons |
 *
 * The operator's own lessons are believed.
 */
import type { Classifier } from './classifier.ts'
import type { MessageFeatures } from './features.ts'
import { weightOf } from './signs.ts'
import type { Taught } from './training.ts'

/** Who teaches: by the command line, by releasing from quarantine, by reporting, or an address that nobody writes to. */
export const TEACHERS = ['operator', 'release', 'report', 'honeypot'] as const
export type Teacher = (typeof TEACHERS)[number]

/** What a lesson counts before the others are looked at. Anybody may write to a honeypot. */
const TRUST: Readonly<Record<Teacher, number>> = { operator: 1, release: 1, report: 0.7, honeypot: 0.5 }

export interface Lesson {
  /** Of the message: the same for a copy. */
  readonly hash: string
  readonly isSpam: boolean
  readonly teacher: Teacher
  /** Who exactly: an address, or a name that an operator gave. */
  readonly source: string
  readonly features: MessageFeatures
}

/** Log odds against it, from which on a lesson is doubted: 98 %. */
const DOUBT_FROM = 4
const DOUBTED = 0.1
const DOUBTED_MAX = 1
export const SOURCE_SHARE_MAX = 0.25
export const SOURCE_FREE = 5

/** `below`: what is known without these lessons. In their order, the oldest first. */
export function weighed(lessons: readonly Lesson[], below: Classifier): Taught[] {
  const doubtful = lessons.map((lesson) => isDoubtful(lesson, below))
  const kins = lessons.map((lesson, i) => (doubtful[i] ? kinOf(lesson.features) : undefined))
  const seen = new Set<string>()
  const doubted = new Map<string, number>()
  const weights = lessons.map((lesson, i) => {
    const { hash, isSpam, teacher } = lesson
    const key = `${isSpam} ${hash}`
    if (seen.has(key)) return 0
    seen.add(key)
    if (!doubtful[i] || lessons.some((other, k) => agrees(lesson, kins[i]!, other, kins[k]))) return TRUST[teacher]
    const used = doubted.get(lesson.source) ?? 0
    const weight = Math.min(TRUST[teacher] * DOUBTED, DOUBTED_MAX - used)
    doubted.set(lesson.source, used + weight)
    return weight
  })
  const shares = sharesOf(lessons, weights)
  return lessons.map(({ features, isSpam, teacher, source }, i) => ({
    features,
    isSpam,
    weight: weights[i]! * (shares.get(`${teacher} ${source}`) ?? 1),
  }))
}

function isDoubtful({ isSpam, teacher, features }: Lesson, below: Classifier): boolean {
  if (teacher === 'operator') return false
  const known = weightOf(below, features)
  return isSpam ? known <= -DOUBT_FROM : known >= DOUBT_FROM
}

/** Somebody else said the same of this message, or of one with many of its words. */
function agrees(
  lesson: Lesson,
  kin: readonly number[],
  other: Lesson,
  otherKin: readonly number[] | undefined,
): boolean {
  if (other.isSpam !== lesson.isSpam) return false
  if (other.source === lesson.source && other.teacher === lesson.teacher) return false
  if (other.hash === lesson.hash) return true
  return otherKin !== undefined && kin.filter((least, i) => least === otherKin[i]).length >= KIN_MIN
}

/** Least values under several orders (MinHash): two messages share each with the chance that is the share of common words. */
const KIN_SEEDS = [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f, 0x165667b1, 0x2c1b3c6d]
const KIN_MIN = 3

const kinOf = ({ words: { places } }: MessageFeatures): number[] =>
  KIN_SEEDS.map((seed) => {
    let least = 0xffffffff
    for (const place of places) least = Math.min(least, Math.imul(place ^ (place >>> 9), seed) >>> 0)
    return least
  })

/** By source: what all of its lessons count less, so that it stays within its share. */
function sharesOf(lessons: readonly Lesson[], weights: readonly number[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  let all = 0
  for (const [i, { teacher, source }] of lessons.entries()) {
    all += weights[i]!
    if (teacher === 'operator') continue
    const key = `${teacher} ${source}`
    sums.set(key, (sums.get(key) ?? 0) + weights[i]!)
  }
  const most = Math.max(SOURCE_FREE, SOURCE_SHARE_MAX * all)
  return new Map([...sums].map(([key, sum]) => [key, Math.min(1, most / sum)]))
}
