/**
 * From zod's issues to `Problem`s: where it stands, what stands there, what is allowed, what may have been meant.
 */
import type { z } from 'zod'
import { type Detail, shown } from './problem.ts'
import type { IssueFacts } from './setting.ts'
import { nearest } from './suggest.ts'
import type { SettingPath, YamlText } from './yaml-text.ts'

type Issue = z.core.$ZodIssue

/** Reads a value with its schema; problems are reported, and the answer is then undefined. */
export function readWith<Schema extends z.ZodType>(
  schema: Schema,
  written: unknown,
  path: SettingPath,
  yaml: YamlText,
): z.output<Schema> | undefined {
  const result = schema.safeParse(written)
  if (result.success) return result.data
  for (const issue of result.error.issues) reportIssue(issue, path, yaml)
  return undefined
}

function reportIssue(issue: Issue, parent: SettingPath, yaml: YamlText): void {
  const path = [...parent, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))]
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) reportUnknownKey([...path, key], issue.message.split(', '), yaml)
    return
  }
  const source = yaml.source(path)
  const detail = detailOf(issue, source)
  if (isAbsent(path, yaml)) yaml.report('error', path, 'is missing', detail, 'key')
  else if (source === undefined) yaml.report('error', path, 'is a list or a mapping of the wrong kind', detail)
  else if (source === '') yaml.report('error', path, 'has no value', detail, 'key')
  else yaml.report('error', path, `${shown(source)} is not allowed here`, detail)
}

/** A key that nobody knows, at its own position. */
export function reportUnknownKey(path: SettingPath, known: readonly string[], yaml: YamlText): void {
  const key = String(path.at(-1))
  const meant = nearest(key, known)
  const detail = { allowed: known.join(', '), ...(meant === undefined ? {} : { hint: `did you mean ${meant}?` }) }
  yaml.report('error', path, `${shown(key)} is not a setting`, detail, 'key')
}

function detailOf(issue: Issue, source: string | undefined): Detail {
  if (issue.code === 'invalid_value') {
    const words = issue.values.map(String)
    const meant = source === undefined ? undefined : nearest(source, words)
    return { allowed: words.join(', '), ...(meant === undefined ? {} : { hint: `did you mean ${meant}?` }) }
  }
  if (issue.code === 'too_small') return { allowed: 'at least one value' }
  if (issue.code === 'invalid_type' && issue.expected === 'object') return { allowed: 'a mapping (key: value)' }
  if (issue.code === 'invalid_type' && issue.expected === 'array') return { allowed: 'one value or a list' }
  if (issue.code !== 'custom') return { allowed: issue.message }
  const { allowed, hint } = issue.params as unknown as IssueFacts
  return { allowed, ...(hint === undefined ? {} : { hint }) }
}

function isAbsent(path: SettingPath, yaml: YamlText): boolean {
  let value: unknown = yaml.value
  for (const step of path) {
    if (typeof step === 'number' && !Array.isArray(value)) continue
    if (typeof value !== 'object' || value === null) return false
    value = (value as Record<string | number, unknown>)[step]
    if (value === undefined) return true
  }
  return false
}
