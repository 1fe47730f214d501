/** What is known of this relay where a destination is looked for: its names, its addresses, its domains, and what is allowed. */
import { networkInterfaces } from 'node:os'
import type { Config } from '#config/config.ts'
import { createDestinations, type Destinations } from '#deliver/destinations.ts'
import { FETCH_MS_MAX } from '#deliver/mta-sts/fetch-policy.ts'
import { type StsAnswer, StsPolicies } from '#deliver/mta-sts/sts-policies.ts'
import type { AskDesk } from '#recipients/shared-memory.ts'
import type { Database } from '#store/database.ts'
import { StsPolicyReader } from '#store/sts-policies.ts'
import { type AddressGuard, addressGuard } from '#sys/address-guard.ts'
import type { Clock } from '#sys/clock.ts'
import type { Dns } from '#sys/dns/answer.ts'
import type { Current } from './current.ts'

/** Addresses of this machine are looked at again after this. */
const MACHINE_MS = 60_000
const EVERY: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

export function assembleDestinations(
  current: Current,
  dns: Dns,
  clock: Pick<Clock, 'monotonic'>,
  sts?: StsPolicies,
): Destinations {
  const machine = machineAddresses(clock)
  let guarded: { readonly config: Config; readonly guard: AddressGuard } | undefined
  const guard: AddressGuard = (address) => {
    const { config } = current
    if (guarded?.config !== config) guarded = { config, guard: addressGuard(config.destinations.allowNetworks) }
    return guarded.guard(address)
  }
  return createDestinations({
    dns,
    guard,
    ...(sts && { sts: (domain) => sts.of(domain) }),
    isOwnName: (name) => name === current.config.hostname || current.config.destinations.ownNames.includes(name),
    isOwnAddress: (address, port) =>
      current.config.listeners.some(({ addresses }) =>
        addresses.some((one) => {
          if (one.port !== port) return false
          return one.address === address || (EVERY.has(one.address) && machine().has(address))
        }),
      ),
    isServed: (domain) => current.directory.domain(domain) !== undefined,
  })
}

/** The desk may have to look up the host, and then to fetch. */
const DESK_MS_MAX = FETCH_MS_MAX + 10_000

/** MTA-STS: the supervisor fetches and keeps policies for all workers. */
export function stsPolicies(store: Database, desk: AskDesk, dns: Dns, clock: Pick<Clock, 'monotonic'>): StsPolicies {
  const reader = new StsPolicyReader(store)
  return new StsPolicies({
    dns,
    clock,
    kept: (domain) => reader.of(domain)?.body,
    ask: async (question) => (await desk('sts/policy', question, DESK_MS_MAX)) as StsAnswer,
  })
}

function machineAddresses(clock: Pick<Clock, 'monotonic'>): () => ReadonlySet<string> {
  let known: ReadonlySet<string> = new Set()
  let untilMs = Number.NEGATIVE_INFINITY
  return () => {
    if (clock.monotonic() >= untilMs) {
      untilMs = clock.monotonic() + MACHINE_MS
      known = new Set(Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address)))
    }
    return known
  }
}
