/** What a command asks of a clerk, read by the clerk's schema; a request of another release is refused with a hint. */
import { z } from 'zod'
import { EXIT, UserError } from '../exit.ts'

export function asked<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  throw notUnderstood(z.prettifyError(parsed.error).replace(/\s+/g, ' '))
}

export const notUnderstood = (what: string): UserError =>
  new UserError(
    `the request was not understood: ${what}`,
    'Use the command line of the same release as the running program.',
    EXIT.unavailable,
  )
