/**
 * The file read setting by setting, as far as it can be: what is faulty is reported and left out, so that one fault
 * hides no other. `checks.ts` then compares the parts with each other, and `resolve.ts` makes the `Config`.
 */
import type { z } from 'zod'
import { readWith, reportUnknownKey } from './issues.ts'
import { shown } from './problem.ts'
import { relayShape } from './schema.ts'
import {
  type DomainSettings,
  domainName,
  domainSettings,
  NAME,
  NAME_ALLOWED,
  type RouteSettings,
  routeSettings,
  tenantShape,
} from './schema-tenant.ts'
import type { SettingPath, WrittenSection, YamlText } from './yaml-text.ts'

type Read<Shape extends Record<string, z.ZodType>> = { readonly [Name in keyof Shape]?: z.output<Shape[Name]> }
export type RelayDraft = Read<typeof relayShape>

export interface RouteDraft {
  readonly name: string
  readonly path: SettingPath
  /** Absent if faulty. */
  readonly settings: RouteSettings | undefined
}

export interface DomainDraft {
  /** A-labels; may begin with `*.`. */
  readonly name: string
  readonly path: SettingPath
  readonly settings: DomainSettings | undefined
}

export interface TenantDraft {
  readonly name: string
  readonly path: SettingPath
  readonly settings: Read<typeof tenantShape>
  readonly routes: ReadonlyMap<string, RouteDraft>
  readonly domains: readonly DomainDraft[]
  /** Every domain could be read, so what is not used is really not used. */
  readonly complete: boolean
}

export interface Draft {
  readonly relay: RelayDraft
  readonly tenants: readonly TenantDraft[]
}

export function readDraft(yaml: YamlText): Draft {
  const root = sectionAt(yaml, yaml.value, [])
  const relay = readFields(relayShape, ['tenants'], root ?? {}, [], yaml)
  if (root === undefined) return { relay, tenants: [] }
  if (root['tenants'] === undefined)
    yaml.report('error', ['tenants'], 'is missing', { allowed: 'a mapping of tenants' })
  const tenants = entries(yaml, root['tenants'], ['tenants']).map(([name, value, path]) =>
    readTenant(yaml, name, value, path),
  )
  return { relay, tenants }
}

function readTenant(yaml: YamlText, name: string, value: unknown, path: SettingPath): TenantDraft {
  checkName(yaml, name, path)
  const section = sectionAt(yaml, value, path) ?? {}
  const settings = readFields(tenantShape, ['routes', 'domains'], section, path, yaml)
  const routes = new Map<string, RouteDraft>()
  for (const [route, written, at] of entries(yaml, section['routes'], [...path, 'routes'])) {
    checkName(yaml, route, at)
    routes.set(route, { name: route, path: at, settings: readWith(routeSettings, written, at, yaml) })
  }
  const domains: DomainDraft[] = []
  let complete = true
  for (const [written, value, at] of entries(yaml, section['domains'], [...path, 'domains'])) {
    const read = domainName.safeParse(written)
    if (!read.success) {
      const allowed = 'a domain such as bakery.example, or "*.bakery.example" for all its subdomains'
      yaml.report('error', at, `${shown(written)} is not a domain`, { allowed }, 'key')
    }
    const settings = readWith(domainSettings, value, at, yaml)
    if (read.success) domains.push({ name: read.data, path: at, settings })
    complete &&= read.success && settings !== undefined
  }
  return { name, path, settings, routes, domains, complete }
}

/** Each key with its own schema, so that the sound ones are there although others are faulty. */
function readFields<Shape extends Record<string, z.ZodType>>(
  shape: Shape,
  others: readonly string[],
  section: WrittenSection,
  path: SettingPath,
  yaml: YamlText,
): Read<Shape> {
  const known = [...Object.keys(shape), ...others]
  for (const key of Object.keys(section)) if (!known.includes(key)) reportUnknownKey([...path, key], known, yaml)
  const read: Record<string, unknown> = {}
  for (const [key, schema] of Object.entries(shape)) read[key] = readWith(schema, section[key], [...path, key], yaml)
  return read as Read<Shape>
}

function sectionAt(yaml: YamlText, value: unknown, path: SettingPath): WrittenSection | undefined {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as WrittenSection
  const message = value === null ? 'has no value' : 'is not a mapping'
  yaml.report('error', path, path.length === 0 ? `the file ${message}` : message, { allowed: 'a mapping (key: value)' })
  return undefined
}

function entries(yaml: YamlText, value: unknown, path: SettingPath): [string, unknown, SettingPath][] {
  if (value === undefined) return []
  const section = sectionAt(yaml, value, path) ?? {}
  return Object.entries(section).map(([key, written]) => [key, written, [...path, key]])
}

function checkName(yaml: YamlText, name: string, path: SettingPath): void {
  if (!NAME.test(name)) yaml.report('error', path, `${shown(name)} is not a name`, { allowed: NAME_ALLOWED }, 'key')
}
