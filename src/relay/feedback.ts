/**
 * Feedback: what comes back by mail of mail that left (docs/feedback-loops.md). Each outgoing message gets a token; a
 * bounce to a tenant, and a complaint to one of the addresses that the configuration names, are read for it when they have
 * been accepted, and go on to their recipient as any other mail.
 *
 * | comes | is believed |
 * |---|---|
 * | a bounce, from `<>` | if the token in what it returns, or the tenant's record, proves its recipient |
 * | a complaint (RFC 6650 §5) | if besides, it comes from a network or a verified domain that the configuration names |
 *
 * It happens beside our 250, which waits for nothing here: whatever goes wrong costs a lesson, never a message. Each
 * is reported, and so is what was not believed. Limit: `UNDER_WAY_MAX`.
 */
import { authorDomains } from '#auth/dkim/author.ts'
import { type ForwardPath, mailboxKey } from '#mail/address.ts'
import { type Authentication, vouchedBy } from '#mail/authentication.ts'
import { type Content, withTrace } from '#mail/content.ts'
import type { PathEvent, Report } from '#mail/event.ts'
import type { FeedbackDecision, Lesson } from '#mail/feedback.ts'
import type { Transaction } from '#mail/session.ts'
import type { AutomaticMail } from '#mime/automatic/automatic-mail.ts'
import { classify } from '#mime/automatic/classify.ts'
import { type HeaderSection, readHeaderSection } from '#mime/header-section.ts'
import { NONCE_OCTETS, type Token, type Tokens } from '#policy/feedback-token.ts'
import type { Clock } from '#sys/clock.ts'
import type { Directory, OutboundWay, Way } from '#tenant/directory.ts'
import { bounceLessons, type Came, complaintLessons, type Found } from './feedback-lessons.ts'
import type { MessageRecords } from './outbound.ts'

/** At a time, per worker: each keeps its message in memory. */
export const UNDER_WAY_MAX = 200
/** Of RFC 5965 §7.3: a person says so. `virus`, `other` and the rest are the words of machines. */
const COMPLAINTS: ReadonlySet<string> = new Set(['abuse', 'fraud'])

/** Who may complain, and where. */
export interface FeedbackSettings {
  /** `mailboxKey` of each address that takes reports. */
  readonly addresses: ReadonlySet<string>
  /** Is this client's address one whose reports are taken? */
  readonly trusts: (clientAddress: string) => boolean
  /** A-labels. Their subdomains too. */
  readonly domains: readonly string[]
}

/** One decision for each lesson, in order. Rejects when nobody can write them down now. `source`: who said it. */
export type Learn = (source: string, lessons: readonly Lesson[]) => Promise<readonly FeedbackDecision[]>

export interface FeedbackParts {
  readonly clock: Clock
  readonly directory: () => Directory
  /** Undefined: there is no secret yet. */
  readonly tokens: () => Tokens | undefined
  /** Octets that nobody can foretell. */
  readonly random: (octets: number) => Uint8Array
  readonly records: Pick<MessageRecords, 'known'>
  readonly settings: () => FeedbackSettings
  readonly learn: Learn
  readonly report: Report
}

export interface AcceptedMail {
  /** As the client gave it. */
  readonly transaction: Pick<Transaction, 'id' | 'envelope' | 'session'>
  readonly way: Way
  /** As it came. */
  readonly content: Content
  /** Undefined: nobody looked, so no domain is verified. */
  readonly authentication: Authentication | undefined
}

type Said = Omit<Extract<PathEvent, { kind: 'feedback' }>, 'kind' | 'id'>

export class Feedback {
  readonly #parts: FeedbackParts
  #underWay = 0

  constructor(parts: FeedbackParts) {
    this.#parts = parts
  }

  /** What leaves, with its token. */
  stamp({ session, envelope }: Pick<Transaction, 'session' | 'envelope'>, way: OutboundWay, content: Content): Content {
    const { tokens, random, clock } = this.#parts
    const recipients = envelope.recipients.flatMap(({ forwardPath }) =>
      forwardPath.kind === 'mailbox' ? [mailboxKey(forwardPath.mailbox)] : [],
    )
    const login = session.authenticated?.login
    const sent = { tenant: way.tenant.name, ...(login !== undefined && { login }), recipients }
    const field = tokens()?.field(sent, random(NONCE_OCTETS), clock.wall())
    return field === undefined ? content : withTrace(Buffer.from(field), content)
  }

  /** Reports come here, also from `<>`: no bounce protection is in their way. */
  takes(path: ForwardPath): boolean {
    return path.kind === 'mailbox' && this.#parts.settings().addresses.has(mailboxKey(path.mailbox))
  }

