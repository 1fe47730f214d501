/**
 * DNS for everyone in the program: asks the name servers, keeps what they said for as long as they allow, and asks each
 * question once, however many want to know. The servers must be recursive ones; whether an answer was verified (DNSSEC)
 * is their word, believed only from this machine.
 *
 * A server that is silent, refuses or makes no sense is passed over for the next one; all of them twice, then the answer
 * is `unknown`, kept for a moment so that nobody asks in a tight loop (RFC 9520 §3.2).
 */
import type { Endpoint } from '#mail/session.ts'
import type { Clock } from '../clock.ts'
import type { Answer, Dns, RecordType } from './answer.ts'
import { type AskServer, askServer, type Exchanged } from './exchange.ts'
import { ALIASES_MAX, type Reading } from './message.ts'
import { isOnThisMachine } from './servers.ts'

/** For one server; a recursive one may have to ask several others first. */
export const ROUNDS_MS: readonly number[] = [3_000, 5_000]
/** Shorter lives would ask for every message; longer ones would keep a moved host for too long. */
export const TTL_MS_MIN = 5_000
export const TTL_MS_MAX = 3_600_000
/** RFC 2308 §5 allows hours; a domain that has just been made should not wait so long for its mail. */
export const NEGATIVE_MS_MAX = 15 * 60_000
/** RFC 9520 §3.2: at least 1 s. */
export const FAILURE_MS = 5_000
/** Answers kept, by number and by their size on the wire; those stored longest ago go first. */
export const CACHE_ENTRIES_MAX = 50_000
export const CACHE_OCTETS_MAX = 16 * 1024 * 1024
const ENTRY_OCTETS = 100
/** Questions under way: more than messages, each with one socket. Beyond it the answer is `unknown`. */
export const QUESTIONS_MAX = 2_000

const NAME_OCTETS_MAX = 253
/** What a server may be asked: labels of any visible characters, such as `_25._tcp.mx.example`. */
const NAME = /^(?:[!-\-/-~]{1,63}\.)*[!-\-/-~]{1,63}$/

export interface DnsParts {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly servers: () => Promise<readonly Endpoint[]>
  readonly ask?: AskServer
}

interface Entry {
  readonly untilMs: number
  readonly answer: Answer<RecordType>
  readonly octets: number
}

export const createDns = (parts: DnsParts): Dns => new CachingDns(parts)

class CachingDns implements Dns {
  readonly #parts: DnsParts
  readonly #ask: AskServer
  readonly #cache = new Map<string, Entry>()
  readonly #asked = new Map<string, Promise<Answer<RecordType>>>()
  #octets = 0

  constructor(parts: DnsParts) {
    this.#parts = parts
    this.#ask = parts.ask ?? askServer
  }

  async lookup<T extends RecordType>(given: string, type: T): Promise<Answer<T>> {
    const name = given.toLowerCase()
    if (name.length > NAME_OCTETS_MAX || !NAME.test(name)) {
      return { kind: 'none', why: 'no-name', name, secure: false, ttlMs: NEGATIVE_MS_MAX }
    }
    const key = `${type} ${name}`
    const nowMs = this.#parts.clock.monotonic()
    const cached = this.#cache.get(key)
    if (cached !== undefined && nowMs < cached.untilMs) {
      const { answer, untilMs } = cached
      return (answer.kind === 'unknown' ? answer : { ...answer, ttlMs: untilMs - nowMs }) as Answer<T>
    }
    return (await (this.#asked.get(key) ?? this.#begin(key, name, type))) as Answer<T>
  }

  #begin(key: string, name: string, type: RecordType): Promise<Answer<RecordType>> {
    if (this.#asked.size >= QUESTIONS_MAX) {
      return Promise.resolve({ kind: 'unknown', text: 'too many questions to the name servers at a time' })
    }
    const answer = this.#find(name, type).then((found) => this.#keep(key, found))
    this.#asked.set(key, answer)
    void answer.finally(() => this.#asked.delete(key))
    return answer
  }

  #keep(key: string, answer: Answer<RecordType>): Answer<RecordType> {
    const lifeMs = answer.kind === 'unknown' ? FAILURE_MS : answer.ttlMs
    const octets = ENTRY_OCTETS + key.length + (answer.kind === 'found' ? sizeOf(answer.records) : 0)
    this.#drop(key)
    this.#cache.set(key, { untilMs: this.#parts.clock.monotonic() + lifeMs, answer, octets })
    this.#octets += octets
    for (const [oldest] of this.#cache) {
      if (this.#cache.size <= CACHE_ENTRIES_MAX && this.#octets <= CACHE_OCTETS_MAX) break
      this.#drop(oldest)
    }
    return answer
  }

  #drop(key: string): void {
    this.#octets -= this.#cache.get(key)?.octets ?? 0
    this.#cache.delete(key)
  }

  // Most servers send the whole chain of aliases; where one does not, its end is asked for.
  async #find(name: string, type: RecordType): Promise<Answer<RecordType>> {
    let asked = name
    let ttlMs = Number.POSITIVE_INFINITY
    let secure = true
    for (let links = 0; links <= ALIASES_MAX; links++) {
      const said = await this.#askAll(asked, type)
      if (said.kind === 'unknown') return said
      const { reading } = said
      ttlMs = Math.min(ttlMs, lifeMs(reading))
      secure &&= said.secure
      if (reading.unfinished) asked = reading.name
      else return answerOf(reading, { secure, ttlMs })
    }
    return { kind: 'unknown', text: `${name}: more than ${ALIASES_MAX} aliases` }
  }

  async #askAll(
    name: string,
    type: RecordType,
  ): Promise<{ kind: 'said'; reading: Records; secure: boolean } | { kind: 'unknown'; text: string }> {
    let text = 'there is no name server'
    const servers = await this.#parts.servers()
    for (const timeoutMs of ROUNDS_MS) {
      let silence = false
      for (const server of servers) {
        const answer = await this.#ask(server, { name, type }, timeoutMs)
        if (answer.kind === 'records') {
          return { kind: 'said', reading: answer, secure: answer.authentic && isOnThisMachine(server) }
        }
        silence ||= answer.kind === 'silent'
        text = `${server.address} about ${type} of ${name}: ${faultText(answer)}`
      }
      // Who has just said that he cannot say would say so again.
      if (!silence) break
    }
    return { kind: 'unknown', text }
  }
}

type Records = Extract<Reading<RecordType>, { kind: 'records' }>

function lifeMs({ ttl, records, unfinished }: Records): number {
  const max = records.length > 0 || unfinished ? TTL_MS_MAX : NEGATIVE_MS_MAX
  return Math.min(Math.max((ttl ?? 0) * 1000, TTL_MS_MIN), max)
}

function answerOf({ records, name, noName }: Records, of: { secure: boolean; ttlMs: number }): Answer<RecordType> {
  if (records.length > 0) return { kind: 'found', records, name, ...of }
  return { kind: 'none', why: noName ? 'no-name' : 'no-record', name, ...of }
}

function faultText(answer: Exclude<Exchanged<RecordType>, { kind: 'records' }>): string {
  if (answer.kind === 'failure') return answer.rcode
  return answer.kind === 'malformed' ? `an answer that cannot be read (${answer.text})` : answer.text
}

const sizeOf = (records: readonly unknown[]): number => {
  let octets = 0
  for (const record of records) octets += 50 + (typeof record === 'string' ? record.length : 50)
  return octets
}
