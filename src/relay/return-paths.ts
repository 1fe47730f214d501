/**
 * Mail that came in with a verified reverse-path is put on record, so that the non-delivery message which a customer's
 * server may later make of it can leave (`ndrs: verified`, R6). Only for tenants with that rule.
 *
 * It happens after our 250, which waits for nothing here. So whatever goes wrong costs a record, never a message: the
 * non-delivery message is then held, and the metric says how often that may be.
 */
import { type Authentication, vouchedBy } from '#mail/authentication.ts'
import type { Report } from '#mail/event.ts'
import type { Transaction } from '#mail/session.ts'
import type { Way } from '#tenant/directory.ts'
import { returnPathFact } from './message-facts.ts'
import type { MessageRecords } from './outbound.ts'

export interface ReturnPathsParts {
  readonly records: Pick<MessageRecords, 'remember'>
  readonly report: Report
}

export interface Accepted {
  /** As the client gave it. */
  readonly transaction: Pick<Transaction, 'envelope' | 'session'>
  readonly way: Way
  readonly messageId: string | undefined
  /** Undefined: nobody looked. */
  readonly authentication: Authentication | undefined
}

export class ReturnPaths {
  readonly #parts: ReturnPathsParts

  constructor(parts: ReturnPathsParts) {
    this.#parts = parts
  }

  /** Resolves when it is on record, or will not be. Never rejects. */
  async accepted(accepted: Accepted): Promise<void> {
    const { transaction, way, messageId, authentication } = accepted
    const { reversePath } = transaction.envelope
    if (way.tenant.outbound?.ndrs !== 'verified' || messageId === undefined || reversePath.kind === 'null') return
    const { domain } = reversePath.mailbox
    // SPF and DKIM speak of domain names only.
    if (domain.kind !== 'name') return
    const found = authentication === undefined ? 'unknown' : vouchedBy(authentication, domain.ascii)
    if (found === 'unknown' || found === 'none') return this.#count(way, found)
    const tenant = way.tenant.name
    try {
      await this.#parts.records.remember(tenant, 'return-path', [returnPathFact(messageId, reversePath.mailbox)])
      this.#count(way, found)
    } catch {
      this.#count(way, 'not-recorded')
    }
  }

  #count({ tenant }: Way, decision: string): void {
    this.#parts.report({ kind: 'governed', tenant: tenant.name, subject: 'return-path', decision })
  }
}
