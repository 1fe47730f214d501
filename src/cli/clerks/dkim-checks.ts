/**
 * Are the records of the keys in DNS? A pending key begins to sign when its record is seen, and the active one of its kind
 * retires. What DNS says of active keys is noted, and a record that is gone is told; it changes nothing by itself: whoever
 * deletes the record of a key that signs must hear of it, and unsigned mail would be no better.
 */
import { type Published, publishedIn, recordName } from '#auth/dkim/keys.ts'
import { type Database, inTransaction } from '#store/database.ts'
import type { DkimKeys, KeyName, StoredKey } from '#store/dkim-keys.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import type { LookUpTxt } from '#sys/txt-lookup.ts'

/** A person who has just published a record is waiting; later nobody is. */
const NEW_MS = 3_600_000
const CHECK_NEW_MS = 60_000
const CHECK_PENDING_MS = 600_000
const CHECK_OTHERS_MS = 6 * 3_600_000
/** Between two looks at what is due. */
const TURN_MS = 30_000
/** Keys looked up in one turn; the rest has its turn later. */
const CHECKS_PER_TURN_MAX = 500
const CHECKS_AT_A_TIME = 8

/** What is noted of a key: what DNS says of it, or why it could not be asked. */
export type Finding = Published | `unknown: ${string}`

export interface DkimChecksParts {
  readonly store: Database
  readonly keys: DkimKeys
  readonly clock: Clock
  readonly wallMs: () => number
  readonly lookUp: () => LookUpTxt
  /** Keys sign that did not sign before. */
  readonly changed: () => Promise<void>
  readonly log: (line: string) => void
}

export class DkimChecks {
  readonly #parts: DkimChecksParts
  #cancel: Cancel = () => {}
  #ended = false

  constructor(parts: DkimChecksParts) {
    this.#parts = parts
  }

  start(): void {
    void this.#turn()
  }

  end(): void {
    this.#ended = true
    this.#cancel()
  }

  /** Looks these up now. */
  async check(keys: readonly StoredKey[]): Promise<void> {
    const open = [...keys]
    const one = async (): Promise<void> => {
      for (let key = open.shift(); key !== undefined && !this.#ended; key = open.shift()) await this.#check(key)
    }
    await Promise.all(Array.from({ length: CHECKS_AT_A_TIME }, one))
  }

  /** These sign from now on; the active ones of the same kind and domain retire. */
  async activate(keys: readonly StoredKey[]): Promise<void> {
    const { store, keys: rows, wallMs } = this.#parts
    if (keys.length === 0) return
    const nowMs = wallMs()
    inTransaction(store, () => {
      for (const key of keys) {
        for (const other of rows.active(key.tenant, key.domain)) {
          const isNext = keys.some((one) => one.selector === other.selector)
          if (other.algorithm === key.algorithm && !isNext) rows.setState(other, 'retired', nowMs)
        }
        rows.setState(key, 'active', nowMs)
      }
    })
    for (const key of keys) this.#parts.log(`dkim: ${key.domain} is signed with ${key.selector} from now on`)
    await this.#parts.changed()
  }

  async #turn(): Promise<void> {
    const nowMs = this.#parts.wallMs()
    // A store that cannot be read now is told by those who need it.
    try {
      const due = this.#parts.keys.all().filter((key) => nowMs >= (key.foundMs ?? 0) + everyMs(key, nowMs))
      await this.check(due.slice(0, CHECKS_PER_TURN_MAX))
    } catch (error) {
      this.#parts.log(`dkim: the records could not be checked: ${(error as Error).message}`)
    }
    if (!this.#ended) this.#cancel = this.#parts.clock.after(TURN_MS, () => void this.#turn())
  }

  async #check(key: StoredKey): Promise<void> {
    const { keys, wallMs, lookUp, log } = this.#parts
    const found = await findingOf(key, lookUp())
    if (this.#ended) return
    const now = keys.all().find((one) => isSame(one, key))
    if (now === undefined) return
    keys.setFound(key, found, wallMs())
    if (now.state === 'pending' && found === 'there') await this.activate([now])
    if (now.state === 'active' && now.found === 'there' && found !== 'there' && !found.startsWith('unknown')) {
      const name = recordName(key.domain, key.selector)
      log(`warning: dkim: ${name} was in DNS, and now it is not as it should be (${found}): signatures do not count`)
    }
  }
}

async function findingOf({ domain, selector, algorithm, publicKey }: StoredKey, lookUp: LookUpTxt): Promise<Finding> {
  const answer = await lookUp(recordName(domain, selector))
  if (answer.kind === 'unknown') return `unknown: ${answer.text}`
  return publishedIn(answer.kind === 'none' ? [] : answer.records, algorithm, publicKey)
}

function everyMs({ state, madeMs }: StoredKey, nowMs: number): number {
  if (state !== 'pending') return CHECK_OTHERS_MS
  return nowMs < madeMs + NEW_MS ? CHECK_NEW_MS : CHECK_PENDING_MS
}

const isSame = (a: KeyName, b: KeyName): boolean =>
  a.tenant === b.tenant && a.domain === b.domain && a.selector === b.selector
