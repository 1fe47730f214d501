/**
 * The MTA-STS policy of a recipient domain, as a worker asks for it at each connection. Most domains have none: that costs
 * one question to DNS, whose answers are kept. Where a record or a kept policy says that there is one, the desk is asked,
 * which fetches and keeps policies for all workers; what it says is remembered for a moment.
 *
 * | record | kept | the desk says | then |
 * |---|---|---|---|
 * | none, or nobody can say | no | | no policy |
 * | any | any | a policy | that policy |
 * | there | no | cannot be fetched | no policy (RFC 8461 §3.3: MUST go on as if the domain had none) |
 * | any | yes | nothing (it is away) | the kept policy, expired or not |
 * | there | no | nothing (it is away) | unknown: the mail waits |
 */
import type { StsFailureType } from '#mail/tls-result.ts'
import type { Clock } from '#sys/clock.ts'
import type { Dns } from '#sys/dns/answer.ts'
import { readPolicy, readRecordId, type StsPolicy } from './policy.ts'

/** A record that has changed is seen as soon as DNS shows it; this is for one that is gone and came back the same. */
export const REMEMBERED_MS = 300_000
const REMEMBERED_MAX = 10_000

/** What the desk is asked, and its answer. */
export interface StsQuestion {
  readonly domain: string
  /** Absent: there is no record. */
  readonly id?: string
}
export interface StsAnswer {
  readonly body?: string
  /** There should be a policy, and it cannot be had. */
  readonly failure?: StsFailure
}
export interface StsFailure {
  readonly type: StsFailureType
  readonly text: string
}

export interface StsParts {
  readonly dns: Dns
  readonly clock: Pick<Clock, 'monotonic'>
  /** The body of the kept policy. May throw. */
  readonly kept: (domain: string) => string | undefined
  readonly ask: (question: StsQuestion) => Promise<StsAnswer>
}

export type StsFound =
  | { readonly kind: 'none'; readonly failure?: StsFailure }
  | { readonly kind: 'policy'; readonly policy: StsPolicy }
  | { readonly kind: 'unknown'; readonly text: string }

const NONE: StsFound = { kind: 'none' }

export class StsPolicies {
  readonly #parts: StsParts
  readonly #remembered = new Map<string, { readonly found: StsFound; readonly untilMs: number }>()

  constructor(parts: StsParts) {
    this.#parts = parts
  }

  /** `domain`: A-labels, lower case. Never rejects. */
  async of(domain: string): Promise<StsFound> {
    const { dns, clock, ask } = this.#parts
    const record = await dns.lookup(`_mta-sts.${domain}`, 'TXT')
    const id = record.kind === 'found' ? readRecordId(record.records) : undefined
    const kept = this.#kept(domain)
    if (id === undefined && kept === undefined) return NONE
    const key = `${domain} ${id ?? ''}`
    const remembered = this.#remembered.get(key)
    if (remembered !== undefined && remembered.untilMs > clock.monotonic()) return remembered.found
    try {
      const { body, failure } = await ask({ domain, ...(id !== undefined && { id }) })
      if (body !== undefined) return this.#remember(key, foundIn(body))
      return this.#remember(key, failure === undefined ? NONE : { kind: 'none', failure })
    } catch (error) {
      if (kept !== undefined) return foundIn(kept)
      return { kind: 'unknown', text: `the MTA-STS policy of ${domain}: ${(error as Error).message}` }
    }
  }

  /** An operator has fetched one anew. */
  changed(): void {
    this.#remembered.clear()
  }

  // A store that cannot be read is told by the desk, which cannot write it either.
  #kept(domain: string): string | undefined {
    try {
      return this.#parts.kept(domain)
    } catch {
      return undefined
    }
  }

  #remember(key: string, found: StsFound): StsFound {
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear()
    this.#remembered.set(key, { found, untilMs: this.#parts.clock.monotonic() + REMEMBERED_MS })
    return found
  }
}

function foundIn(body: string): StsFound {
  const read = readPolicy(body)
  return read.kind === 'policy' ? read : NONE
}
