/**
 * The clerk of the keys that sign mail (DKIM): makes, imports, rotates and removes them for operators, seals their private
 * halves with the master key, and tells the workers. Workers read the keys from the store themselves.
 *
 * A key belongs to one tenant and domain: one that is served here, or a sender domain, which several tenants may share, each
 * with keys of its own. When the domain goes to another tenant, the key stays behind, and signs no more.
 */

import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { bitsOf, makeKey, publicText, readKey, recordName } from '#auth/dkim/keys.ts'
import type { Algorithm } from '#auth/dkim/signature.ts'
import type { AskWorkers, Clerk } from '#cli/serve/desk.ts'
import type { Config } from '#config/config.ts'
import { directoryFrom } from '#config/directory.ts'
import { readFullDomain } from '#config/units.ts'
import { DOMAIN_OCTETS_MAX } from '#mail/domain.ts'
import type { Snapshot } from '#report/metrics.ts'
import type { Database } from '#store/database.ts'
import { DkimKeys, type KeyName, type StoredKey, sealKey } from '#store/dkim-keys.ts'
import type { MasterKey } from '#store/sealing.ts'
import { type SenderDomainName, SenderDomainReader } from '#store/sender-domains.ts'
import type { Clock } from '#sys/clock.ts'
import type { LookUpTxt } from '#sys/txt-lookup.ts'
import type { Directory } from '#tenant/directory.ts'
import { EXIT, UserError } from '../exit.ts'
import { makeMasterKey, masterKeyOf, masterKeyPlace } from '../master-key.ts'
import { asked, notUnderstood } from './asked.ts'
import { DkimChecks } from './dkim-checks.ts'
import { type Resealed, reseal } from './dkim-reseal.ts'
import {
  type DkimList,
  isSealed,
  type KeyRow,
  keyMetrics,
  keyRow,
  removableInMs,
  sendingDomains,
  unsignedDomains,
} from './dkim-rows.ts'
import { namedOwners, oneOwner, ownersOf } from './domain-owners.ts'

/** Of one domain, all states together; a rotation needs two for each algorithm. */
export const KEYS_PER_DOMAIN_MAX = 20
const ALGORITHMS: Readonly<Record<string, readonly Algorithm[]>> = {
  rsa: ['rsa-sha256'],
  ed25519: ['ed25519-sha256'],
  both: ['rsa-sha256', 'ed25519-sha256'],
}
// A sub-domain (RFC 6376 §3.1); one or more labels.
const SELECTOR = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/
const SELECTOR_OCTETS_MAX = 63

const domain = z.string().max(400)
const selector = z.string().max(100)
/** Of those that share a sender domain; an older command line says none. */
const tenant = z.string().max(63).optional()
const commands = {
  create: z.strictObject({
    domain,
    tenant,
    algorithm: z.enum(['rsa', 'ed25519', 'both']),
    selector: selector.optional(),
    activate: z.boolean(),
  }),
  rotate: z.strictObject({ domain, tenant, activate: z.boolean() }),
  import: z.strictObject({ domain, tenant, selector, pem: z.string().max(20_000), activate: z.boolean() }),
  activate: z.strictObject({ domain, tenant, selector: selector.optional() }),
  delete: z.strictObject({ domain, tenant, selector, force: z.boolean() }),
  check: z.strictObject({ domain, tenant }),
  reseal: z.strictObject({ secret: z.string().max(10_000) }),
  list: z.strictObject({ domain: domain.optional(), tenant }),
}

export interface DkimClerkParts {
  readonly store: Database
  readonly config: Config
  readonly clock: Clock
  readonly wallMs: () => number
  readonly lookUp: (config: Config) => LookUpTxt
  readonly log: (line: string) => void
}

export class DkimClerk implements Clerk<Config> {
  readonly subject = 'dkim'
  readonly #parts: DkimClerkParts
  readonly #keys: DkimKeys
  readonly #senders: SenderDomainReader
  readonly #checks: DkimChecks
  #config: Config
  #directory: Directory
  #lookUp: LookUpTxt
  #workers: AskWorkers = async () => []

