/**
 * `vorposten dns DOMAIN`: which DNS records a domain needs, which it has, what is wrong, and the missing ones ready to paste.
 * It asks the name servers itself, each time anew, and reads the keys from the store; the relay need not run.
 */
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { Command } from 'commander'
import type { Config } from '#config/config.ts'
import { directoryFrom } from '#config/directory.ts'
import { nameServer } from '#config/units.ts'
import { checkRecords, outcomeOf } from '#conformance/dns/desk.ts'
import type { DeskFacts, Row, RowState, SendingAddress } from '#conformance/dns/row.ts'
import type { SenderDomainName } from '#store/sender-domains.ts'
import { addressGuard } from '#sys/address-guard.ts'
import { systemClock } from '#sys/clock.ts'
import type { Dns } from '#sys/dns/answer.ts'
import { systemDns } from '#sys/resolver.ts'
import type { OutboundSettings } from '#tenant/directory.ts'
import { oneOwner } from './clerks/domain-owners.ts'
import { tokenOf } from './clerks/domains.ts'
import { EXIT, UserError } from './exit.ts'
import { storePath } from './folders.ts'
import { masterKeyOf } from './master-key.ts'
import { storedSigning } from './signing-summary.ts'

interface Options {
  readonly tenant?: string
  readonly json?: boolean
  readonly nameServer?: string
  readonly source?: readonly string[]
}

const OUTCOMES = { complete: EXIT.ok, incomplete: EXIT.unavailable, unknown: EXIT.later } as const
const STATES: Readonly<Record<RowState, string>> = {
  there: 'ok',
  missing: 'MISSING',
  wrong: 'WRONG',
  unknown: 'NO ANSWER',
  advised: 'advised',
  'not-needed': 'not needed',
}

export function dnsCommand(config: () => Promise<Config>): Command {
  return new Command('dns')
    .description('which DNS records a domain needs, which it has, and the missing ones ready to paste')
    .argument('<domain>', 'a domain of a tenant, served here or one that it sends as')
    .option('--tenant <name>', 'of a domain that several tenants send as')
    .option('--name-server <address>', 'ask this one, instead of those of the configuration')
    .option('--source <address...>', 'our sending addresses, if the configuration does not name them')
    .option('--json', 'one JSON object per line')
    .action(async (domain: string, options: Options) => {
      const settings = await config()
      const dns = dnsFor(settings, options.nameServer)
      const { facts, assumption } = await factsOf(settings, domain, options, dns)
      const rows = await checkRecords(facts, dns)
      const lines = options.json ? rows.map((row) => JSON.stringify(row)) : textOf(facts, assumption, rows)
      process.stdout.write(`${lines.join('\n')}\n`)
      process.exitCode = OUTCOMES[outcomeOf(rows)]
    })
}

function dnsFor(config: Config, named: string | undefined): Dns {
  const server = named === undefined ? undefined : nameServer(named)
  if (named !== undefined && server === undefined) {
    throw new UserError(`${named} is no name server`, 'Write an address, such as 127.0.0.1 or [::1]:5353.', EXIT.data)
  }
  return systemDns(systemClock, () => (server === undefined ? config.nameServers : [server]))
}

async function factsOf(
  config: Config,
  given: string,
  { source: named, tenant: ofTenant }: Options,
  dns: Dns,
): Promise<{ facts: DeskFacts; assumption: string }> {
  const directory = directoryFrom(config)
  const owner = oneOwner({ domain: given, tenant: ofTenant }, config, directory)
  const { domain } = owner
  const served = directory.domain(domain)
  const { outbound } = served?.tenant ?? config.tenants.find(({ name }) => name === owner.tenant)!
  const { hostname, destinations } = config
  const wrong = named?.find((address) => isIP(address) === 0)
  if (wrong !== undefined) throw new UserError(`${wrong} is no address`, 'Write IPv4 or IPv6 addresses.', EXIT.data)
  const notPublic = addressGuard(destinations.allowNetworks)
  const sending = await sendingOf(config, outbound, named, notPublic, dns)
  const keys = storedSigning(storePath(config.dataFolder))?.keys
  const own = ({ tenant, domain: of }: { tenant: string; domain: string }) => tenant === owner.tenant && of === domain
  const facts: DeskFacts = {
    ...{ domain, hostname, notPublic },
    ownNames: [...new Set([hostname, ...destinations.ownNames])],
    receives: served !== undefined,
    ...(served === undefined && { senderToken: tokenFor(config, owner) }),
    fallback: served?.fallback !== undefined,
    sends: outbound !== undefined,
    sources: sending.sources,
    carriers: sending.carriers,
    keys: keys?.filter(own),
    publicKeyDigests: publicKeyDigests(config),
  }
  return { facts, assumption: sending.assumption }
}

