/**
 * Who has vouched for this message: SPF, DKIM, DMARC and ARC, with one budget of time and questions for all of them
 * (lookups.ts). Never rejects, and no octets can make it throw: what cannot be read is a result.
 *
 * It runs on the thread of the session. A message costs as much as its signatures: `bench/authentication.ts` measures it, and
 * a large body is hashed in steps. ADR 0028 says why it is our own.
 */
import type { Authentication } from '#mail/authentication.ts'
import type { Content } from '#mail/content.ts'
import type { HeaderSection } from '#mime/header-section.ts'
import type { Clock } from '#sys/clock.ts'
import type { Dns } from '#sys/dns/answer.ts'
import { checkArc } from './arc/check-arc.ts'
import { bodyOf } from './dkim/body.ts'
import { checkDkim } from './dkim/check-dkim.ts'
import { HeaderFields } from './dkim/signed-text.ts'
import { authorDomain } from './dmarc/author.ts'
import { checkDmarc } from './dmarc/check-dmarc.ts'
import { Lookups } from './lookups.ts'
import { checkSpf, type SpfQuestion } from './spf/check-host.ts'

export interface ToAuthenticate {
  readonly session: SpfQuestion
  /** As it came: what signatures speak of. */
  readonly content: Content
  readonly header: HeaderSection
}

export interface AuthenticateParts {
  readonly clock: Pick<Clock, 'after' | 'monotonic' | 'wall'>
  readonly dns: Dns
  /** For tests. */
  readonly budgetMs?: number
}

export async function authenticate(
  { session, content, header }: ToAuthenticate,
  { clock, dns, budgetMs }: AuthenticateParts,
): Promise<Authentication> {
  const startedMs = clock.monotonic()
  using lookups = new Lookups(dns, clock, budgetMs)
  const fields = new HeaderFields(content, header)
  const message = { fields, body: bodyOf(content, header.end), nowSeconds: Math.floor(clock.wall() / 1000) }
  const [spf, dkim, arc] = await Promise.all([
    checkSpf(session, lookups),
    checkDkim(message, lookups),
    checkArc(message, lookups),
  ])
  const author = message.body === undefined ? MALFORMED : authorDomain(fields.all('from'))
  const dmarc = await checkDmarc(author, { spf, dkim }, lookups)
  return { spf, dkim, dmarc, arc, durationMs: clock.monotonic() - startedMs }
}

/** A reader might find another From field in what we take for the body. */
const MALFORMED = { ok: false, reason: 'the header section does not end as one' } as const
