/**
 * The clerk of sender domains: which tenant may send as a domain that is not served here. He looks for the tenant's token in
 * the DNS of each domain that the configuration names, again and again, and at once when asked.
 *
 * | DNS says | then |
 * |---|---|
 * | the token is there | the tenant may send as the domain, from now on |
 * | it is not there | who may not, may not. Who may is warned about, and may no more when it is still so after `GRACE_MS` |
 * | nothing (SERVFAIL, no answer) | all stays as it is: unknown is not no |
 *
 * What the configuration does not name any more is forgotten.
 */
import { z } from 'zod'
import { zoneLine } from '#auth/dkim/keys.ts'
import { senderToken, tokenIn, tokenRecordName, tokenRecordText } from '#auth/sender-token.ts'
import type { Config } from '#config/config.ts'
import { readFullDomain } from '#config/units.ts'
import type { Notify } from '#mail/notice.ts'
import type { Snapshot } from '#report/metrics.ts'
import type { Database } from '#store/database.ts'
import { DkimKeyReader } from '#store/dkim-keys.ts'
import type { MasterKey } from '#store/sealing.ts'
import { type SenderDomainName, SenderDomains, type StoredSenderDomain } from '#store/sender-domains.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import type { LookUpTxt } from '#sys/txt-lookup.ts'
import { EXIT, UserError } from '../exit.ts'
import { makeMasterKey, masterKeyOf, masterKeyPlace } from '../master-key.ts'
import type { AskWorkers, Clerk } from '../serve/desk.ts'
import { asked, notUnderstood } from './asked.ts'
import { senderDomains } from './domain-owners.ts'

/** A zone that was lost in a move is found and mended within this. */
export const GRACE_MS = 7 * 24 * 3_600_000
/** A person who has just published a record may be waiting. */
const CHECK_UNVERIFIED_MS = 600_000
const CHECK_VERIFIED_MS = 12 * 3_600_000
/** Of a verified one whose token is gone, or whose name servers do not answer. */
const CHECK_DOUBTFUL_MS = 3_600_000
/** Each time between is stretched or shortened by up to so much, so that they do not all come at once. */
const JITTER = 0.25
/** Between two looks at what is due. */
const TURN_MS = 30_000
const CHECKS_PER_TURN_MAX = 500
const CHECKS_AT_A_TIME = 8

const commands = {
  list: z.strictObject({}),
  show: z.strictObject({ domain: z.string().max(400) }),
  verify: z.strictObject({ domain: z.string().max(400) }),
}

export type DomainState = 'verified' | 'going' | 'unverified'

export interface DomainRow extends SenderDomainName {
  /** `going`: verified, and the token is gone. */
  readonly state: DomainState
  readonly recordName: string
  readonly record: string
  /** For a zone file. */
  readonly zoneLine: string
  /** What DNS was last seen to say, and how long ago; absent: not looked up yet. */
  readonly found?: string
  readonly foundAgeMs?: number
  /** Of a `going` one. */
  readonly revokedInMs?: number
}

export interface DomainsClerkParts {
  readonly store: Database
  readonly config: Config
  readonly clock: Clock
  readonly wallMs: () => number
  /** In [0, 1). */
  readonly random: () => number
  readonly lookUp: (config: Config) => LookUpTxt
  readonly notify: Notify
  readonly log: (line: string) => void
}

export class DomainsClerk implements Clerk<Config> {
  readonly subject = 'domains'
  readonly #parts: DomainsClerkParts
  readonly #rows: SenderDomains
  readonly #dueMs = new Map<string, number>()
  #config: Config
  #lookUp: LookUpTxt
  #workers: AskWorkers = async () => []
  #cancel: Cancel = () => {}
  #ended = false

  constructor(parts: DomainsClerkParts) {
    this.#parts = parts
    this.#rows = new SenderDomains(parts.store)
    this.#config = parts.config
    this.#lookUp = parts.lookUp(parts.config)
  }

  started(workers: AskWorkers): void {
    this.#workers = workers
    void this.#turn()
  }

  async reload(config: Config): Promise<void> {
    this.#config = config
    this.#lookUp = this.#parts.lookUp(config)
  }

  async close(): Promise<void> {
    this.#ended = true
    this.#cancel()
  }

