/**
 * The building blocks of the schema, on zod: a setting reads one written value, a section holds settings, and each
 * knows in words what it allows. The same objects validate the file, make the JSON schema and `docs/configuration.md`.
 *
 * A default is written as a person would write it (`prefault('5m')`) and is read like any other value.
 */
import { z } from 'zod'
import { readDuration, readSize } from './units.ts'

/** How one value is written. */
export interface Notation<T> {
  /** In words: "a duration such as 30s, 5m, 4h or 5d". */
  readonly allowed: string
  /** The same for the manual, which explains notations once; `allowed` if absent. */
  readonly brief?: string
  readonly read: (text: string) => T | undefined
  /** For the JSON schema. */
  readonly json: Readonly<Record<string, unknown>>
  /** What was probably meant by a text that `read` did not take. */
  readonly hint?: (text: string) => string | undefined
}

/** What an issue of ours carries to `issues.ts`. */
export interface IssueFacts {
  readonly allowed: string
  readonly hint?: string | undefined
}

/** One issue in a transform; `path` leads to a value inside the one that is read. */
export function fault(context: z.RefinementCtx, facts: IssueFacts, path: (string | number)[] = []): void {
  context.addIssue({ code: 'custom', message: facts.allowed, path, params: { ...facts } })
}

/** A description in several lines of source. */
export const prose = (...lines: readonly string[]): string => lines.join(' ')

/** A setting with one value. Numbers are read by their digits, yes and no by their words. */
export function setting<T>({ allowed, brief, read, json, hint }: Notation<T>) {
  return z
    .unknown()
    .transform((written, context): T => {
      const text = typeof written === 'number' || typeof written === 'boolean' ? String(written) : written
      const value = typeof text === 'string' ? read(text) : undefined
      if (value !== undefined) return value
      fault(context, { allowed, hint: typeof text === 'string' ? hint?.(text) : undefined })
      return z.NEVER
    })
    .meta({ ...json, 'x-allowed': brief ?? allowed })
}

/** A list; one value alone needs no brackets. */
export function oneOrMore<Item extends z.ZodType>(item: Item) {
  const asList = (written: unknown) => (written === undefined || Array.isArray(written) ? written : [written])
  return z.preprocess(asList, z.array(item).min(1)).meta({ 'x-one-or-more': true })
}

/** A mapping with these keys only. The message of an unknown key's issue is the list of the known ones. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const known = Object.keys(shape).join(', ')
  return z.strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? known : undefined) })
}

export const choice = <const Words extends readonly [string, ...string[]]>(...words: Words) => z.enum(words)

export const flag = setting({
  allowed: 'true or false',
  read: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  json: { type: 'boolean' },
})

/** A whole number, both ends included. */
export const count = (min: number, max: number) =>
  setting({
    allowed: `a whole number from ${min} to ${max}`,
    brief: `${min} to ${max}`,
    read: (text) => (/^\d{1,15}$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined),
    json: { type: 'integer', minimum: min, maximum: max },
  })

/** A duration in ms; the bounds are written like the value. */
export function duration(min: string, max: string) {
  const [minMs, maxMs] = [readDuration(min), readDuration(max)]
  if (minMs === undefined || maxMs === undefined) throw new Error(`not durations: ${min}, ${max}`)
  return setting({
    allowed: `a duration such as 250ms, 30s, 5m, 4h or 5d, from ${min} to ${max}`,
    brief: `${min} to ${max}`,
    read: (text) => inRange(readDuration(text), minMs, maxMs),
    json: { type: 'string', pattern: '^\\d+(ms|s|m|h|d)$' },
    hint: (text) => missingUnit(text, '30s or 5m'),
  })
}

/** A size in octets; the bounds are written like the value. */
export function size(min: string, max: string) {
  const [minOctets, maxOctets] = [readSize(min), readSize(max)]
  if (minOctets === undefined || maxOctets === undefined) throw new Error(`not sizes: ${min}, ${max}`)
  return setting({
    allowed: `a size such as 64KiB, 25MB or 1GiB, from ${min} to ${max}`,
    brief: `${min} to ${max}`,
    read: (text) => inRange(readSize(text), minOctets, maxOctets),
    json: { type: 'string', pattern: '^\\d+([KMGT]iB|[KMGT]B|kB|B)$' },
    hint: (text) => missingUnit(text, '64KiB or 25MB'),
  })
}

const inRange = (value: number | undefined, min: number, max: number): number | undefined =>
  value !== undefined && value >= min && value <= max ? value : undefined

const missingUnit = (text: string, examples: string): string | undefined =>
  /^\d+$/.test(text) ? `the unit is missing, as in ${examples}` : undefined

/** A path of the file system; a relative one starts at the folder of the configuration file. */
export const path = setting({
  allowed: 'the path of a file',
  brief: 'a path',
  read: (text) => (text !== '' && !text.includes('\0') ? text : undefined),
  json: { type: 'string', minLength: 1 },
})
