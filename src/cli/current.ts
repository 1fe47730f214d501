/** The configuration in force, in one worker. */
import type { Config } from '#config/config.ts'
import { directoryFrom } from '#config/directory.ts'
import type { Directory, Route } from '#tenant/directory.ts'
import type { Share } from '#tenant/share.ts'

/** The configuration in force; whoever asks at each decision sees a reload at once. */
export class Current {
  config: Config
  directory: Directory

  readonly #share: Share
  #receiving: ReadonlySet<string> | undefined

  constructor(config: Config, share: Share) {
    this.#share = share
    this.config = config
    this.directory = directoryFrom(config, share)
  }

  holdKeepMs(tenant: string): number {
    return this.directory.tenant(tenant)?.holdKeepMs ?? this.config.holds.keepMs
  }

  readonly route = (id: string): Route | undefined => this.directory.route(id)

  /** Mail comes in by this route: its servers are the tenant's own, and what they say of recipients and content counts. */
  receives(routeId: string): boolean {
    this.#receiving ??= new Set([...this.directory.domains()].map(({ route }) => route.id))
    return this.#receiving.has(routeId)
  }

  routeIds(): Set<string> {
    return new Set([...this.directory.routes()].map(({ id }) => id))
  }

  replace(config: Config): void {
    this.config = config
    this.#receiving = undefined
    this.directory = directoryFrom(config, this.#share)
  }
}
