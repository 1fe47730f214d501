/** A listener's settings made ready for use: certificates loaded, networks parsed, counters at hand. */
import { isDeepStrictEqual } from 'node:util'
import type { ServerSettings } from '#smtp/server/contract.ts'
import type { Clock } from '#sys/clock.ts'
import type { TlsServerOptions } from '#sys/wire.ts'
import { type CertificateFiles, Certificates, selfSignedFiles } from './certificates.ts'
import { ClientLimits } from './client-limits.ts'
import type { AcceptEvents } from './events.ts'
import { Networks } from './networks.ts'
import type { SessionListener } from './session-driver.ts'
import type { ListenerSettings } from './settings.ts'

export interface ListenerParts extends SessionListener {
  readonly settings: ListenerSettings
  readonly smtp: ServerSettings
  readonly limits: ClientLimits
  readonly proxyFrom: Networks
  readonly earlyTalkerExempt: Networks
}

/** A certificate that ends sooner than this is worth a word at every start and reload. */
const EXPIRY_NOTICE_MS = 14 * 86_400_000

export class ListenerPartsMaker {
  readonly #clock: Clock
  readonly #events: AcceptEvents
  readonly #tlsFolder: string
  readonly #ticketKeys: Buffer

  constructor(parts: { clock: Clock; events: AcceptEvents; tlsFolder: string; ticketKeys: Buffer }) {
    this.#clock = parts.clock
    this.#events = parts.events
    this.#tlsFolder = parts.tlsFolder
    this.#ticketKeys = parts.ticketKeys
  }

  /** By name. Counters live on where their limits are the same in `before`. Rejects with `CertificateFault`. */
  async makeAll(
    listeners: readonly ListenerSettings[],
    before: ReadonlyMap<string, ListenerParts>,
  ): Promise<Map<string, ListenerParts>> {
    const loaded = new Map<string, TlsServerOptions>()
    const made = new Map<string, ListenerParts>()
    for (const settings of listeners) {
      const tls = settings.tls === 'none' ? undefined : await this.#tls(settings, loaded)
      // Servers of tenants may be known by their keys; everybody else would only be confused by the question.
      const asking = tls && settings.service === 'outbound' ? { ...tls, asksForCertificate: true } : tls
      made.set(settings.name, make(settings, asking, before.get(settings.name)))
    }
    return made
  }

  // Listeners with the same list share what was loaded.
  async #tls(
    { certificates, smtp }: ListenerSettings,
    loaded: Map<string, TlsServerOptions>,
  ): Promise<TlsServerOptions> {
    const key = JSON.stringify([certificates, certificates.length > 0 || smtp.hostname])
    const known = loaded.get(key)
    if (known) return known
    const files = certificates.length > 0 ? certificates : [await this.#selfSigned(smtp.hostname)]
    const { default: context, byName, validToMs } = await Certificates.load(files, this.#ticketKeys)
    if (validToMs - this.#clock.wall() < EXPIRY_NOTICE_MS) {
      const names = files.map(({ certificateFile }) => certificateFile).join(', ')
      this.#events.notice(`a certificate in ${names} ends ${new Date(validToMs).toISOString()}: renew it`)
    }
    const options: TlsServerOptions = { side: 'server', context, byName }
    loaded.set(key, options)
    return options
  }

  async #selfSigned(hostname: string): Promise<CertificateFiles> {
    const { made, ...files } = await selfSignedFiles(this.#tlsFolder, hostname, this.#clock.wall())
    if (made) {
      const text = 'no certificate is configured: made a self-signed one, which encrypts but proves nothing to clients'
      this.#events.notice(`${text} (${files.certificateFile})`)
    }
    return files
  }
}

function make(
  settings: ListenerSettings,
  tls: TlsServerOptions | undefined,
  before: ListenerParts | undefined,
): ListenerParts {
  const sameLimits = before && isDeepStrictEqual(before.settings.clients, settings.clients)
  return {
    settings,
    smtp: { ...settings.smtp, startTls: settings.tls === 'starttls' },
    limits: sameLimits ? before.limits : new ClientLimits(settings.clients),
    proxyFrom: new Networks(settings.proxyFrom),
    earlyTalkerExempt: new Networks(settings.earlyTalkerExempt),
    tls,
    implicitTls: settings.tls === 'implicit',
  }
}
