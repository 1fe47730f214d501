/**
 * "Show only what differs": the settings of a file without those that say what would hold anyway.
 */
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { relaySettings } from './schema.ts'
import type { Written, WrittenSection } from './yaml-text.ts'

/** The values of secrets that stand in the file itself. */
const SECRETS: readonly string[] = ['secret', 'access-key']

/** As they are written in the file; secrets are hidden. Sections in which nothing differs are left out; tenants and domains always stay. */
export function diffFromDefaults(written: Written): WrittenSection {
  const kept = keep(relaySettings, written)
  return isSection(kept) ? kept : {}
}

/** Undefined: nothing in it differs. */
function keep(schema: z.core.$ZodType, written: Written): Written | undefined {
  if (schema instanceof z.ZodPrefault) {
    const inner = schema.unwrap()
    if (isDeepStrictEqual(z.safeParse(inner, written).data, z.safeParse(schema, undefined).data)) return undefined
    return keep(inner, written)
  }
  if (schema instanceof z.ZodOptional) return keep(schema.unwrap(), written)
  if (schema instanceof z.ZodPipe) return keepItems(schema.out, written)
  if (schema instanceof z.ZodRecord && isSection(written)) {
    return Object.fromEntries(
      Object.entries(written).map(([name, value]) => [name, keep(schema.valueType, value) ?? {}]),
    )
  }
  if (schema instanceof z.ZodObject && isSection(written)) return keepSection(schema, written)
  return written
}

// A list of sections, such as the listeners; other lists have no defaults inside.
function keepItems(schema: z.core.$ZodType, written: Written): Written {
  if (!(schema instanceof z.ZodArray)) return written
  if (Array.isArray(written)) return written.map((item: Written) => keep(schema.element, item) ?? {})
  return isSection(written) ? (keep(schema.element, written) ?? {}) : written
}

function keepSection(schema: z.ZodObject, written: WrittenSection): WrittenSection {
  const kept: Record<string, Written> = {}
  for (const [key, value] of Object.entries(written)) {
    const setting = schema.shape[key]
    const differs = setting === undefined ? value : keep(setting, value)
    // What is shown is kept in tickets and chats.
    if (SECRETS.includes(key) && differs !== undefined) kept[key] = '***'
    else if (differs !== undefined) kept[key] = differs
  }
  return kept
}

const isSection = (written: Written | undefined): written is WrittenSection =>
  typeof written === 'object' && written !== null && !Array.isArray(written)
