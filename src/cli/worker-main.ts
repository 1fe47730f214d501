/** The worker process: its content, for the supervisor. What it is made of stands in assemble.ts. */
import { flushCompileCache } from 'node:module'
import type { Config } from '#config/config.ts'
import type { Action, Selection } from '#queue/operations.ts'
import { readStore } from '#store/database.ts'
import { assembleWorker, realOutside, type Worker } from './assemble.ts'
import type { ChangedNotice, ProbeQuestion } from './clerks/recipients.ts'
import { storePath } from './folders.ts'
import { runWorker, type WorkerParts } from './serve/worker.ts'

/** What the supervisor asks of a worker: `about`, with its body and answer. */
export interface WorkerQuestions {
  'queue-list': { body: { selection: Selection; rowsMax: number } }
  'queue-show': { body: { id: string } }
  'queue-act': { body: { selection: Selection; action: Action; dryRun: boolean } }
  'recipients/changed': { body: ChangedNotice }
  'recipients/probe': { body: ProbeQuestion }
  metrics: { body: undefined }
  health: { body: undefined }
}

export interface WorkerHealthAnswer {
  readonly spool: 'ok' | 'full' | 'broken'
}

runWorker(async ({ settings, workers, ...context }, desk) => {
  const config = settings as Config
  // The supervisor has made it.
  const shared = { store: readStore(storePath(config.dataFolder)), desk, workers }
  const worker = await assembleWorker({ config, ...context }, { ...realOutside(), shared })
  await worker.acceptor.prepare()
  return partsOf(worker)
})

function partsOf(worker: Worker): WorkerParts {
  return {
    async listen() {
      await worker.acceptor.listen()
      // Node writes it at exit only, and a worker may be killed.
      flushCompileCache()
    },
    reload: (settings) => worker.reload(settings as Config),
    drain: () => worker.drain(),
    ask: (about, body) => answer(worker, about as keyof WorkerQuestions, body),
    status: () => ({ sessions: worker.acceptor.sessions, lagMs: worker.acceptor.lagMs }),
  }
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
    case 'metrics':
      return worker.report.metrics.snapshot()
    case 'health':
      return { spool: worker.spool.health.kind } satisfies WorkerHealthAnswer
  }
}