function tokenFor(config: Config, owner: SenderDomainName): string | 'not-readable' {
  try {
    const master = masterKeyOf(config)
    return master === undefined ? 'not-readable' : tokenOf(master, owner)
  } catch {
    return 'not-readable'
  }
}

interface Sending {
  readonly sources: readonly SendingAddress[]
  readonly carriers: readonly string[]
  readonly assumption: string
}

/** Which of our addresses the world sees, and why we think so. */
async function sendingOf(
  config: Config,
  outbound: OutboundSettings | undefined,
  named: readonly string[] | undefined,
  notPublic: DeskFacts['notPublic'],
  dns: Dns,
): Promise<Sending> {
  const { hostname } = config
  if (outbound === undefined)
    return { sources: [], carriers: [], assumption: 'the tenant does not send through this relay' }
  const as = (addresses: readonly string[]) => addresses.map((address) => ({ address, greetingName: hostname }))
  if (named !== undefined) return { sources: as(named), carriers: [], assumption: 'as --source says' }
  const ids = [outbound.route, ...(outbound.domainRoutes?.values() ?? []), outbound.nullPathRoute]
  const routes = config.routes.filter(({ id }) => ids.includes(id))
  const carriers = [...new Set(routes.flatMap(({ byMx, hosts }) => (byMx ? [] : hosts.map(({ name }) => name))))]
  const direct = routes.filter(({ byMx }) => byMx !== undefined)
  if (direct.length === 0)
    return { sources: [], carriers, assumption: `its mail leaves through ${carriers.join(', ')}` }
  const declared = new Map<string, SendingAddress>()
  for (const { sources = [], greetingName = hostname } of direct) {
    for (const source of sources) declared.set(source.address, { greetingName, ...source })
  }
  if (direct.every(({ sources }) => sources !== undefined)) {
    return { sources: [...declared.values()], carriers, assumption: 'source-addresses of its routes' }
  }
  const local = localAddresses().filter((address) => notPublic(address) === undefined)
  const guessed = local.length > 0 ? local : await addressesOf(hostname, dns)
  const assumption = local.length > 0 ? 'public addresses of this machine' : `what DNS says of ${hostname}`
  for (const source of as(guessed)) if (!declared.has(source.address)) declared.set(source.address, source)
  return { sources: [...declared.values()], carriers, assumption: `${assumption}; no source-addresses are set` }
}

const localAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((all = []) => all.flatMap((one) => (one.internal ? [] : [one.address])))

async function addressesOf(name: string, dns: Dns): Promise<string[]> {
  const answers = await Promise.all([dns.lookup(name, 'A'), dns.lookup(name, 'AAAA')])
  return answers.flatMap((answer) => (answer.kind === 'found' ? answer.records : []))
}

// What cannot be read is told by check-config; self-signed ones change, so nobody should publish them.
function publicKeyDigests({ listeners }: Config): string[] {
  const files = listeners
    .filter(({ service, tls }) => service !== 'outbound' && tls !== 'none')
    .flatMap(({ certificates }) => certificates.map(({ certificateFile }) => certificateFile))
  return [...new Set(files)].flatMap((file) => {
    try {
      const { publicKey } = new X509Certificate(readFileSync(file))
      return [
        createHash('sha256')
          .update(publicKey.export({ type: 'spki', format: 'der' }))
          .digest('hex'),
      ]
    } catch {
      return []
    }
  })
}

function textOf({ sources }: DeskFacts, assumption: string, rows: readonly Row[]): string[] {
  const addresses = sources.map(({ address }) => address).join(', ') || 'none of ours'
  const lines = [`; sending addresses: ${addresses} (${assumption})`]
  for (const { kind, name, state, text, paste = [] } of rows) {
    lines.push(`; ${STATES[state]}: ${kind} ${name}: ${printable(text)}`)
    for (const one of paste)
      lines.push(state === 'not-needed' || state === 'advised' ? `; ${printable(one)}` : printable(one))
  }
  return lines
}

// Records are strangers' text: it begins no line of ours, and moves no cursor.
const printable = (text: string): string => text.replace(/[^\x20-\x7e\u00a1-\uffff]/g, '?')