  metrics(): Snapshot {
    const samples: Record<string, number> = {}
    for (const state of ['verified', 'going', 'unverified']) samples[`vorposten_sender_domains{state="${state}"}`] = 0
    for (const name of this.#listed()) {
      const state = stateOf(this.#rows.find(name))
      samples[`vorposten_sender_domains{state="${state}"}`]! += 1
    }
    return {
      vorposten_sender_domains: { kind: 'gauge', help: 'Sender domains that are not served, by state', samples },
    }
  }

  async command(what: string, body: unknown): Promise<unknown> {
    switch (what) {
      case 'list':
        asked(commands.list, body)
        return this.#shown(this.#listed())
      case 'show':
        return this.#shown(this.#named(asked(commands.show, body).domain))
      case 'verify': {
        const names = this.#named(asked(commands.verify, body).domain)
        this.#master()
        await this.#check(names)
        return this.#shown(names)
      }
      default:
        throw notUnderstood(what)
    }
  }

  #listed(): SenderDomainName[] {
    return senderDomains(this.#config.tenants)
  }

  #named(text: string): SenderDomainName[] {
    const domain = readFullDomain(text)
    const names = this.#listed().filter((name) => name.domain === domain)
    if (names.length > 0) return names
    const isServed = this.#config.domains.some(({ name }) => name === domain)
    const advice = isServed
      ? 'It is served here: its tenant may send as it without a token.'
      : 'Add it to outbound.sender-domains of its tenant, and reload.'
    throw new UserError(`${text} is not a sender domain of any tenant`, advice, EXIT.config)
  }

