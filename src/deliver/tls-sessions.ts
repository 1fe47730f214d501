/**
 * TLS sessions to resume (RFC 8446 §2.2): a full handshake costs a hundred times the CPU of a message. One per host of a
 * route; bounded, the one that was stored longest ago goes first.
 */
import { createHash } from 'node:crypto'

export class TlsSessions {
  readonly #sessions: Map<string, Buffer>
  readonly #max: number
  readonly #prefix: string

  constructor(max: number, prefix = '', sessions = new Map<string, Buffer>()) {
    this.#sessions = sessions
    this.#max = max
    this.#prefix = prefix
  }

  /** The same store for one route: tenants never share a session (law 7), nor does one outlive the trust in who certified it. */
  forRoute(routeId: string, tls: string, authorities = ''): TlsSessions {
    // By digest: a bundle of authorities may have 200 KB.
    const trusted = authorities === '' ? '' : createHash('sha256').update(authorities).digest('base64')
    return new TlsSessions(this.#max, `${routeId} ${tls} ${trusted} `, this.#sessions)
  }

  get(host: string): Buffer | undefined {
    return this.#sessions.get(this.#prefix + host)
  }

  set(host: string, session: Buffer): void {
    const key = this.#prefix + host
    this.#sessions.delete(key)
    this.#sessions.set(key, session)
    if (this.#sessions.size > this.#max) this.#sessions.delete(this.#sessions.keys().next().value!)
  }
}
