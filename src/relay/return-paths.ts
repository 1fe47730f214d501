/**
 * Mail that came in with a verified reverse-path is put on record, so that the non-delivery message which a customer's
 * server may later make of it can leave (`ndrs: verified`, R6). Only for tenants with that rule.
 *
 * It happens after our 250, which waits for nothing here. So whatever goes wrong costs a record, never a message: the
 * non-delivery message is then held, and the metric says how often that may be.
 */
import type { Evidence } from '#auth/verify/questions.ts'
import type { Verification } from '#auth/verify/verifier.ts'
import type { Content } from '#mail/content.ts'
import type { Report } from '#mail/event.ts'
import type { Transaction } from '#mail/session.ts'
import type { Way } from '#tenant/directory.ts'
import { returnPathFact } from './message-facts.ts'
import type { MessageRecords } from './outbound.ts'

export interface ReturnPathsParts {
  readonly verify: (evidence: Evidence, content: Content) => Promise<Verification>
  readonly records: Pick<MessageRecords, 'remember'>
  readonly report: Report
}

export interface Accepted {
  /** As the client gave it. */
  readonly transaction: Pick<Transaction, 'envelope' | 'session'>
  readonly way: Way
  /** As it came: what a signature speaks of. */
  readonly content: Content
  readonly messageId: string | undefined
}

export class ReturnPaths {
  readonly #parts: ReturnPathsParts

  constructor(parts: ReturnPathsParts) {
    this.#parts = parts
  }

  /** Resolves when it is on record, or will not be. Never rejects. */
  async accepted(accepted: Accepted): Promise<void> {
    const { transaction, way, content, messageId } = accepted
    const { reversePath } = transaction.envelope
    if (way.tenant.outbound?.ndrs !== 'verified' || messageId === undefined || reversePath.kind === 'null') return
    const { localPart, domain } = reversePath.mailbox
    // SPF and DKIM speak of domain names only.
    if (domain.kind !== 'name') return
    const { client, greetingName = '' } = transaction.session
    const evidence: Evidence = {
      reversePath: `${localPart}@${domain.ascii}`,
      domain: domain.ascii,
      clientAddress: client.address,
      greetingName,
    }
    const found = await this.#parts.verify(evidence, content)
    if (found.kind === 'unknown') return this.#count(way, found.why)
    if (found.kind === 'none') return this.#count(way, 'none')
    const tenant = way.tenant.name
    try {
      await this.#parts.records.remember(tenant, 'return-path', [returnPathFact(messageId, reversePath.mailbox)])
      this.#count(way, found.kind)
    } catch {
      this.#count(way, 'not-recorded')
    }
  }

  #count({ tenant }: Way, decision: string): void {
    this.#parts.report({ kind: 'governed', tenant: tenant.name, subject: 'return-path', decision })
  }
}
