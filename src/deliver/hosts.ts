/**
 * The hosts of one route: which one is next, and which are in back-off.
 *
 * Order is by preference; hosts of equal preference come in random order, each time anew (RFC 5321 §5.1). A host that
 * could not be reached is left alone for a while that doubles with each failure; after that one trial decides, and
 * until it is decided nobody else tries (half-open).
 */
import type { SessionFault } from '#smtp/client/contract.ts'
import type { NextHopHost } from '#tenant/directory.ts'
import type { DeliverLimits } from './limits.ts'

export interface Host extends NextHopHost {
  /** Failures in a row. */
  failures: number
  /** Monotonic ms. */
  backOffUntilMs: number
  trialOpen: boolean
  /** Why it will not do, as far as was last seen, however long one waits. */
  unfit?: SessionFault | undefined
}

export class Hosts {
  readonly all: readonly Host[]
  /** There is more than one preference, so some hosts are only fallbacks. */
  readonly tiered: boolean
  readonly #random: () => number
  readonly #limits: DeliverLimits

  constructor(hosts: readonly NextHopHost[], random: () => number, limits: DeliverLimits) {
    this.all = hosts.map((host) => ({ ...host, failures: 0, backOffUntilMs: 0, trialOpen: false }))
    this.tiered = new Set(hosts.map((host) => host.preference)).size > 1
    this.#random = random
    this.#limits = limits
  }

  /** May this host be tried now? */
  isUsable(host: Host, nowMs: number): boolean {
    return host.failures === 0 || (nowMs >= host.backOffUntilMs && !host.trialOpen)
  }

  /** Is there a usable host, better than `preference` if that is given? */
  anyUsable(nowMs: number, preference = Number.POSITIVE_INFINITY): boolean {
    return this.all.some((host) => host.preference < preference && this.isUsable(host, nowMs))
  }

  /**
   * The next host to try that is not in `tried`: it must be told `succeeded` or `failed` afterwards. Only hosts better
   * than `preference`.
   */
  next(nowMs: number, tried: ReadonlySet<Host>, preference = Number.POSITIVE_INFINITY): Host | undefined {
    let chosen: Host | undefined
    let equals = 0
    for (const host of this.all) {
      if (host.preference >= preference || tried.has(host) || !this.isUsable(host, nowMs)) continue
      if (chosen === undefined || host.preference < chosen.preference) equals = 0
      else if (host.preference > chosen.preference) continue
      // Each of n equal hosts is kept with 1/n: a shuffle without a list.
      if (this.#random() * ++equals < 1) chosen = host
    }
    if (chosen && chosen.failures > 0) chosen.trialOpen = true
    return chosen
  }

  /** There are hosts, and none of them will ever do. */
  get unfit(): SessionFault | undefined {
    return this.all.every((host) => host.unfit !== undefined) ? this.all[0]?.unfit : undefined
  }

  succeeded(host: Host): void {
    host.failures = 0
    host.unfit = undefined
    host.trialOpen = false
  }

  failed(host: Host, nowMs: number, fault?: SessionFault): void {
    host.trialOpen = false
    host.unfit = fault?.status === undefined ? undefined : fault
    // Connections that fail together are one failure.
    if (host.failures > 0 && nowMs < host.backOffUntilMs) return
    const { backOffFirstMs, backOffMaxMs } = this.#limits
    host.backOffUntilMs = nowMs + Math.min(backOffFirstMs * 2 ** Math.min(host.failures, 30), backOffMaxMs)
    host.failures++
  }
}
