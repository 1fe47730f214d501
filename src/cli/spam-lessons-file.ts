/**
 * Lessons as a file: JSON, one object per line. The first says what it is, the last how many there were and the SHA-256 of the
 * lines before it. It holds features and who taught them, no text of a message.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { TEACHERS } from '#scan/spam/classifier/lessons.ts'
import { unpacked } from '#scan/spam/classifier/packing.ts'
import type { ExportedLesson } from './clerks/spam-requests.ts'

const VERSION = 1
const first = z.strictObject({ vorposten: z.literal('spam-lessons'), version: z.number().int() })
const last = z.strictObject({ lessons: z.number().int(), sha256: z.string() })
const lesson = z.strictObject({
  isSpam: z.boolean(),
  teacher: z.enum(TEACHERS),
  source: z.string().min(1).max(400),
  atMs: z.number().nonnegative(),
  features: z.base64(),
})

export function lessonsFile(lessons: readonly ExportedLesson[]): string {
  const lines = [{ vorposten: 'spam-lessons', version: VERSION }, ...lessons].map((line) => `${JSON.stringify(line)}\n`)
  const text = lines.join('')
  return `${text}${JSON.stringify({ lessons: lessons.length, sha256: digestOf(text) })}\n`
}

/** Why it cannot be read, as a text: then nothing of it is used. */
export function readLessonsFile(file: Buffer): ExportedLesson[] | string {
  const text = file.toString('utf8')
  const lines = text.trimEnd().split('\n')
  const end = lines.pop() ?? ''
  const head = parsed(first, lines[0] ?? '')
  if (head === undefined) return 'it is no file of lessons'
  if (head.version !== VERSION) return `it is of version ${head.version}, and ${VERSION} is what this release reads`
  const foot = parsed(last, end)
  const before = lines.map((line) => `${line}\n`).join('')
  if (foot === undefined || foot.lessons !== lines.length - 1) return 'it is cut'
  if (foot.sha256 !== digestOf(before)) return 'its digest is wrong'
  const lessons: ExportedLesson[] = []
  for (const line of lines.slice(1)) {
    const read = parsed(lesson, line)
    if (read === undefined || unpacked(Buffer.from(read.features, 'base64')) === undefined)
      return `lesson ${lessons.length + 1} is damaged`
    lessons.push(read)
  }
  return lessons
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex')

function parsed<T extends z.ZodType>(schema: T, line: string): z.output<T> | undefined {
  try {
    const read = schema.safeParse(JSON.parse(line))
    return read.success ? read.data : undefined
  } catch {
    return undefined
  }
}
