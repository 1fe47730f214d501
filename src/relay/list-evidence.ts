/**
 * What DNS lists and the client's own name say of a message. The session is asked about as soon as a recipient is accepted,
 * so that the answers are there, or nearly so, when the content is; what only the content knows is asked about after it.
 *
 * An answer about a session is kept for `KEPT_MS`: long enough for the content to arrive, too short to be stale in a session
 * that sends for an hour.
 */
import type { Session, Transaction } from '#mail/session.ts'
import type { SpamAbout } from '#scan/spam/contract.ts'
import type { ListsSaid, SpamLists } from '#scan/spam/lists/spam-lists.ts'
import type { SpamReading } from '#scan/spam/reader.ts'
import type { Clock } from '#sys/clock.ts'
import { aboutOf, type Evidence, type Subject } from './gathering.ts'

export const KEPT_MS = 60_000

export type ListsAsked = Pick<SpamLists, 'client' | 'sender' | 'links' | 'clientName'>
type OfClient = Evidence & Pick<NonNullable<SpamAbout['session']>, 'clientName'>

interface Begun {
  /** What was asked about. */
  readonly key: string
  readonly untilMs: number
  readonly said: Promise<OfClient>
}

export class ListEvidence {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #lists: () => ListsAsked | undefined
  readonly #begun = new WeakMap<Session, Begun>()

  /** Without lists: nobody can be asked. */
  constructor(clock: Pick<Clock, 'monotonic'>, lists: () => ListsAsked | undefined) {
    this.#clock = clock
    this.#lists = lists
  }

  /** At RCPT. */
  begin(transaction: Transaction): void {
    void this.#ofClient(transaction.session, aboutOf(transaction))
  }

  readonly client = ({ transaction, about }: Subject): Promise<OfClient> => this.#ofClient(transaction.session, about)

  /** Where it links to, and the domain of its author. */
  readonly lists = async (
    _: Subject,
    { linkDomains, authorDomain }: Pick<SpamReading, 'linkDomains' | 'authorDomain'>,
  ): Promise<Evidence> => {
    const lists = this.#lists()
    if (lists === undefined) return { signs: [] }
    return together(await Promise.all([lists.links(linkDomains), lists.sender([authorDomain])]))
  }

  #ofClient(session: Session, { session: told, reversePath = '' }: SpamAbout): Promise<OfClient> {
    const domains = [reversePath.slice(reversePath.lastIndexOf('@') + 1), told?.greetingName ?? '']
    const key = domains.join(' ')
    const before = this.#begun.get(session)
    const nowMs = this.#clock.monotonic()
    if (before !== undefined && before.key === key && nowMs < before.untilMs) return before.said
    const said = this.#ask(session.client.address, domains)
    this.#begun.set(session, { key, untilMs: nowMs + KEPT_MS, said })
    return said
  }

  async #ask(address: string, domains: readonly string[]): Promise<OfClient> {
    const lists = this.#lists()
    if (lists === undefined) return { signs: [] }
    const [clientName, ...said] = await Promise.all([
      lists.clientName(address),
      lists.client(address),
      lists.sender(domains),
    ])
    return { ...together(said), clientName }
  }
}

const together = (said: readonly ListsSaid[]): Evidence => ({
  signs: said.flatMap(({ signs }) => signs),
  silent: [...new Set(said.flatMap(({ silent }) => silent))],
})
