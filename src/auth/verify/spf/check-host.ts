/**
 * SPF (RFC 7208): may this client send mail in the name of this domain? `check_host` with its limits.
 *
 * | not done | because |
 * |---|---|
 * | explanations (exp=, §6.2) are not fetched | we refuse nothing for SPF alone, and repeat no stranger's words |
 * | records of type SPF | they are gone (§3.1) |
 */
import type { Spf, SpfResult } from '#mail/authentication.ts'
import type { Answer, Dns, RecordType } from '#sys/dns/answer.ts'
import { fillIn, type MacroFacts, type MacroText, reverseName } from './macros.ts'
import { isIn, isSpf, type Mechanism, octetsOf, readSpf } from './record.ts'

/** §4.6.4: terms that ask DNS, in all records together. */
export const TERMS_MAX = 10
/** §4.6.4: of them, those that were answered with "there is none". */
export const VOID_MAX = 2
/** §4.6.4: hosts of one `mx`, and names of the client. */
const HOSTS_MAX = 10

export interface SpfQuestion {
  readonly clientAddress: string
  readonly greetingName: string
  /** Undefined: the empty path. */
  readonly sender:
    | { readonly localPart: string /** A-labels, as far as they are. */; readonly domain: string }
    | undefined
}

/** A result that ends everything, also from inside an include. */
interface Ended {
  readonly result: 'temperror' | 'permerror'
  readonly reason: string
}
type Matched = boolean | Ended
interface Said {
  readonly result: SpfResult
  readonly reason?: string
}

const permerror = (reason: string): Ended => ({ result: 'permerror', reason })

/** `domain` as it stands: A-labels, or a greeting of any kind. */
export async function checkSpf(question: SpfQuestion, dns: Dns): Promise<Spf> {
  const { sender, greetingName } = question
  const identity = sender === undefined ? 'helo' : 'mailfrom'
  const domain = (sender?.domain ?? greetingName).toLowerCase().replace(/\.$/, '')
  // §4.3: what is no name of several labels cannot be asked for.
  if (!isName(domain)) return { result: 'none', identity, domain: undefined, reason: 'no domain name to ask for' }
  const said = await new Check(question, domain, dns).host(domain)
  return { ...said, identity, domain }
}

const NAME_OCTETS_MAX = 253
const isName = (name: string): boolean =>
  name.length <= NAME_OCTETS_MAX && /^(?:[!-\-/-Z\\^-~]{1,63}\.)+[!-\-/-Z\\^-~]{1,63}$/.test(name)

class Check {
  readonly #dns: Dns
  readonly #ip: Uint8Array
  readonly #facts: Omit<MacroFacts, 'domain' | 'clientName'>
  #terms = 0
  #voids = 0
  #names: Promise<readonly string[]> | undefined

  constructor({ clientAddress, greetingName, sender }: SpfQuestion, domain: string, dns: Dns) {
    this.#dns = dns
    this.#ip = octetsOf(clientAddress)
    const localPart = sender?.localPart || 'postmaster'
    this.#facts = { ip: this.#ip, localPart, senderDomain: domain, helo: greetingName }
  }

  /** check_host() (§4). */
  async host(domain: string): Promise<Said> {
    if (!isName(domain)) return { result: 'none' }
    const answer = await this.#dns.lookup(domain, 'TXT')
    if (answer.kind === 'unknown') return { result: 'temperror', reason: answer.text }
    const records = answer.kind === 'none' ? [] : answer.records.filter(isSpf)
    if (records.length === 0) return { result: 'none' }
    if (records.length > 1) return permerror(`${domain} has ${records.length} SPF records`)
    const record = readSpf(records[0]!)
    if (!record.ok) return permerror(`${domain}: ${record.fault}`)
    for (const { qualifier, mechanism } of record.directives) {
      const matched = await this.#matches(mechanism, domain)
      if (typeof matched !== 'boolean') return matched
      if (matched) return { result: qualifier }
    }
    return record.redirect === undefined ? { result: 'neutral' } : this.#redirected(record.redirect, domain)
  }

