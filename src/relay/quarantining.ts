/**
 * Quarantine as a step of the path: a message that a filter wants kept goes to `quarantine/` instead of to custody for
 * delivery. Its sender hears 250 and nothing else, now or later: a different answer would tell the writer of malware what to
 * change, and a report would go to whoever he says he is.
 */
import type { Content } from '#mail/content.ts'
import type { ContentAnswer } from '#mail/decisions.ts'
import type { Report } from '#mail/event.ts'
import type { QuarantineClass, Quarantined } from '#mail/quarantine.ts'
import type { ScanFact } from '#mail/scan.ts'
import { type Transaction, withProtocol } from '#mail/session.ts'
import type { Keeper } from '#quarantine/keeper.ts'
import type { Clock } from '#sys/clock.ts'
import type { Way } from '#tenant/directory.ts'
import * as refusals from './refusals.ts'

/** What a filter says of it. */
export interface ToQuarantine {
  readonly kind: 'quarantine'
  readonly class: QuarantineClass
  readonly by: Quarantined['by']
  readonly text: string
  /** Of the virus wall: what decided first, then all others. */
  readonly facts: readonly ScanFact[]
}

export interface Caught {
  readonly transaction: Transaction
  readonly way: Way
  readonly content: Content
  /** How much of the content's beginning is ours. */
  readonly ownOctets: number
  readonly messageId: string | undefined
}

export interface QuarantiningParts {
  readonly clock: Clock
  readonly keeper: Pick<Keeper, 'keep'>
  readonly report: Report
}

export class Quarantining {
  readonly #parts: QuarantiningParts

  constructor(parts: QuarantiningParts) {
    this.#parts = parts
  }

  async take(caught: Caught, why: ToQuarantine): Promise<ContentAnswer> {
    const { transaction, way, content, ownOctets } = caught
    const { id, session, envelope, startedMs } = transaction
    const { kind: _, ...decided } = why
    const reception = {
      clientAddress: session.client.address,
      greetingName: session.greetingName ?? '',
      protocol: withProtocol(session, envelope.smtputf8),
      receivedMs: startedMs,
    }
    const entry = { id, tenant: way.tenant.name, service: session.service, ...decided, envelope, reception }
    const kept = await this.#parts.keeper.keep(entry, content, ownOctets)
    switch (kept.kind) {
      case 'kept':
        this.#report(caught, why)
        return { kind: 'accept', custody: kept.receipt }
      case 'full':
        return refusals.quarantineFull(kept.of)
      case 'failed':
        return refusals.quarantineFailed(kept.text)
      case 'uncertain':
        this.#parts.report({ kind: 'alarm', symbol: 'quarantine-uncertain', text: `${id}: ${kept.text}` })
        return { kind: 'vanish' }
    }
  }

  #report({ transaction, way, content, messageId }: Caught, why: ToQuarantine): void {
    const { id, session, envelope, startedMs } = transaction
    this.#parts.report({
      kind: 'accepted',
      id,
      session,
      envelope,
      tenant: way.tenant.name,
      route: way.route.id,
      octets: content.octets,
      ...(messageId !== undefined && { messageId }),
      custody: 'quarantine',
      receptionMs: this.#parts.clock.wall() - startedMs,
      note: `${why.class}: ${why.text}`,
    })
  }
}
