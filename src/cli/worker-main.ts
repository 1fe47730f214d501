/** The worker process: its content, for the supervisor. What it is made of stands in assemble.ts. */
import { flushCompileCache } from 'node:module'
import type { Config } from '#config/config.ts'
import type { PathEvent } from '#mail/event.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { HeldList, HeldSummary, HoldsQuestion } from '#queue/holds.ts'
import type { Action, Selection } from '#queue/operations.ts'
import type { Outages, OutagesNews } from '#queue/outages.ts'
import { readStore } from '#store/database.ts'
import { systemClock } from '#sys/clock.ts'
import type { ReleaseQuestion } from '../relay/release.ts'
import { assembleWorker, realOutside, type Worker } from './assemble.ts'
import { listsAside } from './assemble-spam-lists.ts'
import type { WaitingQuestion } from './clerks/outages.ts'
import type { ChangedNotice, ProbeQuestion } from './clerks/recipients.ts'
import type { SpamMemoryNews } from './clerks/spam-memory.ts'
import { storePath } from './folders.ts'
import type { NoticeQuestion } from './notices.ts'
import { type AskDesk, runWorker, type WorkerParts } from './serve/worker.ts'
import { followOutages, meetings, waitingFor } from './worker-outages.ts'

/** What the supervisor asks of a worker: `about`, with its body and answer. */
export interface WorkerQuestions {
  'queue-list': { body: { selection: Selection; rowsMax: number } }
  'queue-show': { body: { id: string } }
  'queue-act': { body: { selection: Selection; action: Action; dryRun: boolean } }
  'recipients/changed': { body: ChangedNotice }
  'recipients/probe': { body: ProbeQuestion }
  'dkim/changed': { body: undefined }
  'domains/changed': { body: undefined }
  'sts/changed': { body: undefined }
  /** An operator tries a password: answered with `PasswordAnswer`. */
  'credentials/check': { body: { login: string; password: string } }
  /** A login was locked or unlocked: how many of its messages were held or released. */
  'credentials/locked': { body: { tenant: string; login: string } }
  'credentials/unlocked': { body: { login: string } }
  'outages-news': { body: OutagesNews }
  'outages-waiting': { body: WaitingQuestion }
  'outages-flush': { body: { routes: readonly string[] } }
  /** Mail in hold, for a digest: answered with `HeldList`. */
  'holds/list': { body: HoldsQuestion }
  /** By tenant: answered with a record of `HeldSummary`. */
  'holds/summary': { body: undefined }
  /** A message of ours to a tenant's postmaster: answered with its trace id, or refused with the reason. */
  'notices/send': { body: NoticeQuestion }
  /** Out of quarantine, into the spool: answered with `ReleaseAnswer`. */
  'quarantine/release': { body: ReleaseQuestion }
  /** Is this message in the spool? Waits for the end of its replay. */
  'quarantine/spooled': { body: { id: TraceId } }
  /** For log and trace. */
  'quarantine/tell': { body: PathEvent }
  /** What other workers' spam filters saw, and what people said. */
  'spam-memory/news': { body: SpamMemoryNews }
  metrics: { body: undefined }
  health: { body: undefined }
}

export type { HeldList, HeldRecipientRow, HeldRow, HeldSummary, HoldsQuestion } from '#queue/holds.ts'
export type { NoticeQuestion } from './notices.ts'

/** Less than what the health page waits for a worker. */
const SCANNER_CHECK_MS_MAX = 1_000

export interface WorkerHealthAnswer {
  readonly spool: 'ok' | 'full' | 'broken'
  /** Scanners that do not answer, and why. */
  readonly silentScanners: readonly string[]
  /** DNS lists that count nothing now, and why. */
  readonly listsAside: readonly string[]
}

runWorker(async ({ settings, workers, ...context }, desk) => {
  const config = settings as Config
  // The supervisor has made it.
  const shared = { store: readStore(storePath(config.dataFolder)), desk, workers }
  const own = {
    flushAll: (routes: readonly string[]) => flushAll(desk, routes),
    met: meetings(desk, systemClock),
    follow: (outages: Outages) => followOutages(outages, desk, systemClock),
  }
  let { nameServers } = config
  const outside = { ...realOutside(() => nameServers), shared }
  const worker = await assembleWorker({ config, ...context, workers, ...own }, outside)
  await worker.acceptor.prepare()
  return partsOf(worker, (next) => {
    nameServers = next.nameServers
  })
})

