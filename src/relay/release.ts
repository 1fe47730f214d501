/**
 * Release from quarantine: the message goes into the spool by the way that its recipients have today, as it came, with one
 * field more that says who let it out. Nothing of the path is skipped but what was overruled: the engines look again, and what
 * they find beyond the facts that the person saw stops it.
 *
 * It is spooled with a first attempt in `RELEASE_DELAY_MS`; whoever asked makes it due as soon as he has written down that it
 * is released. So a crash between the two loses nothing, and leaves the time to see that it was done.
 *
 * Its sender is never told anything: nobody vouches for the reverse-path any more, and the next hop hears NOTIFY=NEVER.
 */
import { pathText } from '#mail/address.ts'
import { type Content, withTrace } from '#mail/content.ts'
import { domainText } from '#mail/domain.ts'
import type { Envelope, Recipient } from '#mail/envelope.ts'
import type { Report } from '#mail/event.ts'
import { factText, type ScanFact, type ScanResult } from '#mail/scan.ts'
import type { NewMessage, QueueEntry } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import { dateTime, RELEASED_FIELD } from '#mime/trace-fields.ts'
import { judgeScan } from '#policy/virus.ts'
import type { Contents } from '#quarantine/contents.ts'
import { goalOf } from '#queue/redirect.ts'
import { SpoolError } from '#spool/contract.ts'
import type { QuarantineEntry } from '#store/quarantine.ts'
import type { Clock } from '#sys/clock.ts'
import type { Directory, OutboundWay, ServedDomain, Way } from '#tenant/directory.ts'
import { DEFAULT_VIRUS_POLICY } from '#tenant/virus-policy.ts'
import { appendAll, inParts, type PartsOptions, type PartsSpool } from './parts.ts'
import type { Signing } from './signing.ts'
import { lessonOfRelease, type Teach } from './teaching.ts'

/** Longer than a restart takes. */
export const RELEASE_DELAY_MS = 5 * 60_000
const FACTS_NAMED_MAX = 3

export interface ReleaseQuestion {
  readonly entry: QuarantineEntry
  /** Of the recipients that it is for. */
  readonly positions: readonly number[]
  /** Instead of all of them: an address of the tenant's. */
  readonly to?: string | undefined
  /** The id that it gets. */
  readonly release: TraceId
  readonly who: string
  /** Whatever is found now. */
  readonly force: boolean
  readonly dryRun: boolean
  /** Later it must not be stored any more: whoever asked has given up. */
  readonly withinMs: number
}

export type ReleaseAnswer =
  /** In the spool: under the id of the question, and these for further destinations. */
  | { readonly kind: 'released'; readonly others: readonly TraceId[]; readonly text: string }
  | { readonly kind: 'would-release'; readonly text: string }
  /** Nothing is in the spool. */
  | { readonly kind: 'refused'; readonly text: string }

export interface ReleaseParts {
  readonly clock: Clock
  readonly hostname: string
  readonly directory: () => Directory
  readonly contents: Pick<Contents, 'read'>
  readonly wall: () => { scan(content: Content): Promise<ScanResult> } | undefined
  readonly spool: PartsSpool & { get(id: TraceId): QueueEntry | undefined }
  readonly queue: { nowMs(): number; add(entry: QueueEntry): void }
  readonly newTraceId: PartsOptions['newTraceId']
  readonly signing?: Pick<Signing, 'sign'> | undefined
  readonly report: Report
  /** Absent: there is nobody to learn from it. */
  readonly teach?: Teach
}

/** Recipients that share a way, and a message. */
interface Goal {
  readonly way: Way
  readonly recipients: readonly Recipient[]
}

const refused = (text: string): ReleaseAnswer => ({ kind: 'refused', text })

export class Release {
  readonly #parts: ReleaseParts

  constructor(parts: ReleaseParts) {
    this.#parts = parts
  }

  async release(question: ReleaseQuestion): Promise<ReleaseAnswer> {
    const { entry, dryRun, withinMs } = question
    const { clock, contents } = this.#parts
    const startMs = clock.monotonic()
    const goals = this.#goals(question)
    if (typeof goals === 'string') return refused(goals)
    const read = await contents.read(entry.hash)
    if (read.kind === 'missing')
      return refused('its content is not on the disk any more; look at the quarantine folder')
    if (read.kind === 'damaged') return refused('its content is damaged on the disk; it is not sent')
    const kept = withTrace(Buffer.from(entry.trace), read.content)
    const objection = question.force ? undefined : await this.#objection(entry, goals, kept)
    if (objection !== undefined) return refused(objection)
    const text = textOf(goals)
    if (dryRun) return { kind: 'would-release', text }
    const content = await this.#toSend(question, goals, withTrace(this.#field(question), kept))
    if (typeof content === 'string') return refused(content)
    if (clock.monotonic() - startMs > withinMs) return refused('it took too long; try again')
    const answer = await this.#store(question, goals, content)
    const lesson = answer.kind === 'released' ? lessonOfRelease(entry, question.who, read.content) : undefined
    if (lesson !== undefined) this.#parts.teach?.(lesson)
    return answer
  }

