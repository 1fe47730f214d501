/**
 * `recipients:` of a domain: who exists, and how we know. One word, or a mapping that names the source.
 */
import { z } from 'zod'
import { choice, count, duration, fault, oneOrMore, path, prose, section, setting } from './setting.ts'

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
  | ({ readonly kind: 'file'; readonly path: string } & ListUse)
  | ({ readonly kind: 'imported' } & ListUse)
  | ({ readonly kind: 'ldap'; readonly ldap: LdapSettings } & ListUse)

const ALLOWED = 'live, accept-all, {listed: [anna, info]}, {file: /path/of/a/list}, {list: imported} or {ldap: …}'

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

const URL_FORM = /^ldaps?:\/\/(?:[A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(?::\d{1,5})?\/?$/
const ldapUrl = setting({
  allowed: 'ldaps://host, ldap://host, or one of them with a port',
  read: (text) => (URL_FORM.test(text) && URL.canParse(text) ? text.replace(/\/$/, '') : undefined),
  json: { type: 'string', pattern: '^ldaps?://' },
})
const text = (allowed: string) =>
  setting({
    allowed,
    read: (written) => (written === '' ? undefined : written),
    json: { type: 'string', minLength: 1 },
  })
const attribute = setting({
  allowed: 'the name of an attribute, such as mail',
  read: (written) => (/^[A-Za-z][A-Za-z0-9-]{0,127}$/.test(written) ? written : undefined),
  json: { type: 'string' },
})
const filter = setting({
  allowed: 'a filter such as (mail=*), with as many closing as opening brackets (RFC 4515)',
  read: (written) => (isFilter(written) ? written : undefined),
  json: { type: 'string' },
})

// Only what can be seen from here; the directory judges the rest. Brackets in values are written \28 and \29.
function isFilter(written: string): boolean {
  let depth = 0
  for (const [i, c] of [...written].entries()) {
    if (c === '(') depth++
    else if (depth === 0 || (c === ')' && --depth === 0 && i < [...written].length - 1)) return false
  }
  return depth === 0 && written !== ''
}

const ldapSettings = section({
  url: oneOrMore(ldapUrl).describe('`ldaps://host` or `ldap://host`; the next one is tried when the first is away.'),
  tls: choice('starttls', 'never')
    .prefault('starttls')
    .describe('Of `ldap://`: encrypted before anything is said, or, by explicit choice, never.'),
  'ca-file': path.optional().describe('Authorities that may certify the directory; those of the system if absent.'),
  'bind-dn': text('a name such as cn=relay,dc=bakery,dc=example').optional().describe('Who asks; nobody if absent.'),
  'password-file': path.optional().describe('File with the password; read at each fetch.'),
  'password-env': text('the name of an environment variable').optional().describe('Variable with the password.'),
  base: text('a name such as dc=bakery,dc=example').describe('Where the search begins; it goes all the way down.'),
  filter: filter.optional().describe('Which entries (RFC 4515); all with one of the attributes if absent.'),
  attributes: oneOrMore(attribute)
    .prefault(['mail', 'proxyAddresses'])
    .describe('Where addresses stand. Of values with a prefix those with `smtp:` count. Other domains are left out.'),
  'page-size': count(1, 10_000).prefault(500).describe('Entries per page (RFC 2696); Active Directory gives 1000.'),
  interval: duration('1m', '7d').prefault('15m').describe('From one fetch to the next.'),
  'time-max': duration('1s', '5m')
    .prefault('30s')
    .describe(prose('For the connection with its bind, and for each page.')),
})
export type LdapSettings = z.output<typeof ldapSettings>

/** By the key that names the source. */
const SECTIONS = {
  listed: section({ listed: z.array(listedAddress).describe('Plain local parts, or full addresses.') }),
  file: section({ file: path.describe('One address on a line, # begins a comment; or CSV.'), ...listUse }),
  list: section({ list: choice('imported').describe('What `vorposten recipients import` brought.'), ...listUse }),
  ldap: section({ ldap: ldapSettings.describe('A directory that is asked again and again.'), ...listUse }),
}
type Sections = { readonly [Name in keyof typeof SECTIONS]: z.output<(typeof SECTIONS)[Name]> }

const useOf = (read: Pick<Sections['list'], keyof typeof listUse>): ListUse => {
  const separator = read['subaddress-separator']
  return { otherwise: read.otherwise, ...(separator === undefined ? {} : { subaddressSeparator: separator }) }
}

const READERS: { readonly [Name in keyof Sections]: (read: Sections[Name]) => RecipientSettings } = {
  listed: ({ listed }) => ({ kind: 'listed', addresses: listed }),
  file: (read) => ({ kind: 'file', path: read.file, ...useOf(read) }),
  list: (read) => ({ kind: 'imported', ...useOf(read) }),
  ldap: (read) => ({ kind: 'ldap', ldap: read.ldap, ...useOf(read) }),
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
    'x-allowed':
      '`live`, `accept-all`, `{listed: [anna, info]}`, `{file: /path/of/a/list}`, `{list: imported}`, `{ldap: {…}}`',
    oneOf: [{ enum: ['live', 'accept-all'] }, ...Object.values(SECTIONS).map(jsonOf)],
  })

function jsonOf(source: z.ZodType): object {
  const { $schema: _, ...json } = z.toJSONSchema(source, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      const found = jsonSchema as Record<string, unknown>
      if (found['x-one-or-more'] === true) {
        const { type, items, minItems } = found
        for (const key of ['type', 'items', 'minItems']) delete found[key]
        found['anyOf'] = [items, { type, items, minItems }]
      }
      for (const mark of ['x-allowed', 'x-one-or-more']) delete found[mark]
    },
  })
  return json
}