// Also the other workers have mail for the server that asks.
async function flushAll(desk: AskDesk, routes: readonly string[]): Promise<number> {
  return ((await desk('outages/flush', { routes })) as { waiting: number }).waiting
}

function partsOf(worker: Worker, reloaded: (config: Config) => void): WorkerParts {
  return {
    async listen() {
      await worker.acceptor.listen()
      // Node writes it at exit only, and a worker may be killed.
      flushCompileCache()
    },
    reload(settings) {
      reloaded(settings as Config)
      return worker.reload(settings as Config)
    },
    drain: () => worker.drain(),
    ask: (about, body) => answer(worker, about as keyof WorkerQuestions, body),
    status: () => ({ sessions: worker.acceptor.sessions, lagMs: worker.acceptor.lagMs }),
  }
}

// Who asks for health must not wait for a scanner: what is not known in time is as it was.
async function silentScanners({ scanners }: Worker): Promise<string[]> {
  const wall = scanners()
  if (wall === undefined) return []
  const late = new Promise<void>((resolve) => systemClock.after(SCANNER_CHECK_MS_MAX, resolve))
  await Promise.race([wall.check(), late])
  return wall.states().flatMap(({ name, silent }) => (silent === undefined ? [] : [`${name} (${silent})`]))
}

const healthOf = async (worker: Worker): Promise<WorkerHealthAnswer> => ({
  spool: worker.spool.health.kind,
  silentScanners: await silentScanners(worker),
  listsAside: listsAside(worker.spamLists()),
})

async function isSpooled({ spool }: Worker, { id }: WorkerQuestions['quarantine/spooled']['body']): Promise<boolean> {
  await spool.replayed
  return spool.get(id) !== undefined
}

async function answer(worker: Worker, about: keyof WorkerQuestions, body: unknown): Promise<unknown> {
  switch (about) {
    case 'queue-list': {
      const { selection, rowsMax } = body as WorkerQuestions['queue-list']['body']
      return worker.operations.list(selection, rowsMax)
    }
    case 'queue-show':
      return worker.operations.show((body as WorkerQuestions['queue-show']['body']).id)
    case 'queue-act': {
      const { selection, action, dryRun } = body as WorkerQuestions['queue-act']['body']
      return worker.operations.act(selection, action, dryRun)
    }
    case 'recipients/changed':
      return worker.recipientsChanged(body as ChangedNotice)
    case 'recipients/probe':
      return worker.probeRecipient(body as ProbeQuestion)
    case 'dkim/changed':
    case 'domains/changed':
      return worker.rightsChanged()
    case 'sts/changed':
      return worker.stsChanged()
    case 'credentials/check': {
      const { login, password } = body as WorkerQuestions['credentials/check']['body']
      return worker.credentials?.check(login, password)
    }
    case 'credentials/locked': {
      const { tenant, login } = body as WorkerQuestions['credentials/locked']['body']
      return worker.lockedMail.hold(tenant, login)
    }
    case 'credentials/unlocked':
      return worker.lockedMail.release((body as WorkerQuestions['credentials/unlocked']['body']).login)
    case 'outages-news':
      return worker.outages.learn(body as OutagesNews)
    case 'outages-waiting':
      return waitingFor(worker.spool, body as WaitingQuestion)
    case 'outages-flush':
      return worker.operations.flushRoutes((body as WorkerQuestions['outages-flush']['body']).routes)
    case 'holds/list':
      return worker.holds.list(body as HoldsQuestion) satisfies Promise<HeldList>
    case 'holds/summary':
      return worker.holds.summary() satisfies Record<string, HeldSummary>
    case 'notices/send': {
      const sent = await worker.sendNotice(body as NoticeQuestion)
      if (sent.kind === 'refused') throw new Error(sent.text)
      return sent.id
    }
    case 'quarantine/release':
      return worker.release(body as ReleaseQuestion)
    case 'quarantine/spooled':
      return isSpooled(worker, body as WorkerQuestions['quarantine/spooled']['body'])
    case 'quarantine/tell':
      return worker.report.report(body as PathEvent)
    case 'spam-memory/news':
      return worker.spam?.news(body as SpamMemoryNews)
    case 'metrics':
      return worker.report.metrics.snapshot()
    case 'health':
      return healthOf(worker)
  }
}
