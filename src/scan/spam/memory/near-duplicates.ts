/**
 * The texts of the last days, and those that people have judged: is this one nearly the same as one of them?
 *
 * | seen | sign |
 * |---|---|
 * | somebody of this tenant has called it spam; or somebody of each of two others has | DUPLICATE_OF_SPAM |
 * | it came from `SENDERS_MIN` domains and `SENDERS_MIN` networks or more | DUPLICATE_MANY_SENDERS; half, if most of them were authenticated: shops of one provider send one text, too |
 *
 * A newsletter has one domain, whatever number of servers and recipients it has, and is never among the second. What somebody
 * of this tenant has called no spam is none of both.
 *
 * Each worker has its own memory, and hears of the others' messages once in some seconds (clerks/spam-memory.ts). What was
 * seen is forgotten at a restart, since a campaign lasts for hours and comes again; what people have said is in the store.
 */
import type { Said } from '../contract.ts'
import { Fingerprints } from './fingerprints.ts'
import type { Fingerprint } from './simhash.ts'

/** A text that was not seen for so long is a new one when it comes again. */
export const SEEN_MS = 3 * 86_400_000
/** Different texts, some 150 octets each; the oldest goes. */
export const TEXTS_MAX = 50_000
/** Judged by people, of all tenants (`TEXTS_MAX` of store/spam-texts.ts). */
export const JUDGED_MAX = 20_000
/** Domains, and networks, before a text is that of a campaign. */
export const SENDERS_MIN = 5
/** Domains and networks of one text that are told from each other; from here on it is enough. */
const SENDERS_MAX = 16
/** Tenants besides the own one. */
const OTHERS_MIN = 2

/** One message, as the workers tell each other of it. Numbers of 32 bits stand for names. */
export interface Sighting {
  readonly fingerprint: Fingerprint
  readonly domain: number
  readonly network: number
  readonly isAuthenticated: boolean
  readonly atMs: number
}

export interface Judged {
  readonly tenant: string
  readonly fingerprint: Fingerprint
  readonly isSpam: boolean
}

export class NearDuplicates {
  readonly #seen: Fingerprints
  readonly #lastMs: Float64Array
  readonly #messages: Uint32Array
  readonly #authenticated: Uint32Array
  readonly #domains: Several
  readonly #networks: Several
  readonly #judged = new Fingerprints(JUDGED_MAX)
  readonly #judgements: (Pick<Judged, 'tenant' | 'isSpam'> & { readonly turn: number })[] = []
  #turns = 0

  constructor(textsMax = TEXTS_MAX) {
    this.#seen = new Fingerprints(textsMax)
    this.#lastMs = new Float64Array(textsMax)
    this.#messages = new Uint32Array(textsMax)
    this.#authenticated = new Uint32Array(textsMax)
    this.#domains = new Several(textsMax)
    this.#networks = new Several(textsMax)
  }

  see({ fingerprint, domain, network, isAuthenticated, atMs }: Sighting): void {
    let place = this.#placeOf(fingerprint, atMs)
    if (place === undefined) {
      place = this.#seen.add(fingerprint)
      this.#messages[place] = 0
      this.#authenticated[place] = 0
      this.#domains.clear(place)
      this.#networks.clear(place)
    }
    this.#lastMs[place] = Math.max(atMs, this.#messages[place] === 0 ? 0 : this.#lastMs[place]!)
    this.#messages[place]!++
    if (isAuthenticated) this.#authenticated[place]!++
    this.#domains.add(place, domain)
    this.#networks.add(place, network)
  }

  judge({ tenant, fingerprint, isSpam }: Judged): void {
    this.#judgements[this.#judged.add(fingerprint)] = { tenant, isSpam, turn: this.#turns++ }
  }

  signs(tenant: string, fingerprint: Fingerprint, nowMs: number): Said[] {
    const { own, others } = this.#judgementsOf(tenant, fingerprint)
    if (own === false) return []
    const said: Said[] = []
    if (own === true) said.push({ symbol: 'DUPLICATE_OF_SPAM' })
    else if (others >= OTHERS_MIN) said.push({ symbol: 'DUPLICATE_OF_SPAM', strength: 0.5 })
    const place = this.#placeOf(fingerprint, nowMs)
    if (place === undefined) return said
    const [domains, networks] = [this.#domains.count(place), this.#networks.count(place)]
    if (domains < SENDERS_MIN || networks < SENDERS_MIN) return said
    const areProven = this.#authenticated[place]! * 2 > this.#messages[place]!
    const detail = `${this.#messages[place]} messages of ${amount(domains)} domains from ${amount(networks)} networks`
    return [...said, { symbol: 'DUPLICATE_MANY_SENDERS', strength: areProven ? 0.5 : 1, detail }]
  }

  /** Texts in memory. */
  get size(): number {
    return this.#seen.size
  }
  /** Comparisons so far, for tests. */
  get looks(): number {
    return this.#seen.looks
  }

  // The one that was seen most often, of those near it.
  #placeOf(fingerprint: Fingerprint, nowMs: number): number | undefined {
    let best: number | undefined
    for (const place of this.#seen.near(fingerprint)) {
      if (this.#lastMs[place]! <= nowMs - SEEN_MS) continue
      if (best === undefined || this.#messages[place]! > this.#messages[best]!) best = place
    }
    return best
  }

  // The last word of each tenant counts.
  #judgementsOf(tenant: string, fingerprint: Fingerprint): { own: boolean | undefined; others: number } {
    const last = new Map<string, boolean>()
    const near = this.#judged.near(fingerprint).map((place) => this.#judgements[place]!)
    for (const { tenant: of, isSpam } of near.sort((a, b) => a.turn - b.turn)) last.set(of, isSpam)
    const own = last.get(tenant)
    last.delete(tenant)
    return { own, others: [...last.values()].filter(Boolean).length }
  }
}

const amount = (count: number): string => (count === SENDERS_MAX ? `${SENDERS_MAX} or more` : String(count))

/** For each place a few numbers that differ. */
class Several {
  readonly #numbers: Uint32Array
  readonly #counts: Uint8Array

  constructor(places: number) {
    this.#numbers = new Uint32Array(places * SENDERS_MAX)
    this.#counts = new Uint8Array(places)
  }

  clear(place: number): void {
    this.#counts[place] = 0
  }

  add(place: number, number: number): void {
    const count = this.#counts[place]!
    const start = place * SENDERS_MAX
    for (let i = 0; i < count; i++) if (this.#numbers[start + i] === number) return
    if (count >= SENDERS_MAX) return
    this.#numbers[start + count] = number
    this.#counts[place] = count + 1
  }

  count(place: number): number {
    return this.#counts[place]!
  }
}