  constructor(parts: DkimClerkParts) {
    const { store, config, clock, wallMs, log } = parts
    this.#parts = parts
    this.#keys = new DkimKeys(store)
    this.#senders = new SenderDomainReader(store)
    this.#config = config
    this.#directory = directoryFrom(config)
    this.#lookUp = parts.lookUp(config)
    const changed = () => this.#changed()
    this.#checks = new DkimChecks({ store, keys: this.#keys, clock, wallMs, lookUp: () => this.#lookUp, changed, log })
  }

  started(workers: AskWorkers): void {
    this.#workers = workers
    this.#warnOfSealed()
    this.#checks.start()
  }

  async reload(config: Config): Promise<void> {
    this.#config = config
    this.#directory = directoryFrom(config)
    this.#lookUp = this.#parts.lookUp(config)
    this.#warnOfSealed()
  }

  async close(): Promise<void> {
    this.#checks.end()
  }

  metrics(): Snapshot {
    return keyMetrics(this.#keys.all(), this.#masterOrNone())
  }

  async command(what: string, body: unknown): Promise<unknown> {
    switch (what) {
      case 'create':
        return this.#create(asked(commands.create, body))
      case 'rotate':
        return this.#rotate(asked(commands.rotate, body))
      case 'import':
        return this.#import(asked(commands.import, body))
      case 'activate':
        return this.#activate(asked(commands.activate, body))
      case 'delete':
        return this.#delete(asked(commands.delete, body))
      case 'check':
        return this.#check(asked(commands.check, body))
      case 'reseal':
        return this.#reseal(asked(commands.reseal, body).secret)
      case 'list':
        return this.#list(asked(commands.list, body)) satisfies DkimList
      default:
        throw notUnderstood(what)
    }
  }

  async #create({ algorithm, selector, activate, ...named }: z.infer<typeof commands.create>): Promise<KeyRow[]> {
    const owner = this.#owner(named)
    const algorithms = ALGORITHMS[algorithm]!
    const taken = this.#of(owner).find((key) => key.state !== 'retired' && algorithms.includes(key.algorithm))
    if (taken !== undefined) {
      const advice = `Make the next one: vorposten dkim rotate ${owner.domain}.`
      throw new UserError(`${owner.domain} has a key of that kind already (${taken.selector})`, advice, EXIT.config)
    }
    return this.#make(owner, algorithms, selector, activate)
  }

