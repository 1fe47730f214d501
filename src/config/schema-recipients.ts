/**
 * `recipients:` of a domain: who exists, and how we know. One word, or a mapping that names the source.
 */
import { z } from 'zod'
import { choice, fault, path, section, setting } from './setting.ts'

/** What lists have in common. */
export interface ListUse {
  readonly otherwise: 'refuse' | 'live'
  readonly subaddressSeparator?: string
}

/** As it stands in the file; `recipients.ts` reads the addresses, since they depend on the domain. */
export type RecipientSettings =
  | { readonly kind: 'live' }
  | { readonly kind: 'accept-all' }
  | { readonly kind: 'listed'; readonly addresses: readonly string[] }
  | { readonly kind: 'file'; readonly path: string }
  | ({ readonly kind: 'imported' } & ListUse)

const ALLOWED = 'live, accept-all, {listed: [anna, info]}, {file: /path/of/a/list} or {list: imported}'

const listedAddress = setting({
  allowed: 'a local part such as anna, or an address such as anna@bakery.example',
  read: (text) => (text === '' ? undefined : text),
  json: { type: ['string', 'integer'] },
})

const listUse = {
  otherwise: choice('refuse', 'live')
    .prefault('refuse')
    .describe('Who is not on the list: `refuse`, or `live` to ask the tenant’s server.'),
  'subaddress-separator': setting({
    allowed: 'one of + - _ = # in quotes',
    read: (text) => (/^[-+_=#]$/.test(text) ? text : undefined),
    json: { type: 'string', pattern: '^[-+_=#]$' },
  })
    .optional()
    .describe('`anna+shop` exists if `anna` does (RFC 5233).'),
}

/** By the key that names the source. */
const SECTIONS = {
  listed: section({ listed: z.array(listedAddress).describe('Plain local parts, or full addresses.') }),
  file: section({ file: path.describe('One address on a line; # begins a comment.') }),
  list: section({ list: choice('imported').describe('What `vorposten recipients import` brought.'), ...listUse }),
}
type Sections = { readonly [Name in keyof typeof SECTIONS]: z.output<(typeof SECTIONS)[Name]> }

const useOf = (read: Sections['list']): ListUse => {
  const separator = read['subaddress-separator']
  return { otherwise: read.otherwise, ...(separator === undefined ? {} : { subaddressSeparator: separator }) }
}

const READERS: { readonly [Name in keyof Sections]: (read: Sections[Name]) => RecipientSettings } = {
  listed: ({ listed }) => ({ kind: 'listed', addresses: listed }),
  file: ({ file }) => ({ kind: 'file', path: file }),
  list: (read) => ({ kind: 'imported', ...useOf(read) }),
}

const isSource = (key: string): key is keyof Sections => Object.hasOwn(SECTIONS, key)

export const recipients = z
  .unknown()
  .transform((written, context): RecipientSettings => {
    if (written === 'live' || written === 'accept-all') return { kind: written }
    const sources = typeof written === 'object' && written !== null ? Object.keys(written).filter(isSource) : []
    const [source] = sources
    if (source === undefined || sources.length > 1) {
      fault(context, { allowed: ALLOWED })
      return z.NEVER
    }
    const result = SECTIONS[source].safeParse(written)
    if (result.success) return (READERS[source] as (read: unknown) => RecipientSettings)(result.data)
    for (const issue of result.error.issues) context.addIssue(issue as never)
    return z.NEVER
  })
  .meta({
    'x-allowed': '`live`, `accept-all`, `{listed: [anna, info]}`, `{file: /path/of/a/list}`, `{list: imported}`',
    oneOf: [{ enum: ['live', 'accept-all'] }, ...Object.values(SECTIONS).map(jsonOf)],
  })

function jsonOf(source: z.ZodType): object {
  const { $schema: _, ...json } = z.toJSONSchema(source, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      delete (jsonSchema as Record<string, unknown>)['x-allowed']
    },
  })
  return json
}
