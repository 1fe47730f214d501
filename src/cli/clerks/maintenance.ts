/**
 * Maintenance as operators begin, end and list it. It holds for a route; a domain's name stands for the route of its
 * mail. The times are wall clock, ms; the workers themselves end a maintenance when its time has come.
 */
import { z } from 'zod'
import type { OutagesStore, StoredMaintenance } from '#store/outages.ts'
import type { Directory, Route } from '#tenant/directory.ts'
import { domainsByRoute } from '#tenant/share.ts'
import { EXIT, UserError } from '../exit.ts'

/** As long as mail can be kept at all. */
const DURATION_MS_MAX = 60 * 24 * 3_600_000
const KEPT_MS = 61 * 24 * 3_600_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** What is told of a maintenance: that it began, that its end is near, that it is over. */
export type MaintenanceTold = 'began' | 'ending' | 'ended'

/** So long before its end it is told that it ends: a working day before that of a long one, never just after its begin. */
function leadMs(lastsMs: number): number {
  if (lastsMs >= 2 * DAY_MS) return DAY_MS
  return lastsMs >= 2 * HOUR_MS ? HOUR_MS : 0
}

const target = z.string().min(1).max(400)
const startBody = z.strictObject({ target, untilMs: z.number(), reason: z.string().max(500).optional() })
const endBody = z.strictObject({ target })

export interface MaintenanceRow {
  readonly route: string
  readonly domains: readonly string[]
  readonly beginsMs: number
  readonly untilMs: number
  readonly reason?: string
  /** What the operator should know. */
  readonly warning?: string
}

export interface MaintenanceDeskParts {
  readonly store: OutagesStore
  readonly wallMs: () => number
  readonly directory: () => Directory
  readonly changed: (route: string) => void
}

export class MaintenanceDesk {
  readonly #parts: MaintenanceDeskParts
  /** Told that they began; in memory: to be told twice after a restart is better than not at all. */
  readonly #began = new Set<number>()

  constructor(parts: MaintenanceDeskParts) {
    this.#parts = parts
    for (const { id } of this.present()) this.#began.add(id)
  }

  /** UserErrors are shown. */
  command(what: string, body: unknown): unknown {
    switch (what) {
      case 'maintenance-start':
        return this.#start(understood(startBody, body))
      case 'maintenance-end':
        return this.#end(understood(endBody, body))
      case 'maintenance-list':
        return this.present().map((one) => this.#row(one))
      default:
        throw new UserError(`no command ${what}`, 'See vorposten maintenance --help.', EXIT.unavailable)
    }
  }

  /** Present and past ones: all that may have held back what still waits. */
  known(): StoredMaintenance[] {
    return this.#parts.store.maintenance(this.#parts.wallMs() - KEPT_MS)
  }

  present(): StoredMaintenance[] {
    return this.#parts.store.maintenance(this.#parts.wallMs())
  }

  holds(route: string): boolean {
    return this.present().some((one) => one.route === route)
  }

  untold(): (StoredMaintenance & { readonly tell: MaintenanceTold })[] {
    return this.known().flatMap((one) => {
      const tell = this.#untoldOf(one)
      return tell === undefined ? [] : [{ ...one, tell }]
    })
  }

  told({ id, untilMs, tell }: StoredMaintenance & { readonly tell: MaintenanceTold }): void {
    if (tell === 'began') this.#began.add(id)
    else if (tell === 'ending') this.#parts.store.changeMaintenance(id, { endingToldMs: untilMs })
    else this.#parts.store.changeMaintenance(id, { told: true })
  }

  #untoldOf({ id, beginsMs, untilMs, told, endingToldMs }: StoredMaintenance): MaintenanceTold | undefined {
    const leftMs = untilMs - this.#parts.wallMs()
    if (leftMs <= 0) return told ? undefined : 'ended'
    if (!this.#began.has(id)) return 'began'
    // An end that was moved is told again.
    return leftMs <= leadMs(untilMs - beginsMs) && endingToldMs !== untilMs ? 'ending' : undefined
  }

  #start({ target, untilMs, reason }: z.infer<typeof startBody>): MaintenanceRow {
    const { store, wallMs, changed } = this.#parts
    const route = this.#route(target)
    const nowMs = wallMs()
    if (untilMs <= nowMs) throw new UserError('--until is in the past', 'Give a time to come.', EXIT.config)
    if (untilMs - nowMs > DURATION_MS_MAX) {
      throw new UserError(
        '--until is more than 60 days away',
        'Give a nearer time; it can be moved later.',
        EXIT.config,
      )
    }
    const open = this.present().find((one) => one.route === route.id)
    if (open) store.changeMaintenance(open.id, { untilMs })
    else store.beginMaintenance({ route: route.id, beginsMs: nowMs, untilMs, ...(reason && { reason }) })
    changed(route.id)
    return this.#row(this.present().find((one) => one.route === route.id)!)
  }

  #end({ target }: z.infer<typeof endBody>): MaintenanceRow {
    const { store, wallMs, changed } = this.#parts
    // A route that left the configuration may still be held.
    const named = this.present().find((one) => one.route === target)
    const id = named?.route ?? this.#route(target).id
    const open = this.present().find((one) => one.route === id)
    if (open === undefined) {
      throw new UserError(`${id} is not in maintenance`, 'See: vorposten maintenance list', EXIT.unavailable)
    }
    const untilMs = wallMs()
    store.changeMaintenance(open.id, { untilMs })
    changed(id)
    return this.#row({ ...open, untilMs })
  }

  #route(text: string): Route {
    const directory = this.#parts.directory()
    const route = directory.route(text) ?? directory.domain(text.toLowerCase())?.route
    if (route) return route
    const advice = 'Name a domain of the configuration, or a route as tenant/name.'
    throw new UserError(`no domain and no route ${text}`, advice, EXIT.config)
  }

  #row({ route, beginsMs, untilMs, reason }: StoredMaintenance): MaintenanceRow {
    const domains = domainsByRoute(this.#parts.directory()).get(route) ?? []
    const warning = warningFor(domains, untilMs - this.#parts.wallMs())
    return {
      route,
      domains: domains.map(({ name }) => name),
      beginsMs,
      untilMs,
      ...(reason !== undefined && { reason }),
      ...(warning !== undefined && { warning }),
    }
  }
}

// Nothing expires meanwhile; but senders would have been told of a failure by then, if they had kept the mail.
function warningFor(
  domains: readonly { readonly lifetimeMs?: number; readonly route: Route }[],
  remainingMs: number,
): string | undefined {
  const lifetimeMs = Math.min(...domains.map(({ lifetimeMs, route }) => lifetimeMs ?? route.lifetimeMs))
  if (!(remainingMs > lifetimeMs)) return undefined
  const days = Math.round(lifetimeMs / 86_400_000)
  return `the end is further away than the lifetime of the mail (${days} days): it is kept, but its senders do not know`
}

function understood<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const advice = 'Use the command line of the same release as the running program.'
  throw new UserError('the request was not understood', advice, EXIT.unavailable)
}
