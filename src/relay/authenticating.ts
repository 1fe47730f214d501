/**
 * Authentication as a step of the path: of mail that comes in, after the bounce checks and before the scanners. What it finds
 * stands at the top of the message, and goes on to the steps behind it. It refuses nothing: a policy does, if somebody wants
 * it (RFC 9989 §7.4 warns of refusals for p=reject alone).
 */
import { authenticate } from '#auth/verify/authenticate.ts'
import { type Content, withTrace } from '#mail/content.ts'
import { domainText } from '#mail/domain.ts'
import type { Report } from '#mail/event.ts'
import type { Transaction } from '#mail/session.ts'
import { authenticationResults } from '#mime/authentication-results.ts'
import type { Clock } from '#sys/clock.ts'
import type { Dns } from '#sys/dns/answer.ts'
import type { Way } from '#tenant/directory.ts'
import type { Inspected } from './inspect.ts'

export interface AuthenticatingParts {
  readonly hostname: string
  readonly clock: Clock
  readonly dns: Dns
  readonly isOn: () => boolean
  readonly report: Report
}

export class Authenticating {
  readonly #parts: AuthenticatingParts

  constructor(parts: AuthenticatingParts) {
    this.#parts = parts
  }

  /** With the field on top. `content`: as it came, which is what signatures speak of. */
  async stamp(
    { session, envelope }: Pick<Transaction, 'session' | 'envelope'>,
    { tenant }: Pick<Way, 'tenant'>,
    content: Content,
    inspected: Inspected,
  ): Promise<Inspected> {
    const { hostname, isOn, report } = this.#parts
    const { reversePath } = envelope
    const mailbox = reversePath.kind === 'mailbox' ? reversePath.mailbox : undefined
    const question = {
      clientAddress: session.client.address,
      greetingName: session.greetingName ?? '',
      sender: mailbox && { localPart: mailbox.localPart, domain: domainText(mailbox.domain) },
    }
    const message = { session: question, content, header: inspected.header }
    const authentication = isOn() ? await authenticate(message, this.#parts) : undefined
    if (authentication !== undefined) {
      for (const subject of ['spf', 'dmarc'] as const)
        report({ kind: 'governed', tenant: tenant.name, subject, decision: authentication[subject].result })
    }
    const field = Buffer.from(authenticationResults(hostname, authentication))
    return {
      ...inspected,
      content: withTrace(field, inspected.content),
      ownOctets: inspected.ownOctets + field.length,
      ...(authentication && { authentication }),
    }
  }
}
