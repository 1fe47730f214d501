/**
 * ETRN (RFC 1985): a tenant's server that is back asks for the mail that waits for it. It may ask for its own domains,
 * from networks that the configuration names (§6 leaves the check to us: anyone could otherwise learn what waits, and
 * make us connect).
 *
 * Limits: one question walks through all domains; a session ends after `errors-max` refused ones.
 */
import { Networks } from '#accept/networks.ts'
import type { EtrnAnswer } from '#mail/decisions.ts'
import { parseDomainName } from '#mail/domain.ts'
import { type PositiveCode, permanent, transient } from '#mail/reply.ts'
import type { Session } from '#mail/session.ts'
import { defer, reject } from '#mail/verdict.ts'
import type { Directory, ServedDomain } from '#tenant/directory.ts'

export interface EtrnParts {
  readonly directory: () => Directory
  readonly inMaintenance: (routeId: string) => boolean
  /** Starts what waits for these routes, in all workers; how many messages that are. */
  readonly flush: (routeIds: readonly string[]) => Promise<number>
}

export async function etrn(session: Session, argument: string, parts: EtrnParts): Promise<EtrnAnswer> {
  const asked = nodeOf(argument)
  if (asked === undefined) return reject(SYNTAX, 'etrn-syntax', 'neither a domain nor a queue')
  const own = [...parts.directory().domains()].filter((domain) => mayAsk(domain, session.client.address))
  if (own.length === 0) {
    return reject(STRANGER, 'etrn-denied', 'the client is in no network of etrn-from')
  }
  const routes = [...new Set(own.filter(asked).map(({ route }) => route.id))]
  if (routes.length === 0) {
    const text = `Node ${argument} not allowed: not a domain of yours`
    return defer(transient(459, '4.7.1', text), 'etrn-not-allowed', 'not of the domains that this client may ask for')
  }
  const open = routes.filter((id) => !parts.inMaintenance(id))
  if (open.length === 0) return unable(argument, 'in maintenance', `${routes.join(', ')} is in maintenance`)
  let waiting: number
  try {
    waiting = await parts.flush(open)
  } catch (error) {
    return unable(argument, 'please try again later', error instanceof Error ? error.message : String(error))
  }
  return waiting === 0
    ? started(251, `OK, no messages waiting for node ${argument}`)
    : started(253, `OK, ${waiting} pending messages for node ${argument} started`)
}

const SYNTAX = permanent(501, '5.5.4', 'Syntax: ETRN domain, ETRN @domain or ETRN #queue')
const STRANGER = permanent(550, '5.7.1', 'ETRN is not available to you')

const started = (code: PositiveCode, text: string): EtrnAnswer => ({
  kind: 'accept',
  reply: { code, status: '2.0.0', text },
})
const unable = (argument: string, why: string, reason: string): EtrnAnswer =>
  defer(transient(458, '4.3.2', `Unable to queue messages for node ${argument}: ${why}`), 'etrn-unable', reason)

// §5.3: `@` stands for a domain and everything below it, `#` for a name that both sides agreed on: here a route.
function nodeOf(argument: string): ((domain: ServedDomain) => boolean) | undefined {
  if (argument.startsWith('#')) {
    const id = argument.slice(1)
    return /^[a-z0-9-]+\/[a-z0-9.*-]+$/.test(id) ? ({ route }) => route.id === id : undefined
  }
  const below = argument.startsWith('@')
  const name = parseDomainName(below ? argument.slice(1) : argument)
  if (name === undefined || !/^[\x21-\x7e]+$/.test(argument)) return undefined
  if (!below) return (domain) => domain.name === name || covers(domain, name)
  return (domain) => {
    const own = domain.name.startsWith('*.') ? domain.name.slice(2) : domain.name
    return own === name || own.endsWith(`.${name}`)
  }
}

const covers = ({ name }: ServedDomain, asked: string): boolean =>
  name.startsWith('*.') && asked.endsWith(name.slice(1))

const networks = new WeakMap<readonly string[], Networks>()

function mayAsk({ etrnFrom }: ServedDomain, address: string): boolean {
  if (etrnFrom === undefined) return false
  let known = networks.get(etrnFrom)
  if (known === undefined) networks.set(etrnFrom, (known = new Networks(etrnFrom)))
  return known.has(address)
}
