/**
 * A spam filter beside us: what is asked of one, and what it can say. Whatever its score is made of, for us it is one sign
 * with a bounded weight (weight.ts); its own symbols are the detail.
 */
import type { Content } from '#mail/content.ts'
import type { Clock } from '#sys/clock.ts'
import type { Failure } from '../../servers.ts'
import type { SocketAddress, TalkLimits } from '../../talk.ts'
import type { SpamAbout } from '../contract.ts'

/** What it is told of the session beside the octets. */
export interface EngineAbout extends SpamAbout {
  /** Trace id. */
  readonly id?: string
  /** Who logged in. */
  readonly user?: string
}

export interface Judged {
  readonly kind: 'judged'
  /** Log odds, bounded. */
  readonly weight: number
  /** Its score and its heaviest symbols: `7.2 of 15, add header: BAYES_SPAM 5.1`. */
  readonly text: string
  /** It would rather see it again later: greylisting of its own, or a limit of rate. */
  readonly delays: boolean
}

export type EngineSaid =
  | Judged
  /** It answered, and did not look: its own settings say so. */
  | { readonly kind: 'skipped'; readonly text: string }

/** One conversation in the language of one kind of filter. Never rejects. */
export type AskEngine = (
  question: { readonly content: Content; readonly about: EngineAbout },
  to: SocketAddress,
  limits: TalkLimits,
  clock: Clock,
) => Promise<EngineSaid | Failure>
