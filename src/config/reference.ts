/**
 * The published descriptions of the configuration file, both made of the schema that validates it: a JSON schema for
 * editors (`docs/config.schema.json`) and the reference manual for people (`docs/configuration.md`).
 */
import { z } from 'zod'
import { relaySettings } from './schema.ts'
import { preferredHost } from './schema-tenant.ts'

type Json = { [key: string]: unknown }

/** Marks for this file; editors need not see them. */
const MARKS = ['x-allowed', 'x-one-or-more', 'x-host', 'x-same-as']

/** JSON schema 2020-12 of what may be written. */
export function configJsonSchema(): Json {
  const published = marked(relaySettings, ({ jsonSchema: json }) => {
    if (json['x-one-or-more'] === true) alsoAlone(json)
    if (json['x-host'] === true) {
      json['anyOf'] = [{ type: 'string' }, withoutDialect(marked(preferredHost, dropMarks))]
    }
    dropMarks({ jsonSchema: json })
  })
  const { $schema, ...rest } = published
  return { $schema, title: 'Vorposten: /etc/vorposten/vorposten.yaml', ...rest }
}

type Override = (context: { jsonSchema: Json }) => void

const marked = (schema: z.ZodType, override?: Override): Json =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', ...(override ? { override } : {}) }) as Json

function dropMarks({ jsonSchema }: { jsonSchema: Json }): void {
  for (const mark of MARKS) delete jsonSchema[mark]
}

const withoutDialect = ({ $schema: _, ...rest }: Json): Json => rest

// One value may stand without brackets.
function alsoAlone(json: Json): void {
  const { type, items, minItems } = json
  delete json['type']
  delete json['items']
  delete json['minItems']
  json['anyOf'] = [items, { type, items, minItems }]
}

const INTRODUCTION = `# Configuration

<!-- Made from the schema in src/config by src/cli/config-docs.ts. Change it there. -->

One YAML file, \`/etc/vorposten/vorposten.yaml\`. \`vorposten check-config\` reads it and says what is wrong, with line and
column, and then what it means. \`docs/config.schema.json\` tells editors the same. The smallest useful file:

\`\`\`yaml
hostname: mx1.relay.example
tenants:
  bakery:
    postmaster: chef@bakery.example    # who hears of held mail
    domains:
      bakery.example:
        deliver-to: mail.bakery.example
\`\`\`

How values are written:

| what | how | |
|---|---|---|
| durations | \`250ms\` \`30s\` \`5m\` \`4h\` \`5d\` | |
| sizes | \`64KiB\` \`25MB\` \`1GiB\` | KiB is 1024 octets, kB or KB 1000 |
| addresses to listen on | \`0.0.0.0:25\` \`"[::]:25"\` | IPv6 in quotes, since YAML takes brackets for a list |
| networks | \`10.0.0.0/8\` \`2001:db8::/32\` \`192.0.2.1\` | |
| hosts | \`mail.bakery.example\` \`mail.bakery.example:2525\` \`192.0.2.1\` | |
| domains | \`bakery.example\` \`bäckerei.example\` | Unicode is converted to A-labels (RFC 5890) |
| lists | \`[a, b]\`, or \`a\` alone | |
| paths | \`/etc/…\`, or from the folder of this file | |

Any value may hold \`\${ENV:NAME}\`: the environment variable takes its place. Unknown keys, keys that stand twice, YAML
aliases and tags are errors. Nothing is half-read: a file with an error is refused as a whole, and a running relay goes
on with the one it has.
`

/** The manual as Markdown. */
export function configReference(): string {
  const lines: string[] = []
  writeSection(marked(relaySettings), '', lines)
  return `${INTRODUCTION}\n${lines.join('\n')}\n`
}

/** A section, then the sections in it. */
function writeSection(json: Json, name: string, lines: string[]): void {
  const required = (json['required'] ?? []) as string[]
  const settings = Object.entries((json['properties'] ?? {}) as Record<string, Json>)
  lines.push(`## ${name === '' ? 'The file' : `\`${name}\``}`, '')
  if (name !== '' && typeof json['description'] === 'string') lines.push(json['description'], '')
  const inner: [string, Json][] = []
  for (const [key, setting] of settings) {
    const place = innerPlace(key, setting)
    if (place === undefined) writeSetting(key, setting, required.includes(key) || mustStand(name, key), lines)
    else {
      lines.push(
        `- **\`${key}\`**${sectionDefault(setting)}: ${setting['description']} See \`${join(name, place.name)}\`.`,
      )
      inner.push([join(name, place.name), place.json])
    }
  }
  lines.push('')
  for (const [place, section] of inner) writeSection(section, place, lines)
}

function sectionDefault({ default: written }: Json): string {
  return written === undefined || JSON.stringify(written) === '{}' ? '' : ` (default \`${defaultText(written)}\`)`
}

const join = (name: string, key: string): string => (name === '' ? key : `${name}.${key}`)

/** Settings that have no default and no `optional` mark; a reader takes their absence for an error. */
const mustStand = (section: string, key: string): boolean => section === '' && key === 'hostname'

/** Where the settings of a key stand that holds a section, a list of sections or named sections. */
function innerPlace(key: string, json: Json): { name: string; json: Json } | undefined {
  if (json['x-same-as'] !== undefined) return undefined
  if (json['properties'] !== undefined) return { name: key, json }
  const items = json['items'] as Json | undefined
  if (items?.['properties'] !== undefined) return { name: `${key}[]`, json: items }
  const named = json['additionalProperties'] as Json | undefined
  if (typeof named === 'object' && named['properties'] !== undefined)
    return { name: `${key}.${key === 'domains' ? '<domain>' : '<name>'}`, json: named }

  return undefined
}

function writeSetting(key: string, json: Json, required: boolean, lines: string[]): void {
  const facts: string[] = []
  if (json['default'] !== undefined) facts.push(`default \`${defaultText(json['default'])}\``)
  else if (required) facts.push('must stand')
  const allowed = allowedText(json)
  if (allowed !== undefined) facts.push(allowed)
  lines.push(`- **\`${key}\`** (${facts.join('; ')}): ${json['description'] ?? ''}`)
}

const defaultText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

function allowedText(json: Json): string | undefined {
  if (json['x-same-as'] !== undefined) return `as in \`${json['x-same-as']}\``
  if (json['x-one-or-more'] === true) return `one or more: ${allowedText(json['items'] as Json)}`
  if (Array.isArray(json['enum'])) return json['enum'].map((word) => `\`${word}\``).join(', ')
  return json['x-allowed'] as string | undefined
}
