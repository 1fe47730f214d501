/**
 * The supervisor's desk in the simulated world: the real clerks of recipients, lists and outages over one database in
 * memory, asked by the one worker of `SimRelay`. It outlives the worker's deaths, as the supervisor does.
 */
import type { Shared, Worker, WorkerOptions } from '#cli/assemble.ts'
import { ListsClerk } from '#cli/clerks/lists.ts'
import { OutagesClerk, type WaitingQuestion } from '#cli/clerks/outages.ts'
import { type ChangedNotice, RecipientsClerk } from '#cli/clerks/recipients.ts'
import { PARTS } from '#cli/desk.ts'
import { type AskWorkers, type Clerk, Desk } from '#cli/serve/desk.ts'
import { followOutages, meetings, waitingFor } from '#cli/worker-outages.ts'
import type { Config } from '#config/config.ts'
import type { Notice } from '#mail/notice.ts'
import type { OutagesNews } from '#queue/outages.ts'
import { openStore } from '#store/database.ts'
import { OutagesStore } from '#store/outages.ts'
import { ListReader, RecipientLists } from '#store/recipient-lists.ts'
import { openNames } from '#store/remembered-names.ts'
import { steadyWallOf } from '#store/steady-wall.ts'
import type { Clock } from '#sys/clock.ts'
import type { Connect } from '#sys/wire.ts'

export interface OfficeParts {
  readonly config: Config
  readonly clock: Clock
  readonly random: () => number
  readonly connect: Connect
  readonly resolve: (name: string) => Promise<readonly string[]>
  /** Undefined: it is dead just now. */
  readonly worker: () => Worker | undefined
  readonly log: (line: string) => void
}

export class SimOffice {
  /** What the customers' postmasters were told. */
  readonly notices: Notice[] = []
  readonly shared: Shared
  readonly #desk: Desk<Config>
  readonly #clerks: readonly Clerk<Config>[]
  readonly #ask: AskWorkers

  constructor({ config, clock, random, connect, resolve, worker, log }: OfficeParts) {
    const store = openStore(':memory:', PARTS)
    openNames(store)
    const wall = steadyWallOf(store, clock)
    const recipients = new RecipientsClerk({ store, wall, clock, config, lists: new ListReader(store), log })
    const lists = new ListsClerk({
      config,
      lists: new RecipientLists(store),
      clock,
      fetch: () => {
        throw new Error('the simulated world has no directory')
      },
      readText: () => Promise.reject(new Error('the simulated world has no files')),
      changed: (domain) => recipients.directoryChanged(domain),
      log,
    })
    const outages = new OutagesClerk(config, {
      clock,
      random,
      connect,
      resolve,
      store: new OutagesStore(store),
      notify: (notice) => this.notices.push(notice),
      log,
    })
    const clerks: Clerk<Config>[] = [recipients, lists, outages]
    this.#desk = new Desk<Config>(clerks)
    // As over a pipe: nothing is shared but the store.
    const desk = async (about: string, body: unknown) =>
      structuredClone(await this.#desk.answer(0, about, structuredClone(body)))
    this.shared = { store, desk, workers: 1 }
    this.#ask = async (about: string, body: unknown) => {
      const alive = worker()
      return alive === undefined ? [] : [answer(alive, about, structuredClone(body))]
    }
    this.#clerks = clerks
  }

  begin(): void {
    for (const clerk of this.#clerks) {
      clerk.started?.(
        this.#ask,
        async () => undefined,
        async () => undefined,
      )
    }
  }

  /** For a worker that is being put together. */
  supervised(clock: Clock): Pick<WorkerOptions, 'follow' | 'met'> {
    const { desk } = this.shared
    return { follow: (outages) => followOutages(outages, desk, clock), met: meetings(desk, clock) }
  }

  /** As `vorposten recipients import --force` does it. */
  async import(domain: string, users: readonly string[]): Promise<void> {
    const upload = await this.#desk.command('lists/begin', { domain })
    const octets = Buffer.from(users.join('\n')).toString('base64')
    await this.#desk.command('lists/piece', { upload, octets })
    const done = await this.#desk.command('lists/end', { upload, dryRun: false, force: true })
    if ((done as { kind: string }).kind !== 'done') throw new Error(JSON.stringify(done))
  }
}

function answer(worker: Worker, about: string, body: unknown): unknown {
  switch (about) {
    case 'recipients/changed':
      return worker.recipientsChanged(body as ChangedNotice)
    case 'outages-news':
      return worker.outages.learn(body as OutagesNews)
    case 'outages-waiting':
      return waitingFor(worker.spool, body as WaitingQuestion)
    default:
      throw new Error(`the simulated worker does not answer ${about}`)
  }
}