  #shown(names: readonly SenderDomainName[]): DomainRow[] {
    const master = this.#master()
    const nowMs = this.#parts.wallMs()
    return names.map((name) => domainRow(name, this.#rows.find(name), tokenOf(master, name), nowMs))
  }

  async #turn(): Promise<void> {
    // A store that cannot be read now is told by those who need it.
    try {
      const listed = this.#listed()
      this.#forgetOthers(listed)
      const nowMs = this.#parts.wallMs()
      const due = listed.filter((name) => nowMs >= this.#dueAtMs(name))
      if (due.length > 0) {
        this.#master()
        await this.#check(due.slice(0, CHECKS_PER_TURN_MAX))
      }
    } catch (error) {
      this.#parts.log(`warning: sender-domains: the tokens could not be looked for: ${(error as Error).message}`)
    }
    if (!this.#ended) this.#cancel = this.#parts.clock.after(TURN_MS, () => void this.#turn())
  }

  #dueAtMs(name: SenderDomainName): number {
    const row = this.#rows.find(name)
    return row === undefined ? 0 : (this.#dueMs.get(keyOf(name)) ?? this.#next(row))
  }

  #next(row: StoredSenderDomain): number {
    const atMs = row.checkedMs + everyMs(row) * (1 - JITTER + 2 * JITTER * this.#parts.random())
    this.#dueMs.set(keyOf(row), atMs)
    return atMs
  }

  // A name that comes back later may be another customer's.
  #forgetOthers(listed: readonly SenderDomainName[]): void {
    const names = new Set(listed.map(keyOf))
    for (const row of this.#rows.all()) {
      if (names.has(keyOf(row))) continue
      this.#rows.remove(row)
      this.#dueMs.delete(keyOf(row))
    }
  }

  async #check(names: readonly SenderDomainName[]): Promise<void> {
    const open = [...names]
    let hasChanged = false
    const one = async (): Promise<void> => {
      for (let name = open.shift(); name !== undefined && !this.#ended; name = open.shift()) {
        if (await this.#look(name)) hasChanged = true
      }
    }
    await Promise.all(Array.from({ length: CHECKS_AT_A_TIME }, one))
    if (hasChanged) await this.#workers('domains/changed', undefined)
  }

  /** True: the tenant may send as it from now on, or no more. */
  async #look(name: SenderDomainName): Promise<boolean> {
    const answer = await this.#lookUp(tokenRecordName(name.domain))
    if (this.#ended || !this.#listed().some((listed) => keyOf(listed) === keyOf(name))) return false
    const before = this.#rows.find(name)
    const tokens = [tokenOf(this.#master(), name), ...(before?.token === undefined ? [] : [before.token])]
    const nowMs = this.#parts.wallMs()
    const token = answer.kind === 'found' ? tokenIn(answer.records, tokens) : undefined
    const found = token !== undefined ? 'there' : answer.kind === 'unknown' ? `unknown: ${answer.text}` : 'missing'
    const after = judged({ ...name, found, checkedMs: nowMs, ...(token !== undefined && { token }) }, before)
    this.#rows.put(after)
    this.#next(after)
    this.#tell(before, after)
    this.#notify(before, after)
    return (before?.verifiedMs === undefined) !== (after.verifiedMs === undefined)
  }

  #tell(before: StoredSenderDomain | undefined, after: StoredSenderDomain): void {
    const { tenant, domain } = after
    const { log } = this.#parts
    if (before?.verifiedMs === undefined && after.verifiedMs !== undefined)
      log(`sender-domains: ${tenant} may send as ${domain}: its token is in DNS`)
    else if (before?.verifiedMs !== undefined && after.verifiedMs === undefined)
      log(`warning: sender-domains: ${tenant} may send as ${domain} no more: ${tokenRecordName(domain)} ${STILL_GONE}`)
    else if (before?.missingMs === undefined && after.missingMs !== undefined)
      log(`warning: sender-domains: ${tokenRecordName(domain)} is gone from DNS: ${goingText(tenant, domain)}`)
    else if (before?.missingMs !== undefined && after.missingMs === undefined)
      log(`sender-domains: ${tokenRecordName(domain)} is in DNS again`)
  }

  // At each look, as long as it is gone: who sends notices knows what was told, and an answer may have been lost.
  #notify(before: StoredSenderDomain | undefined, after: StoredSenderDomain): void {
    const { tenant, domain, checkedMs: atMs } = after
    const isRevoked = before?.verifiedMs !== undefined && after.verifiedMs === undefined
    const sinceMs = isRevoked ? before.missingMs : after.missingMs
    if (sinceMs === undefined) return
    this.#parts.notify({
      kind: isRevoked ? 'sender-domain-revoked' : 'sender-domain-going',
      ...{ tenant, domain, sinceMs, untilMs: sinceMs + GRACE_MS, atMs },
      recordName: tokenRecordName(domain),
      record: tokenRecordText(tokenOf(this.#master(), { tenant, domain })),
    })
  }

  /** Throws a UserError where the key is gone: another one would hide that, and change every token. */
  #master(): MasterKey {
    const master = masterKeyOf(this.#config)
    if (master !== undefined) return master
    if (new DkimKeyReader(this.#parts.store).all().length === 0) return makeMasterKey(this.#config)
    const text = `the master key (${masterKeyPlace(this.#config)}) is gone`
    throw new UserError(text, 'Put it back: DKIM keys and the tokens of sender domains need it.', EXIT.config)
  }
}

const STILL_GONE = 'is gone from DNS for longer than the time of grace; its mail hears 550, and its keys sign no more'
const goingText = (tenant: string, domain: string): string =>
  `in ${GRACE_MS / 86_400_000} days ${tenant} may send as ${domain} no more. See: vorposten domains show ${domain}`

const keyOf = ({ tenant, domain }: SenderDomainName): string => `${tenant} ${domain}`
export const tokenOf = (master: MasterKey, { tenant, domain }: SenderDomainName): string =>
  senderToken((about) => master.mac(about), tenant, domain)

/** What follows from what was seen just now, and before. */
function judged(now: StoredSenderDomain, before: StoredSenderDomain | undefined): StoredSenderDomain {
  const { token: oldToken, verifiedMs, missingMs } = before ?? {}
  if (now.found === 'there') return { ...now, verifiedMs: verifiedMs ?? now.checkedMs }
  const kept = { ...now, ...(oldToken !== undefined && { token: oldToken }) }
  if (verifiedMs === undefined) return kept
  if (now.found !== 'missing') return { ...kept, verifiedMs, ...(missingMs !== undefined && { missingMs }) }
  const sinceMs = missingMs ?? now.checkedMs
  return now.checkedMs - sinceMs >= GRACE_MS ? kept : { ...kept, verifiedMs, missingMs: sinceMs }
}

function everyMs({ verifiedMs, found }: StoredSenderDomain): number {
  if (verifiedMs === undefined) return CHECK_UNVERIFIED_MS
  return found === 'there' ? CHECK_VERIFIED_MS : CHECK_DOUBTFUL_MS
}

const stateOf = (row: StoredSenderDomain | undefined): DomainState =>
  row?.verifiedMs === undefined ? 'unverified' : row.missingMs === undefined ? 'verified' : 'going'

function domainRow(
  name: SenderDomainName,
  row: StoredSenderDomain | undefined,
  token: string,
  nowMs: number,
): DomainRow {
  const recordName = tokenRecordName(name.domain)
  const record = tokenRecordText(token)
  return {
    ...name,
    state: stateOf(row),
    ...{ recordName, record, zoneLine: zoneLine(recordName, record) },
    ...(row && { found: row.found, foundAgeMs: Math.max(0, nowMs - row.checkedMs) }),
    ...(row?.missingMs !== undefined && { revokedInMs: Math.max(0, row.missingMs + GRACE_MS - nowMs) }),
  }
}
