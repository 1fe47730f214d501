/** A worker's side of the outbound clerks: the questions of the path, asked of the supervisor. */
import { mailboxKey } from '#mail/address.ts'
import { Tokens } from '#policy/feedback-token.ts'
import type { Database } from '#store/database.ts'
import { feedbackSecret } from '#store/feedback.ts'
import { SuppressionReader } from '#store/suppressions.ts'
import type { Clock } from '#sys/clock.ts'
import type { Learn } from '../relay/feedback.ts'
import type { MessageRecords, OutboundParts, ReplyLimits, SendingQuota } from '../relay/outbound.ts'
import type { AbuseQuestions } from './clerks/abuse.ts'
import type { FeedbackQuestions } from './clerks/feedback.ts'
import type { OutboundQuestions } from './clerks/outbound.ts'
import type { AskDesk } from './serve/worker.ts'

/** The sender waits meanwhile; a supervisor that is slower than this is in trouble. */
const ANSWER_MS_MAX = 10_000

/** Of a worker that runs alone. */
export const nobody: AskDesk = () => Promise.reject(new Error('there is no supervisor to ask'))

export function outboundDesk(desk: AskDesk): { limits: ReplyLimits; records: MessageRecords } {
  const ask = async <About extends keyof OutboundQuestions>(
    about: About,
    body: OutboundQuestions[About]['body'],
  ): Promise<OutboundQuestions[About]['answer']> =>
    (await desk(about, body, ANSWER_MS_MAX)) as OutboundQuestions[About]['answer']
  return {
    limits: {
      take: (tenant, counters, limit, windowMs) => ask('limits/take', { tenant, counters, limit, windowMs }),
    },
    records: {
      remember: async (tenant, kind, facts) => void (await ask('records/remember', { tenant, kind, facts })),
      known: (tenant, kind, facts) => ask('records/known', { tenant, kind, facts }),
    },
  }
}

/** The suppression list is read here, at each RCPT. */
export function suppressedOf(store: Database, clock: Clock): NonNullable<OutboundParts['suppressed']> {
  const reader = new SuppressionReader(store)
  return (tenant, mailbox) => reader.find(tenant, mailboxKey(mailbox), clock.wall())
}

/** The tokens of what leaves; none before the supervisor has made their secret. */
export function tokensOf(store: Database): () => Tokens | undefined {
  let tokens: Tokens | undefined
  return () => {
    if (tokens === undefined) {
      const secret = feedbackSecret(store)
      if (secret !== undefined) tokens = new Tokens(secret)
    }
    return tokens
  }
}

/** What is learned of feedback is written down by its clerk. */
export const learnOf =
  (desk: AskDesk): Learn =>
  async (source, lessons) => {
    const body: FeedbackQuestions['feedback/learn']['body'] = { source, lessons }
    return (await desk('feedback/learn', body, ANSWER_MS_MAX)) as FeedbackQuestions['feedback/learn']['answer']
  }

/** Recipients are counted by the clerk of abuse. */
export const quotaOf = (desk: AskDesk): SendingQuota => ({
  async take(recipient) {
    const body: AbuseQuestions['abuse/take']['body'] = recipient
    return (await desk('abuse/take', body, ANSWER_MS_MAX)) as AbuseQuestions['abuse/take']['answer']
  },
})
