/**
 * Releases, as the supervisor leads them. That one begins is written down first, with the id that the message will have; a
 * worker puts it into its spool; that it is released is written down; then it is due. If we die in between, the next start asks
 * the spools for that id: there it is, and was released, or it is not, and can be released again. So nothing is lost, and nobody
 * gets it twice, unless it was delivered before that question: `RELEASE_DELAY_MS` is longer than a restart takes.
 */
import type { AskOnce, AskWorkers } from '#cli/serve/desk.ts'
import { mailboxKey, parseMailbox } from '#mail/address.ts'
import type { QuarantineAction } from '#mail/quarantine.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { GroupCommit } from '#store/group-commit.ts'
import type { OpenRelease, QuarantineEntry, QuarantineStore } from '#store/quarantine.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import type { ReleaseAnswer, ReleaseQuestion } from '../../relay/release.ts'
import { type Done, NOT_THERE, type ReleaseRequest } from './quarantine-requests.ts'

/** For a worker to read, scan, sign and store one message; it refuses to store after `WITHIN_MS`. */
const ASK_MS_MAX = 150_000
const WITHIN_MS = 120_000
/** A spool is read again after a start; a worker that is down is asked again after this. */
const SPOOLED_MS_MAX = 120_000
const AGAIN_MS = 10_000

export interface ReleasesParts {
  readonly store: QuarantineStore
  readonly commits: GroupCommit
  readonly wallMs: () => number
  readonly clock: Clock
  /** How many there are. */
  readonly workers: number
  readonly newTraceId: () => TraceId
  readonly note: (entry: QuarantineEntry, action: QuarantineAction, who: string, text: string) => Promise<void>
  readonly log: (line: string) => void
}

export class Releases {
  readonly #parts: ReleasesParts
  readonly #busy = new Set<string>()
  #closed = false
  #cancel: Cancel = () => {}
  #workers: AskWorkers = async () => []
  #once: AskOnce = async () => undefined

  constructor(parts: ReleasesParts) {
    this.#parts = parts
  }

