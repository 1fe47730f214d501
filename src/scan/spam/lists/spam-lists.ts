/**
 * All DNS lists of a worker, asked about one message: who connects, which domains it claims to come from, where it links to.
 * Each answer is signs, and the names of the lists that could not say; a list that is silent, slow or ill never keeps anyone
 * waiting for longer than `BUDGET_MS`, and says nothing for or against (law 5).
 *
 * Ask early: at RCPT for the client and the reverse-path, after the dot for what only the content knows. DNS keeps answers for
 * as long as the list allows, and each question is under way once, however many messages want to know.
 */

import { parseDomainName } from '#mail/domain.ts'
import { registrableDomain } from '#mail/registrable-domain.ts'
import { DETAIL_LENGTH_MAX, type SpamSign } from '#mail/spam.ts'
import type { SpamListKind, SpamListSettings } from '#mail/spam-list.ts'
import type { Clock } from '#sys/clock.ts'
import type { Dns } from '#sys/dns/answer.ts'
import { type ClientName, clientNameOf } from './client-name.ts'
import { addressSubject, isOnlyOurs, type Subject } from './question-name.ts'
import { type ListCounts, type ListSaid, type ListState, SpamList } from './spam-list.ts'
import type { LIST_SYMBOLS } from './symbols.ts'

/**
 * For all lists about one thing; what has not answered by then is unknown. Twice this, for the session and then for the
 * content, fits into the 5 s that a verdict may take.
 */
export const BUDGET_MS = 2_000
/** Of one message, in the order in which they are given. */
export const DOMAINS_MAX = 20
/** Of one message to all lists of a kind: with many lists fewer domains are asked about. */
export const QUESTIONS_MAX = 100
/** Of all lists, in each worker; sys/dns has 2,000 for everybody. */
const ROOM_MAX = 1_000
/** Clients whose names are looked for at the same time; a zone without servers keeps each for seconds. */
const NAMES_UNDER_WAY_MAX = 200

export interface ListsSaid {
  readonly signs: readonly SpamSign[]
  /** Lists that could not say; each has a sign `LIST_UNKNOWN` with the reason. */
  readonly silent: readonly string[]
}

export interface SpamListsParts {
  readonly dns: Dns
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  readonly random: () => number
  /** For the log. */
  readonly changed?: (list: string, state: ListState) => void
}

export interface ListReport {
  readonly name: string
  readonly state: ListState
  readonly counts: ListCounts
}

/** What one list is asked about, and the word for it. */
interface Question {
  readonly subject: Subject
  readonly shown: string
}

const NOTHING: ListsSaid = { signs: [], silent: [] }

export class SpamLists {
  readonly #lists: readonly SpamList[]
  readonly #parts: SpamListsParts
  #names = 0

  constructor(settings: readonly SpamListSettings[], parts: SpamListsParts) {
    this.#parts = parts
    const room = { used: 0, max: ROOM_MAX }
    const changed = (list: SpamList) => parts.changed?.(list.name, list.state)
    this.#lists = settings.map((one) => new SpamList(one, { ...parts, room, changed }))
  }

  /** An address that connects. Those of private networks are nobody's business. */
  client(address: string): Promise<ListsSaid> {
    const subject = addressSubject(address)
    if (subject === undefined || isOnlyOurs(address)) return Promise.resolve(NOTHING)
    return this.#ask('client', [{ subject, shown: '' }])
  }

  /** Domains of reverse-path, author, greeting: each as it is, and its registrable domain. */
  sender(domains: Iterable<string>): Promise<ListsSaid> {
    const named = domainsIn(domains)
    const all = new Set([...named, ...named.flatMap((domain) => registrableDomain(domain) ?? [])])
    return this.#ask('sender', [...all].filter((domain) => domain.includes('.')).map(aboutDomain))
  }

  /** Hosts in links: registrable domains and IPv4 addresses are asked about (SURBL's conventions). */
  links(hosts: Iterable<string>): Promise<ListsSaid> {
    const asked = new Map<string, Question>()
    for (const host of hosts) {
      const question = aboutLink(host)
      if (question !== undefined) asked.set(question.shown, question)
      if (asked.size === DOMAINS_MAX) break
    }
    return this.#ask('link', [...asked.values()])
  }

