/**
 * What one attempt did for one recipient (law 3), and what a whole attempt was.
 */
import type { NextHopReceipt } from './custody.ts'
import type { RemoteReply } from './reply.ts'
import type { Status } from './status.ts'

/** Why there is no final answer. `lost`: the connection broke after the final dot, so the next hop may have it. */
export type Obstacle =
  | 'refused-for-now'
  | 'dns'
  | 'connect'
  | 'tls'
  /** The server does not take our login, or has not what it needs: somebody must put it right. */
  | 'login'
  | 'timeout'
  | 'closed'
  | 'protocol'
  | 'lost'
  | 'busy'
  | 'aborted'

export type RefusalStage = 'connect' | 'mail' | 'rcpt' | 'content'

export type Outcome =
  | { readonly kind: 'delivered'; readonly receipt: NextHopReceipt }
  | {
      readonly kind: 'deferred'
      readonly obstacle: Obstacle
      /** The 4yz, if there was one. */
      readonly reply?: RemoteReply
      /** One line for log, queue display and customer. */
      readonly text: string
    }
  | {
      readonly kind: 'failed'
      /** The 5yz; absent when we ourselves cannot ever send it (SMTPUTF8 not offered, for example). */
      readonly reply?: RemoteReply
      /** What it comes to (RFC 3463) where no server said so: the domain does not exist, or takes no mail. */
      readonly status?: Status<5>
      readonly text: string
      /** Where it was refused: an address (RCPT) or the content (dot)? R1 and R3 need to know. */
      readonly stage: RefusalStage
    }

/** Postfix's `delays=a/b/c/d`: before the queue manager, in the queue, connection set-up, transmission; ms. */
export interface AttemptDelays {
  readonly queuedMs: number
  readonly connectMs: number
  readonly transferMs: number
}

export interface Attempt {
  /** One per recipient of the envelope, in its order. */
  readonly outcomes: readonly Outcome[]
  /** `host[address]:port`, or `none`. */
  readonly relay: string
  /** The session was encrypted. */
  readonly tls: boolean
  /**
   * How it was known that it is the right server: its certificate matches TLSA records (RFC 7672), or it is one that the
   * domain's MTA-STS policy names, with a certificate of a trusted authority (RFC 8461).
   */
  readonly verifiedBy?: 'DANE' | 'MTA-STS'
  /** The next hop reports success and failure itself (RFC 3461 §5.2.2). */
  readonly dsn?: true
  readonly delays: AttemptDelays
}