  // §6.1: where nothing is there, the record that led there is wrong.
  async #redirected(redirect: MacroText, domain: string): Promise<Said> {
    const over = this.#term()
    if (over !== undefined) return over
    const target = await this.#filled(redirect, domain)
    const said = await this.host(target)
    return said.result === 'none' ? permerror(`redirect= of ${domain} leads to no SPF record`) : said
  }

  async #matches(mechanism: Mechanism, domain: string): Promise<Matched> {
    if (mechanism.kind === 'all') return true
    if (mechanism.kind === 'ip') return isIn(this.#ip, mechanism.network, mechanism.bits)
    const over = this.#term()
    if (over !== undefined) return over
    const target = mechanism.domain === undefined ? domain : await this.#filled(mechanism.domain, domain)
    switch (mechanism.kind) {
      case 'include':
        return this.#included(target, domain)
      case 'exists': {
        const answer = await this.#ask(target, 'A')
        return 'result' in answer ? answer : answer.kind === 'found'
      }
      case 'ptr':
        return this.#named(target)
      case 'a':
        return this.#hasAddress(target, mechanism)
      case 'mx':
        return this.#hasExchanger(target, mechanism)
    }
  }

  // §5.2
  async #included(target: string, domain: string): Promise<Matched> {
    const said = await this.host(target)
    if (said.result === 'none') return permerror(`include of ${domain} leads to no SPF record`)
    if (said.result === 'temperror' || said.result === 'permerror') return said as Ended
    return said.result === 'pass'
  }

  async #hasAddress(name: string, lengths: { readonly bits4: number; readonly bits6: number }): Promise<Matched> {
    const answer = await this.#ask(name, this.#ip.length === 4 ? 'A' : 'AAAA')
    if ('result' in answer) return answer
    const bits = this.#ip.length === 4 ? lengths.bits4 : lengths.bits6
    return answer.kind === 'found' && answer.records.some((address) => isIn(this.#ip, octetsOf(address), bits))
  }

  async #hasExchanger(name: string, lengths: { readonly bits4: number; readonly bits6: number }): Promise<Matched> {
    const answer = await this.#ask(name, 'MX')
    if ('result' in answer) return answer
    if (answer.kind === 'none') return false
    if (answer.records.length > HOSTS_MAX) return permerror(`${name} has more than ${HOSTS_MAX} MX records`)
    for (const { exchange } of answer.records) {
      const matched = exchange === '' ? false : await this.#hasAddress(exchange, lengths)
      if (matched !== false) return matched
    }
    return false
  }

  // §5.5
  async #named(target: string): Promise<boolean> {
    const names = await this.#clientNames()
    const lower = target.toLowerCase()
    return names.some((name) => name === lower || name.endsWith(`.${lower}`))
  }

  /** Names of the client that lead back to it. An error here matches nothing, and is none of the whole (§5.5). */
  #clientNames(): Promise<readonly string[]> {
    this.#names ??= this.#askNames()
    return this.#names
  }

  async #askNames(): Promise<readonly string[]> {
    const answer = await this.#ask(reverseName(this.#ip), 'PTR')
    if ('result' in answer || answer.kind === 'none') return []
    const names: string[] = []
    for (const name of answer.records.slice(0, HOSTS_MAX)) {
      const addresses = await this.#dns.lookup(name, this.#ip.length === 4 ? 'A' : 'AAAA')
      if (addresses.kind !== 'found') continue
      if (addresses.records.some((address) => isIn(this.#ip, octetsOf(address), this.#ip.length * 8))) names.push(name)
    }
    return names
  }

  #filled(text: MacroText, domain: string): Promise<string> {
    const clientName = async () => {
      const names = await this.#clientNames()
      const lower = domain.toLowerCase()
      return (
        names.find((name) => name === lower) ??
        names.find((name) => name.endsWith(`.${lower}`)) ??
        names[0] ??
        'unknown'
      )
    }
    return fillIn(text, { ...this.#facts, domain, clientName })
  }

  #term(): Ended | undefined {
    return ++this.#terms > TERMS_MAX ? permerror(`more than ${TERMS_MAX} terms that ask DNS`) : undefined
  }

  async #ask<T extends RecordType>(name: string, type: T): Promise<Exclude<Answer<T>, { kind: 'unknown' }> | Ended> {
    const answer = await this.#dns.lookup(name, type)
    if (answer.kind === 'unknown') return { result: 'temperror', reason: answer.text }
    if (answer.kind === 'none' && ++this.#voids > VOID_MAX)
      return permerror(`more than ${VOID_MAX} answers of DNS were that there is none`)
    return answer
  }
}
