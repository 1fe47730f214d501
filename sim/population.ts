/** Who lives in the simulated world: the customers with their servers, the relay's configuration for them, and letters. */
import type { Config } from '#config/config.ts'
import { parseConfig } from '#config/parse.ts'
import { type CustomerFacts, REFUSABLE } from './customer.ts'
import type { Letter } from './ledger.ts'
import type { Random } from './random.ts'
import type { Habits } from './sender.ts'

const HOUR = 3_600_000
const USERS = ['anna', 'bert', 'carla', 'dora', 'emil']

/** Some of each kind that matters: how recipients are known, how mail is committed, which protocol is spoken. */
export function customerFacts(random: Random): CustomerFacts[] {
  const kinds = [
    { recipients: 'live', commit: 'cut-through', protocol: 'smtp' },
    { recipients: 'live', commit: 'spool', protocol: 'smtp' },
    { recipients: 'listed', commit: 'cut-through', protocol: 'lmtp' },
    { recipients: 'accept-all', commit: 'spool', protocol: 'smtp' },
    { recipients: 'listed', commit: 'spool', protocol: 'lmtp' },
  ] as const
  return kinds.map((kind, i) => ({
    ...kind,
    name: `customer-${i}`,
    domain: `domain-${i}.test`,
    address: `198.51.100.${i + 1}`,
    port: kind.protocol === 'lmtp' ? 2424 : 25,
    users: USERS.slice(0, random.whole(2, USERS.length)),
    lifetime: random.pick(['6h', '2d', '5d']),
    keywords: ['PIPELINING', 'CHUNKING', '8BITMIME', 'ENHANCEDSTATUSCODES'].filter(() => random.chance(0.6)),
  }))
}

export const hostNameOf = ({ name }: CustomerFacts): string => `mx.${name}.test`
export const routeIdOf = ({ name }: CustomerFacts): string => `${name}/main`

const RECIPIENTS = {
  live: () => 'live',
  'accept-all': () => 'accept-all',
  listed: ({ users }: CustomerFacts) => `{listed: [${users.join(', ')}]}`,
} as const

export function relayConfig(customers: readonly CustomerFacts[]): Config {
  const lines = [
    'hostname: relay.test',
    // A thread keeps its own time.
    'spam: {filter: false}',
    'data-folder: /data',
    'workers: 1',
    "http: {address: 'off'}",
    "listeners: [{name: mx, addresses: '192.0.2.25:25', tls: none}]",
    // The memory of this process says nothing of the simulated one.
    "limits: {content-memory-max: '1TiB'}",
    "spool: {segment-size: '1MiB', free-space-min: '1MiB'}",
    'tenants:',
  ]
  for (const facts of customers) {
    lines.push(
      `  ${facts.name}:`,
      '    routes:',
      `      main: {hosts: '${hostNameOf(facts)}:${facts.port}', protocol: ${facts.protocol}, tls: never, lifetime: ${facts.lifetime}}`,
      '    domains:',
      `      ${facts.domain}: {route: main, recipients: ${RECIPIENTS[facts.recipients](facts)}, commit: ${facts.commit}}`,
    )
  }
  const parsed = parseConfig(`${lines.join('\n')}\n`, 'simulated.yaml')
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.config
}

export function letter(id: string, customers: readonly CustomerFacts[], random: Random): Letter {
  const { domain, users } = random.pick(customers)
  const refusable = random.chance(0.05)
  const chosen = users.filter(() => random.chance(0.4))
  if (random.chance(0.1)) chosen.push('nobody')
  const recipients = chosen.length > 0 ? chosen : [random.pick(users)]
  const line = `${random.chance(0.5) ? '.' : ''}${'text '.repeat(random.whole(1, 14))}\r\n`
  const text = line.repeat(random.chance(0.1) ? random.whole(1000, 4000) : random.whole(1, 60))
  const header = [refusable ? REFUSABLE : `Subject: ${id}`, `Message-ID: <${id}@sender.test>`, '', '']
  const from = random.chance(0.1) ? '' : `${id}@sender.test`
  return { id, from, domain, recipients, refusable, body: header.join('\r\n') + text }
}

export function habits(random: Random): Habits {
  return {
    pipelining: random.chance(0.6),
    chunking: random.chance(0.25),
    vanishes: random.chance(0.2) ? 0.4 : 0,
    slow: random.chance(0.1),
    givesUpMs: random.between(12, 96) * HOUR,
  }
}