  /** Within the same time; what is not known by then is `unknown`. */
  async clientName(address: string): Promise<ClientName> {
    if (this.#names >= NAMES_UNDER_WAY_MAX) return { kind: 'unknown' }
    this.#names++
    const name = clientNameOf(this.#parts.dns, address).finally(() => this.#names--)
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.after(BUDGET_MS, () => resolve({ kind: 'unknown' }))
      void name.then((found) => {
        cancel()
        resolve(found)
      })
    })
  }

  reports(): ListReport[] {
    return this.#lists.map(({ name, state, counts }) => ({ name, state, counts }))
  }

  /** When each has been checked at least once. */
  async checked(): Promise<void> {
    await Promise.all(this.#lists.filter(({ state }) => state.kind === 'not-checked').map((list) => list.check()))
  }

  close(): void {
    for (const list of this.#lists) list.close()
  }

  async #ask(kind: SpamListKind, all: readonly Question[]): Promise<ListsSaid> {
    const lists = this.#lists.filter(({ settings }) => settings.kinds.includes(kind))
    if (lists.length === 0 || all.length === 0) return NOTHING
    const questions = all.slice(0, Math.max(1, Math.floor(QUESTIONS_MAX / lists.length)))
    const untilMs = this.#parts.clock.monotonic() + BUDGET_MS
    const said = await Promise.all(
      lists.map(async (list) => ({
        list,
        answers: await Promise.all(questions.map(({ subject }) => list.ask(subject, untilMs))),
      })),
    )
    const signs: SpamSign[] = []
    const silent: string[] = []
    for (const { list, answers } of said) {
      const listed = listedSign(kind, list.settings, questions, answers)
      if (listed !== undefined) signs.push(listed)
      const unknown = answers.find((answer) => answer.kind === 'unknown')
      if (unknown === undefined) continue
      signs.push({ symbol: 'LIST_UNKNOWN', weight: 0, detail: cut(`${list.name}: ${unknown.text}`) })
      silent.push(list.name)
    }
    return { signs, silent }
  }
}

const BLOCKED: Readonly<Record<SpamListKind, keyof typeof LIST_SYMBOLS>> = {
  client: 'LIST_CLIENT_BLOCKED',
  sender: 'LIST_SENDER_BLOCKED',
  link: 'LIST_LINK_BLOCKED',
}

/** One list speaks once, as loudly as its weightiest answer. */
function listedSign(
  kind: SpamListKind,
  { name, welcome }: SpamListSettings,
  questions: readonly Question[],
  answers: readonly ListSaid[],
): SpamSign | undefined {
  const listed = answers
    .flatMap((answer, i) => (answer.kind === 'listed' ? [{ ...answer, shown: questions[i]!.shown }] : []))
    .sort((a, b) => b.weight - a.weight)
  const [most] = listed
  if (most === undefined) return undefined
  const what = most.shown === '' ? '' : `${most.shown}: `
  const more = listed.length > 1 ? `, and ${listed.length - 1} more` : ''
  return {
    symbol: welcome ? 'LIST_CLIENT_WELCOME' : BLOCKED[kind],
    weight: welcome ? -most.weight : most.weight,
    detail: cut(`${what}${name}: ${most.codes.join(', ')}${more}`),
  }
}

const cut = (text: string): string => text.slice(0, DETAIL_LENGTH_MAX)

const aboutDomain = (domain: string): Question => ({ subject: { labels: domain }, shown: domain })

function domainsIn(given: Iterable<string>): string[] {
  const found = new Set<string>()
  for (const one of given) {
    const domain = addressSubject(one) === undefined ? parseDomainName(one) : undefined
    if (domain !== undefined) found.add(domain)
    if (found.size === DOMAINS_MAX) break
  }
  return [...found]
}

function aboutLink(host: string): Question | undefined {
  const subject = addressSubject(host.replace(/^\[|\]$/g, ''))
  if (subject !== undefined) return subject.family === 4 && !isOnlyOurs(host) ? { subject, shown: host } : undefined
  const name = parseDomainName(host)
  const domain = name === undefined ? undefined : registrableDomain(name)
  return domain === undefined ? undefined : aboutDomain(domain)
}
