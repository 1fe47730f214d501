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

  constructor(config: Config, share: Share) {
    this.#share = share
    this.config = config
    this.directory = directoryFrom(config, share)
  }

  holdKeepMs(tenant: string): number {
    return this.directory.tenant(tenant)?.holdKeepMs ?? this.config.holds.keepMs
  }

  readonly route = (id: string): Route | undefined => this.directory.route(id)

  routeIds(): Set<string> {
    return new Set([...this.directory.routes()].map(({ id }) => id))
  }

  replace(config: Config): void {
    this.config = config
    this.directory = directoryFrom(config, this.#share)
  }
}