  /** Resolves when it is learned, or will not be. Never rejects. */
  async accepted(mail: AcceptedMail): Promise<void> {
    const { transaction, way, content } = mail
    const { reversePath, recipients } = transaction.envelope
    const isReport = recipients.some(({ forwardPath }) => this.takes(forwardPath))
    if (!isReport && (reversePath.kind !== 'null' || way.tenant.outbound === undefined)) return
    if (this.#underWay >= UNDER_WAY_MAX) {
      this.#say(transaction, { ...unread(way), decision: 'over-limit', text: `${UNDER_WAY_MAX} are being read` })
      return
    }
    this.#underWay++
    try {
      const header = readHeaderSection(content)
      const found = classify({ reversePath, header, content })
      if (isReport && found.kind === 'feedback-report') await this.#complaint(mail, header, found)
      else if (reversePath.kind === 'null' && found.kind === 'dsn') await this.#bounce(mail, found)
    } catch (error) {
      this.#say(transaction, { ...unread(way), decision: 'not-recorded', text: (error as Error).message })
    } finally {
      this.#underWay--
    }
  }

  async #bounce({ transaction, way }: AcceptedMail, { dsn }: Extract<AutomaticMail, { kind: 'dsn' }>): Promise<void> {
    const { name, bounceProtection } = way.tenant
    const { id, session } = transaction
    const token = this.#tokens(dsn.originalTokens).find(({ tenant }) => tenant === name)
    const came: Came = { id, from: dsn.reportingMta ?? session.client.address }
    const known = (facts: readonly string[]) => this.#parts.records.known(name, 'sent', facts)
    const onRecord = bounceProtection?.kind === 'sent-record' ? known : undefined
    const found = await bounceLessons(name, dsn, came, token, onRecord)
    await this.#learn(transaction, name, `bounces ${name}`, found)
  }

  async #complaint(
    mail: AcceptedMail,
    header: HeaderSection,
    { feedback }: Extract<AutomaticMail, { kind: 'feedback-report' }>,
  ): Promise<void> {
    const { transaction, way } = mail
    const source = this.#source(mail, header)
    const tenant = way.tenant.name
    const about = { tenant, about: 'complaint', text: `${feedback.type} report` } as const
    if (source === undefined) {
      const text = `${about.text} from ${transaction.session.client.address}: no network or verified domain of "feedback"`
      return this.#say(transaction, { ...about, decision: 'not-trusted', text })
    }
    if (!COMPLAINTS.has(feedback.type)) return this.#say(transaction, { ...about, decision: 'no-complaint' })
    const directory = this.#parts.directory()
    const token = this.#tokens(feedback.originalTokens).find((one) => directory.tenant(one.tenant) !== undefined)
    if (token === undefined) return this.#say(transaction, { ...about, decision: 'not-proven' })
    const lessons = complaintLessons(feedback, { id: transaction.id, from: source }, token)
    await this.#learn(transaction, token.tenant, `reports ${source}`, { lessons, unproven: [] })
  }

  #tokens(values: readonly string[] = []): Token[] {
    const tokens = this.#parts.tokens()
    const wallMs = this.#parts.clock.wall()
    return values.flatMap((value) => tokens?.read(value, wallMs) ?? [])
  }

  /** Whose reports these are, if we take them: a client's address, or a verified domain. */
  #source({ transaction, authentication }: AcceptedMail, header: HeaderSection): string | undefined {
    const { envelope, session } = transaction
    const { trusts, domains } = this.#parts.settings()
    const { address } = session.client
    if (trusts(address)) return address
    const { reversePath } = envelope
    const from = header.fields.find(({ name }) => name === 'from')
    const path =
      reversePath.kind === 'mailbox' && reversePath.mailbox.domain.kind === 'name' ? reversePath.mailbox : undefined
    const domain = path?.domain.kind === 'name' ? path.domain.ascii : from && authorDomains(from)[0]
    if (domain === undefined || !domains.some((one) => domain === one || domain.endsWith(`.${one}`))) return undefined
    return authentication !== undefined && isVouchedFor(authentication, domain) ? domain : undefined
  }

  async #learn(transaction: AcceptedMail['transaction'], tenant: string, source: string, found: Found): Promise<void> {
    for (const one of found.unproven) this.#say(transaction, { ...one, tenant, decision: 'not-proven' })
    if (found.lessons.length === 0) return
    let decisions: readonly FeedbackDecision[]
    try {
      decisions = await this.#parts.learn(source, found.lessons)
    } catch {
      decisions = found.lessons.map(() => 'not-recorded')
    }
    for (const [i, { about, login, address, proof, text }] of found.lessons.entries()) {
      const who = { ...(login !== undefined && { login }), ...(address !== undefined && { address }) }
      this.#say(transaction, { tenant, about, decision: decisions[i] ?? 'not-recorded', ...who, proof, text })
    }
  }

  #say({ id }: AcceptedMail['transaction'], said: Said): void {
    this.#parts.report({ kind: 'feedback', id, ...said })
  }
}

// A report from the empty path has only its author: DMARC speaks of that one.
const isVouchedFor = (authentication: Authentication, domain: string): boolean =>
  vouchedBy(authentication, domain) !== 'none' ||
  (authentication.dmarc.result === 'pass' && authentication.dmarc.domain === domain)

const unread = ({ tenant }: Way) => ({ tenant: tenant.name, about: 'report' }) as const
