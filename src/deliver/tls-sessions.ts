/**
 * TLS sessions to resume (RFC 8446 §2.2): a full handshake costs a hundred times the CPU of a message. One per host of a
 * route; bounded, the one that was stored longest ago goes first.
 */
export class TlsSessions {
  readonly #sessions: Map<string, Buffer>
  readonly #max: number
  readonly #prefix: string

  constructor(max: number, prefix = '', sessions = new Map<string, Buffer>()) {
    this.#sessions = sessions
    this.#max = max
    this.#prefix = prefix
  }

  /** The same store for one route: tenants never share a session (law 7). */
  forRoute(routeId: string, tls: string): TlsSessions {
    return new TlsSessions(this.#max, `${routeId} ${tls} `, this.#sessions)
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