  async #store(question: ReleaseQuestion, goals: readonly Goal[], content: Content): Promise<ReleaseAnswer> {
    const { spool, queue, report } = this.#parts
    const messages = this.#messages(question, goals)
    const nowMs = queue.nowMs()
    try {
      const stored = await appendAll(messages, content, spool, { firstAttemptMs: nowMs + RELEASE_DELAY_MS, nowMs })
      if (stored === 'torn') return refused('the spool took only a part of it, and has dropped that again; see the log')
    } catch (error) {
      if (error instanceof SpoolError) return refused(`the spool does not take it: ${error.message}`)
      throw error
    }
    const { id, tenant, class: of } = question.entry
    for (const message of messages) {
      const { recipients } = message.envelope
      const text = `${message.route}, ${content.octets} octets`
      const told = { id, tenant, class: of, who: question.who, text, part: message.id, recipients }
      report({ kind: 'quarantine', action: 'released', ...told })
      const stored = spool.get(message.id)
      if (stored !== undefined) queue.add(stored)
    }
    return { kind: 'released', others: messages.slice(1).map((message) => message.id), text: textOf(goals) }
  }

  #messages({ entry, release }: ReleaseQuestion, goals: readonly Goal[]): NewMessage[] {
    const { directory, newTraceId, queue } = this.#parts
    const route = (id: string) => directory().route(id)
    // Its age begins now: nobody shall find it too old at its first attempt.
    const reception = { ...entry.reception, receivedMs: queue.nowMs() }
    const messages = goals.flatMap(({ way, recipients }) => {
      const envelope: Envelope = { ...entry.envelope, recipients: recipients.map(untold) }
      const message = { id: newTraceId(), tenant: entry.tenant, route: way.route.id, envelope, reception }
      return inParts(message, way, { route, newTraceId })
    })
    return messages.map((message, i) => (i === 0 ? { ...message, id: release } : message))
  }

  #goals({ entry, positions, to }: ReleaseQuestion): readonly Goal[] | string {
    const directory = this.#parts.directory()
    if (to !== undefined) {
      const goal = goalOf(to, entry.tenant, (name) => directory.domain(name))
      if (typeof goal === 'string') return goal
      return [{ way: goal.served, recipients: [{ forwardPath: { kind: 'mailbox', mailbox: goal.mailbox } }] }]
    }
    const recipients = positions.map((position) => entry.envelope.recipients[position]!)
    if (entry.service !== 'inbound') {
      const way = directory.outboundOf(entry.tenant)
      return way === undefined ? `${entry.tenant} may not send any more (outbound)` : [{ way, recipients }]
    }
    const byRoute = new Map<string, { way: ServedDomain; recipients: Recipient[] }>()
    for (const recipient of recipients) {
      const way = this.#servedFor(recipient, directory)
      if (way?.tenant.name !== entry.tenant)
        return `${pathText(recipient.forwardPath)} is no address of ${entry.tenant} any more`
      const goal = byRoute.get(way.route.id) ?? { way, recipients: [] }
      goal.recipients.push(recipient)
      byRoute.set(way.route.id, goal)
    }
    return [...byRoute.values()]
  }

  #servedFor({ forwardPath }: Recipient, directory: Directory): ServedDomain | undefined {
    if (forwardPath.kind === 'postmaster') return directory.domain(this.#parts.hostname)
    return directory.domain(domainText(forwardPath.mailbox.domain))
  }

  /** What speaks against it that was not known when it was caught. */
  async #objection(entry: QuarantineEntry, goals: readonly Goal[], kept: Content): Promise<string | undefined> {
    const wall = this.#parts.wall()
    const policies = goals.map(({ way }) => way.virus ?? DEFAULT_VIRUS_POLICY).filter(({ scan }) => scan)
    if (wall === undefined || policies.length === 0) return undefined
    const { facts, ...result } = await wall.scan(kept)
    const overruled = new Set(entry.facts.map(keyOf))
    const fresh = facts.filter((fact) => !overruled.has(keyOf(fact)))
    for (const policy of policies) {
      const { decision, because } = judgeScan({ ...result, facts: fresh }, policy)
      if (decision === 'clean' || decision === 'tag') continue
      const found = because.slice(0, FACTS_NAMED_MAX).map(factText).join('; ')
      return `something was found that was not known when it was caught: ${found}; --force releases it all the same`
    }
    return undefined
  }

  #field({ entry, who }: ReleaseQuestion): Buffer {
    const by = who.replace(/[^\x21-\x7e]/g, '?')
    return Buffer.from(
      `${RELEASED_FIELD}: ${entry.id};\r\n\tby ${by}; ${dateTime(this.#parts.clock.wall())}\r\n`,
      'latin1',
    )
  }

  async #toSend({ entry }: ReleaseQuestion, [first]: readonly Goal[], content: Content): Promise<Content | string> {
    const { signing } = this.#parts
    if (signing === undefined || first === undefined || !isOutbound(first.way)) return content
    const transaction = { envelope: { ...entry.envelope, recipients: [...entry.envelope.recipients] } }
    const message = { transaction, way: first.way, content, header: readHeaderSection(content) }
    const signed = await signing.sign(message, content)
    return signed.kind === 'signed' ? signed.content : (signed.reasons[0]?.text ?? 'it cannot be signed now')
  }
}

const isOutbound = (way: Way): way is OutboundWay => 'outbound' in way

const untold = (recipient: Recipient): Recipient => ({ ...recipient, notify: 'never' })

// What an engine says beside the fact itself may differ from look to look.
function keyOf(fact: ScanFact): string {
  const { text: _, ...named } = { text: '', ...fact }
  return JSON.stringify(named, Object.keys(named).sort())
}

const textOf = (goals: readonly Goal[]): string =>
  goals
    .map(
      ({ way, recipients }) =>
        `${recipients.map(({ forwardPath }) => pathText(forwardPath)).join(', ')} by ${way.route.id}`,
    )
    .join('; ')
