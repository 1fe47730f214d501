/**
 * The operator's HTTP port, on loopback by default: `/metrics` (Prometheus), `/healthz/live`, `/healthz/ready`. Three
 * answers to GET; the API and the portal of the control plane will not live here.
 */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Config } from '#config/config.ts'
import { exposition, METRICS_CONTENT_TYPE, merged, type Snapshot } from '#report/metrics.ts'
import { toUserError } from './exit.ts'
import type { Running } from './serve.ts'
import type { WorkerHealthAnswer } from './worker-main.ts'

/** A scrape must not wait for a worker that hangs. */
const ASK_MS_MAX = 2_000

/** Resolves when it listens; the result closes it. */
export async function serveHttp(address: Config['http']['address'], running: Running): Promise<() => void> {
  if (address === 'off') return () => {}
  const server = createServer({ requestTimeout: 5_000 }, (request, response) => {
    answer(request.method === 'GET' ? (request.url ?? '') : '', response, running).catch(() => {
      if (!response.headersSent) send(response, 500, 'the answer failed; see the log\n')
    })
  })
  await listening(server, address)
  return () => {
    server.closeAllConnections()
    server.close()
  }
}

function listening(server: Server, { address, port }: { address: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(toUserError(error) ?? error))
    server.listen(port, address, resolve)
  })
}

async function answer(url: string, response: ServerResponse, running: Running): Promise<void> {
  switch (url) {
    case '/metrics':
      return send(response, 200, await metrics(running), METRICS_CONTENT_TYPE)
    case '/healthz/live':
      return running.supervisor.live ? send(response, 200, 'live\n') : send(response, 503, 'a worker hangs\n')
    case '/healthz/ready': {
      const { sick, notes = [] } = await condition(running)
      return sick === undefined
        ? send(response, 200, `${['ready', ...notes].join('\n')}\n`)
        : send(response, 503, `${sick}\n`)
    }
    default:
      return send(response, 404, 'there are /metrics, /healthz/live and /healthz/ready\n')
  }
}

async function metrics(running: Running): Promise<string> {
  const answers = await running.supervisor.askAll('metrics', undefined, ASK_MS_MAX)
  const snapshots = answers.flatMap((a) => (a.kind === 'failed' ? [] : [a.body as Snapshot]))
  const workers = running.supervisor.health()
  const own: Snapshot = {
    vorposten_workers: {
      kind: 'gauge',
      help: 'Worker processes, by state',
      samples: Object.fromEntries(
        ['ready', 'starting', 'draining', 'dead'].map((state) => [
          `vorposten_workers{state="${state}"}`,
          workers.filter((worker) => worker.state === state).length,
        ]),
      ),
    },
    vorposten_worker_restarts_total: {
      kind: 'counter',
      help: 'Workers that died and were replaced',
      samples: { vorposten_worker_restarts_total: workers.reduce((sum, { restarts }) => sum + restarts, 0) },
    },
  }
  return exposition({ ...merged(snapshots), ...running.desk.metrics(), ...own })
}

interface Condition {
  readonly sick?: string | undefined
  /** Mail flows all the same. */
  readonly notes?: readonly string[]
}

/** A sick spool or scanner is a reason not to be ready: senders hear 4yz, so a load balancer should look elsewhere. */
async function condition(running: Running): Promise<Condition> {
  if (!running.supervisor.ready) return { sick: 'not all workers are ready' }
  const notes = new Set<string>()
  const answers = await running.supervisor.askAll('health', undefined, ASK_MS_MAX)
  for (const answer of answers) {
    if (answer.kind === 'failed') return { sick: `a worker does not answer: ${answer.text}` }
    const { spool, silentScanners, listsAside } = answer.body as WorkerHealthAnswer
    if (spool !== 'ok') return { sick: `the spool of a worker is ${spool}` }
    if (silentScanners.length > 0) return { sick: `a scanner does not answer: ${silentScanners.join(', ')}` }
    for (const list of listsAside) notes.add(`the DNS list ${list} is set aside`)
  }
  return { sick: await running.desk.sickness(), notes: [...notes] }
}

function send(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(text)
}
