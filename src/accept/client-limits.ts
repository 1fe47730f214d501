/**
 * How much one client, and one client network, may take of this worker: sessions at a time, and new sessions per minute.
 *
 * New sessions are counted in a sliding minute: the running minute in full, the one before by the share of it that still
 * lies within 60 s. That needs one number per client and forgets by itself; refused attempts are not counted, so a
 * client is let in again as soon as it slows down. Tables are bounded: see `TABLE_ENTRIES_MAX`.
 */
import { Networks, networkKey } from './networks.ts'

export interface ClientLimitSettings {
  readonly sessionsPerClientMax: number
  readonly sessionsPerNetworkMax: number
  readonly newPerMinutePerClientMax: number
  readonly newPerMinutePerNetworkMax: number
  /** Addresses and networks that are not limited. */
  readonly exempt: readonly string[]
}

export type LimitReached = 'client-sessions' | 'network-sessions' | 'client-rate' | 'network-rate'

/** Clients or networks remembered per minute and worker, about 10 MB; beyond it the older minute is forgotten early. */
const TABLE_ENTRIES_MAX = 65_536
const WINDOW_MS = 60_000

export class ClientLimits {
  readonly #settings: ClientLimitSettings
  readonly #exempt: Networks
  // Bounded by the sessions of the worker.
  readonly #clientSessions = new Map<string, number>()
  readonly #networkSessions = new Map<string, number>()
  readonly #clientRate = new SlidingMinute()
  readonly #networkRate = new SlidingMinute()

  constructor(settings: ClientLimitSettings) {
    this.#settings = settings
    this.#exempt = new Networks(settings.exempt)
  }

  /** Counts a new session, unless a limit is reached. Each session counted must be given back with `close`. */
  open(address: string, nowMs: number): LimitReached | undefined {
    if (this.#exempt.has(address)) return undefined
    const network = networkKey(address)
    const reached = this.#reached(address, network, nowMs)
    if (reached !== undefined) return reached
    add(this.#clientSessions, address, 1)
    add(this.#networkSessions, network, 1)
    this.#clientRate.count(address, nowMs)
    this.#networkRate.count(network, nowMs)
    return undefined
  }

  close(address: string): void {
    if (this.#exempt.has(address)) return
    add(this.#clientSessions, address, -1)
    add(this.#networkSessions, networkKey(address), -1)
  }

  #reached(address: string, network: string, nowMs: number): LimitReached | undefined {
    const limits = this.#settings
    if ((this.#clientSessions.get(address) ?? 0) >= limits.sessionsPerClientMax) return 'client-sessions'
    if ((this.#networkSessions.get(network) ?? 0) >= limits.sessionsPerNetworkMax) return 'network-sessions'
    if (this.#clientRate.of(address, nowMs) >= limits.newPerMinutePerClientMax) return 'client-rate'
    if (this.#networkRate.of(network, nowMs) >= limits.newPerMinutePerNetworkMax) return 'network-rate'
    return undefined
  }
}

function add(counts: Map<string, number>, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change
  if (count > 0) counts.set(key, count)
  else counts.delete(key)
}

class SlidingMinute {
  #startMs = 0
  #running = new Map<string, number>()
  #before = new Map<string, number>()

  /** How many in the last 60 s, about. */
  of(key: string, nowMs: number): number {
    this.#turn(nowMs)
    const shareOfBefore = 1 - (nowMs - this.#startMs) / WINDOW_MS
    return (this.#running.get(key) ?? 0) + (this.#before.get(key) ?? 0) * shareOfBefore
  }

  count(key: string, nowMs: number): void {
    this.#turn(nowMs)
    add(this.#running, key, 1)
    if (this.#running.size >= TABLE_ENTRIES_MAX) this.#begin(nowMs)
  }

  #turn(nowMs: number): void {
    const elapsedMs = nowMs - this.#startMs
    if (elapsedMs < WINDOW_MS) return
    const adjacent = elapsedMs < 2 * WINDOW_MS
    this.#begin(adjacent ? this.#startMs + WINDOW_MS : nowMs)
    if (!adjacent) this.#before = new Map()
  }

  #begin(startMs: number): void {
    this.#before = this.#running
    this.#running = new Map()
    this.#startMs = startMs
  }
}