  /** The workers can be asked; what was begun before the last end is settled. */
  started(workers: AskWorkers, once: AskOnce): void {
    this.#workers = workers
    this.#once = once
    for (const open of this.#parts.store.openReleases()) this.#settleSoon(open)
  }

  /** Nothing goes on by itself any more. */
  close(): void {
    this.#closed = true
    this.#cancel()
  }

  isBusy(id: string): boolean {
    return this.#busy.has(id) || this.#parts.store.isBeingReleased(id)
  }

  async release(request: ReleaseRequest): Promise<Done[]> {
    const done: Done[] = []
    for (const id of request.ids) done.push(await this.#releaseOne(id.toUpperCase(), request))
    return done
  }

  async #releaseOne(id: string, request: ReleaseRequest): Promise<Done> {
    const no = (text: string): Done => ({ id, done: false, text })
    if (this.isBusy(id)) return no('busy: it is being released, try again')
    return this.#alone(id, async () => {
      const entry = this.#parts.store.find(id)
      if (entry === undefined || (request.tenant !== undefined && entry.tenant !== request.tenant)) return no(NOT_THERE)
      const positions = chosen(entry, request)
      if (typeof positions === 'string') return no(positions)
      return this.#ask(entry, positions, request)
    })
  }

  async #ask(entry: QuarantineEntry, positions: readonly number[], request: ReleaseRequest): Promise<Done> {
    const { store, commits, wallMs, newTraceId, note } = this.#parts
    const { to, who, force, dryRun } = request
    const { id } = entry
    const text = `${to === undefined ? addresses(entry, positions) : to}${force ? ', --force' : ''}`
    const open: OpenRelease = {
      release: newTraceId(),
      id: entry.id,
      positions: to === undefined ? positions : [],
      who,
      text,
    }
    const question = { entry, positions, to, release: open.release, who, force, dryRun, withinMs: WITHIN_MS }
    if (!dryRun) await commits.run(() => store.begin(open, wallMs()))
    const answer = await this.#askWorker(question)
    if (answer === undefined) {
      const settled = dryRun ? 'no' : await this.#settle(open)
      if (settled === 'unknown') this.#settleSoon(open)
      return { id, done: settled === 'yes', text: NO_ANSWER[settled] }
    }
    if (answer.kind === 'would-release') return { id, done: false, text: `would release: ${answer.text}` }
    if (answer.kind === 'released') {
      await this.#released(entry, open, answer.others)
      return { id, done: true, text: `released as ${open.release}: ${answer.text}` }
    }
    if (!dryRun) {
      await commits.run(() => store.end(open, false, wallMs()))
      await note(entry, 'release-refused', who, `${text}: ${answer.text}`)
    }
    return { id, done: false, text: answer.text }
  }

  async #askWorker(question: ReleaseQuestion): Promise<ReleaseAnswer | undefined> {
    const answer = await this.#once('quarantine/release', question, ASK_MS_MAX)
    return answer?.kind === 'answer' ? (answer.body as ReleaseAnswer) : undefined
  }

  async #released(entry: QuarantineEntry, open: OpenRelease, others: readonly TraceId[]): Promise<void> {
    const { store, commits, wallMs, note } = this.#parts
    // Together, so that they are one commit.
    await Promise.all([
      commits.run(() => store.end(open, true, wallMs())),
      note(entry, 'released', open.who, `${open.text}, as ${open.release}`),
    ])
    const selection = { ids: [open.release, ...others] }
    await this.#workers('queue-act', { selection, action: { kind: 'flush' }, dryRun: false })
  }

  // Whether it is in a spool. What is not there now will not come: whoever was asked is gone, or too late to store it.
  async #settle(open: OpenRelease): Promise<'yes' | 'no' | 'unknown'> {
    const { store, commits, wallMs, note, log, workers } = this.#parts
    const answers = await this.#workers('quarantine/spooled', { id: open.release }, SPOOLED_MS_MAX)
    const entry = store.find(open.id)
    const isThere = answers.includes(true)
    if (!isThere && answers.length < workers) return 'unknown'
    if (entry !== undefined && isThere) {
      log(`release of ${open.id} as ${open.release}: it was begun and not written down, and is in the spool`)
      await this.#released(entry, open, [])
      return 'yes'
    }
    await commits.run(() => store.end(open, false, wallMs()))
    if (entry !== undefined) await note(entry, 'release-refused', open.who, `${open.text}: interrupted`)
    log(`release of ${open.id} as ${open.release} was interrupted; it is still in quarantine`)
    return 'no'
  }

  // Until then the message is busy: neither released nor deleted.
  #settleSoon(open: OpenRelease): void {
    const again = (): void => {
      if (!this.#closed) this.#cancel = this.#parts.clock.after(AGAIN_MS, () => this.#settleSoon(open))
    }
    const settling = this.#alone(open.id, async () => {
      if ((await this.#settle(open)) === 'unknown') again()
    })
    settling.catch((error: Error) => {
      this.#parts.log(`release of ${open.id} as ${open.release} is not settled: ${error.message}`)
      again()
    })
  }

  async #alone<T>(id: string, work: () => Promise<T>): Promise<T> {
    this.#busy.add(id)
    try {
      return await work()
    } finally {
      this.#busy.delete(id)
    }
  }
}

const NO_ANSWER = {
  yes: 'released',
  no: 'no worker answered in time; try again',
  unknown: 'no worker answered in time, and it is not yet known whether it is released; see vorposten quarantine show',
} as const

/** Positions in the envelope, or why there are none. To another address goes whatever was kept, once. */
function chosen(entry: QuarantineEntry, { recipient, to }: ReleaseRequest): readonly number[] | string {
  if (to !== undefined) return recipient === undefined ? [] : 'name --to or --recipient: another address gets one copy'
  const key = recipient === undefined ? undefined : keyOf(recipient)
  const wanted = entry.recipients.filter(({ address }) => key === undefined || address === key)
  if (wanted.length === 0) return `${recipient} is none of its recipients`
  const open = wanted.filter(({ releasedMs }) => releasedMs === undefined)
  const first = wanted[0]!
  if (open.length === 0) return `released already, as ${first.releasedAs}; with --to another address gets a copy`
  return open.map(({ position }) => position)
}

/** Of an address as people type it. */
export function keyOf(typed: string): string {
  const parsed = parseMailbox(typed)
  return parsed.ok ? mailboxKey(parsed.value) : typed.toLowerCase()
}

const addresses = (entry: QuarantineEntry, positions: readonly number[]): string =>
  entry.recipients
    .filter(({ position }) => positions.includes(position))
    .map(({ address }) => address)
    .join(', ')
