/**
 * Law 1: a 250 to the final dot is a promise (RFC 5321 §6.1), and it takes a `Custody` in hand. There are three kinds,
 * each made in one place: the spool, after its sync succeeded; a delivery whose next hop itself answered 250; and the
 * quarantine, after content and metadata are synced. The classes are nominal (a private field), so no literal can stand in for
 * them; a tidy test keeps the factories to `spool/`, `deliver/` and `quarantine/`.
 *
 * There is one more honest 250: "I have it, and by rule it goes nowhere". It takes a `DiscardRecord`, and only the policies
 * of outgoing mail and the address that our callouts come from make one, after the report has heard which rule it was.
 */
import { type PositiveReply, type RemoteReply, replyClass } from './reply.ts'
import type { TraceId } from './trace-id.ts'

export class SpoolReceipt {
  readonly kind = 'spool'
  readonly id: TraceId
  readonly #sealed = true

  private constructor(id: TraceId) {
    this.id = id
  }

  /** Only for `spool/`, and only once the batch that holds the message is synced. */
  static afterSync(id: TraceId): SpoolReceipt {
    return new SpoolReceipt(id)
  }

  static is(value: object): value is SpoolReceipt {
    return #sealed in value
  }
}

export class NextHopReceipt {
  readonly kind = 'next-hop'
  readonly id: TraceId
  /** `host[address]:port`, as logs show it. */
  readonly relay: string
  readonly reply: RemoteReply
  readonly #sealed = true

  private constructor(id: TraceId, relay: string, reply: RemoteReply) {
    this.id = id
    this.relay = relay
    this.reply = reply
  }

  /** Only for `deliver/`, with the next hop's own 2yz to the final dot. */
  static afterPositiveReply(id: TraceId, relay: string, reply: RemoteReply): NextHopReceipt {
    if (replyClass(reply.code) !== 'positive') throw new Error(`not a positive reply: ${reply.code}`)
    return new NextHopReceipt(id, relay, reply)
  }

  static is(value: object): value is NextHopReceipt {
    return #sealed in value
  }
}

export class QuarantineReceipt {
  readonly kind = 'quarantine'
  readonly id: TraceId
  readonly #sealed = true

  private constructor(id: TraceId) {
    this.id = id
  }

  /** Only for `quarantine/`, once the content is synced in its place and the entry is committed. */
  static afterSync(id: TraceId): QuarantineReceipt {
    return new QuarantineReceipt(id)
  }

  static is(value: object): value is QuarantineReceipt {
    return #sealed in value
  }
}

export class DiscardRecord {
  readonly kind = 'discard'
  readonly id: TraceId
  readonly #sealed = true

  private constructor(id: TraceId) {
    this.id = id
  }

  /** Only for `relay/outbound.ts` and `relay/callout-sender.ts`, once the discard was reported. */
  static afterReport(id: TraceId): DiscardRecord {
    return new DiscardRecord(id)
  }

  static is(value: object): value is DiscardRecord {
    return #sealed in value
  }
}

export type Custody = SpoolReceipt | NextHopReceipt | QuarantineReceipt

/**
 * The only maker of a positive reply to the final dot. The client hears of a discard: what we do is no secret. Of the
 * quarantine it hears nothing: who sends malware would try until he hears something else.
 */
export function promise(custody: Custody | DiscardRecord): PositiveReply {
  if (custody.kind === 'discard') {
    return { code: 250, status: '2.0.0', text: `Ok: accepted and discarded by policy, ${custody.id}` }
  }
  const how = custody.kind === 'next-hop' ? 'delivered as' : 'queued as'
  return { code: 250, status: '2.0.0', text: `Ok: ${how} ${custody.id}` }
}