  async #rotate({ activate, ...named }: z.infer<typeof commands.rotate>): Promise<KeyRow[]> {
    const owner = this.#owner(named)
    const keys = this.#of(owner)
    const pending = keys.find(({ state }) => state === 'pending')
    if (pending !== undefined) {
      const advice = `Publish its record (vorposten dkim dns ${owner.domain}), or delete it.`
      throw new UserError(`the key ${pending.selector} of ${owner.domain} still waits to sign`, advice, EXIT.config)
    }
    const algorithms = [...new Set(keys.filter(({ state }) => state === 'active').map((key) => key.algorithm))]
    if (algorithms.length === 0) throw noKey(owner.domain)
    return this.#make(owner, algorithms, undefined, activate)
  }

  async #make(
    owner: Owner,
    algorithms: readonly Algorithm[],
    wanted: string | undefined,
    activate: boolean,
  ): Promise<KeyRow[]> {
    const made: StoredKey[] = []
    for (const algorithm of algorithms) {
      const name = algorithms.length > 1 && wanted ? `${wanted}${SUFFIXES[algorithm]}` : wanted
      made.push(this.#put(owner, name ?? this.#freeSelector(owner, algorithm), algorithm, await makeKey(algorithm)))
    }
    return this.#begin(made, activate)
  }

  async #import({ selector, pem, activate, ...named }: z.infer<typeof commands.import>): Promise<KeyRow[]> {
    const owner = this.#owner(named)
    const read = readKey(pem)
    if (!read.ok) throw new UserError(read.fault, 'Hand in a private key, RSA or Ed25519, in PEM.', EXIT.data)
    return this.#begin([this.#put(owner, selector, read.algorithm, read.privateKey)], activate)
  }

  // A key whose record is there already, as with an import, begins at once.
  async #begin(keys: readonly StoredKey[], activate: boolean): Promise<KeyRow[]> {
    if (activate) await this.#checks.activate(keys)
    else await this.#checks.check(keys)
    const names = new Set(keys.map(({ selector }) => selector))
    return this.#rows(this.#of(keys[0]!).filter((key) => names.has(key.selector)))
  }

  #put(owner: Owner, selector: string, algorithm: Algorithm, privateKey: KeyObject): StoredKey {
    const name: KeyName = { ...owner, selector: selector.toLowerCase() }
    checkSelector(name)
    const there = this.#of(owner)
    if (this.#published(name.domain).some((key) => key.selector === name.selector)) {
      throw new UserError(`${name.domain} has a key ${name.selector} already`, 'Choose another selector.', EXIT.config)
    }
    if (there.length >= KEYS_PER_DOMAIN_MAX) {
      throw new UserError(`${name.domain} has ${there.length} keys`, 'Delete retired ones first.', EXIT.config)
    }
    const nowMs = this.#parts.wallMs()
    const key: StoredKey = {
      ...name,
      algorithm,
      bits: bitsOf(privateKey),
      state: 'pending',
      stateMs: nowMs,
      madeMs: nowMs,
      publicKey: publicText(privateKey),
      ...sealKey(this.#master(), name, privateKey.export({ type: 'pkcs8', format: 'der' })),
    }
    this.#keys.put(key)
    return key
  }

  async #activate({ selector, ...named }: z.infer<typeof commands.activate>): Promise<KeyRow[]> {
    const owner = this.#owner(named)
    const keys = this.#of(owner)
    const meant = keys.filter((key) => (selector === undefined ? key.state === 'pending' : key.selector === selector))
    if (meant.length === 0) {
      const what = selector === undefined ? 'no key that waits to sign' : `no key ${selector}`
      throw new UserError(`${owner.domain} has ${what}`, `See them: vorposten dkim list ${owner.domain}.`, EXIT.config)
    }
    await this.#checks.activate(meant)
    return this.#rows(this.#of(owner))
  }

  async #delete({ domain, tenant, selector, force }: z.infer<typeof commands.delete>): Promise<KeyRow[]> {
    const name = readFullDomain(domain) ?? domain
    const owners = ownersOf(name, this.#config, this.#directory)
    const all = this.#keys
      .all()
      .filter(
        (one) => one.domain === name && one.selector === selector && (tenant === undefined || one.tenant === tenant),
      )
    const key = all.find((one) => owners.includes(one.tenant)) ?? all[0]
    if (key === undefined) {
      throw new UserError(`${name} has no key ${selector}`, 'See them: vorposten dkim list.', EXIT.config)
    }
    if (
      !force &&
      owners.includes(key.tenant) &&
      (key.state === 'active' || removableInMs(key, { config: this.#config, nowMs: this.#parts.wallMs() }) > 0)
    ) {
      const why = key.state === 'active' ? 'signs mail' : 'has signed mail that may still be on its way'
      throw new UserError(`the key ${selector} of ${name} ${why}`, 'Rotate it, or say --force.', EXIT.config)
    }
    this.#keys.remove(key)
    this.#parts.log(`dkim: the key ${selector} of ${name} is deleted`)
    await this.#changed()
    return this.#rows([key])
  }

  async #check(named: z.infer<typeof commands.check>): Promise<KeyRow[]> {
    const owners = this.#named(named)
    const keys = owners.flatMap((owner) => this.#of(owner))
    if (keys.length === 0) throw noKey(owners[0].domain)
    await this.#checks.check(keys)
    return this.#rows(owners.flatMap((owner) => this.#of(owner)))
  }

  async #reseal(secret: string): Promise<Resealed> {
    const master = this.#masterOrNone()
    if (master === undefined) {
      const text = `there is no master key (${masterKeyPlace(this.#config)})`
      throw new UserError(text, 'Set the new one first, and reload.', EXIT.config)
    }
    const done = reseal(this.#parts.store, this.#keys, secret, master)
    this.#parts.log(`dkim: ${done.resealed} keys are sealed with the new master key; ${done.left} need another one`)
    await this.#changed()
    return done
  }

  #list({ domain, tenant }: z.infer<typeof commands.list>): DkimList {
    const one = domain === undefined ? undefined : this.#named({ domain, tenant })[0].domain
    const isMeant = (row: SenderDomainName) =>
      (one === undefined || row.domain === one) && (tenant === undefined || row.tenant === tenant)
    const keys = this.#keys.all()
    const unsigned = unsignedDomains(sendingDomains(this.#config, this.#verified), keys)
    return { keys: this.#rows(keys.filter(isMeant)), unsigned: unsigned.filter(isMeant) }
  }

  #rows(keys: readonly StoredKey[]): KeyRow[] {
    const master = this.#masterOrNone()
    const [config, directory, verified] = [this.#config, this.#directory, this.#verified]
    const around = { config, directory, master, verified, nowMs: this.#parts.wallMs() }
    return keys.map((key) => keyRow(key, around))
  }

  readonly #verified = (name: SenderDomainName): boolean => this.#senders.find(name)?.verifiedMs !== undefined

  #of({ tenant, domain }: SenderDomainName): StoredKey[] {
    return this.#keys.all().filter((key) => key.domain === domain && key.tenant === tenant)
  }

  // Tenants that share a sender domain share its names in DNS.
  #published(domain: string): StoredKey[] {
    return ownersOf(domain, this.#config, this.#directory).flatMap((tenant) => this.#of({ tenant, domain }))
  }

  #owner(named: Named): Owner {
    return oneOwner(named, this.#config, this.#directory)
  }

  #named(named: Named): [Owner, ...Owner[]] {
    return namedOwners(named, this.#config, this.#directory)
  }

  #freeSelector({ domain }: Owner, algorithm: Algorithm): string {
    const taken = new Set(this.#keys.all().flatMap((key) => (key.domain === domain ? [key.selector] : [])))
    const day = new Date(this.#parts.wallMs()).toISOString().slice(0, 10).replaceAll('-', '')
    const base = `vp${day}${SUFFIXES[algorithm]}`
    for (let number = 2, name = base; ; name = `${base}-${number++}`) if (!taken.has(name)) return name
  }

  // A new master key is made only where nothing was sealed yet: another one would hide that the old one is gone.
  #master(): MasterKey {
    const master = this.#masterOrNone()
    const sealed = this.#keys.all().find((key) => isSealed(key, master))
    if (sealed !== undefined) {
      const text = `the master key (${masterKeyPlace(this.#config)}) does not open the key ${sealed.selector} of ${sealed.domain}`
      throw new UserError(
        text,
        'Put the old master key back, or seal them anew (dkim reseal), or delete them (dkim delete --force).',
        EXIT.config,
      )
    }
    return master ?? makeMasterKey(this.#config)
  }

  #masterOrNone(): MasterKey | undefined {
    try {
      return masterKeyOf(this.#config)
    } catch (error) {
      this.#parts.log(`warning: dkim: ${(error as Error).message}`)
      return undefined
    }
  }

  #warnOfSealed(): void {
    const master = this.#masterOrNone()
    const domains = new Set(this.#keys.all().flatMap((key) => (isSealed(key, master) ? [key.domain] : [])))
    if (domains.size === 0) return
    const which = [...domains].slice(0, 5).join(', ') + (domains.size > 5 ? ` and ${domains.size - 5} more` : '')
    const why = `the master key (${masterKeyPlace(this.#config)}) does not open the keys of ${which}`
    this.#parts.log(`warning: dkim: ${why}: their mail waits. Put the right one back, then reload`)
  }

  async #changed(): Promise<void> {
    await this.#workers('dkim/changed', undefined)
  }
}

type Owner = SenderDomainName
type Named = z.infer<typeof commands.check>

const SUFFIXES: Readonly<Record<Algorithm, string>> = { 'rsa-sha256': 'r', 'ed25519-sha256': 'e' }

function checkSelector({ domain, selector }: KeyName): void {
  const fits = selector.length <= SELECTOR_OCTETS_MAX && recordName(domain, selector).length <= DOMAIN_OCTETS_MAX - 2
  if (SELECTOR.test(selector) && fits) return
  throw new UserError(`${selector} is no selector`, 'Use a-z, 0-9 and -, such as mail2026.', EXIT.config)
}

const noKey = (domain: string): UserError =>
  new UserError(`${domain} has no key that signs`, `Make one: vorposten dkim create ${domain}.`, EXIT.config)
