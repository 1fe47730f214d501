/** `vorposten serve`: the configuration, the workers, the HTTP port, the control socket, put together. */
import type { Config } from '#config/config.ts'
import { pruneTrace } from '#report/trace-files.ts'
import { systemClock } from '#sys/clock.ts'
import { acceptSettings } from './accept-settings.ts'
import { configFor } from './configuration.ts'
import { answerControl } from './control.ts'
import { openDesk } from './desk.ts'
import type { ExitCode } from './exit.ts'
import { compileCacheFolder, traceFolder } from './folders.ts'
import { serveHttp } from './http.ts'
import { type ServePlan, serve } from './serve.ts'

const PRUNE_MS = 600_000

export async function serveCommand(file: string): Promise<ExitCode> {
  const { dataFolder } = await configFor(file)
  const log = (line: string): void =>
    void process.stdout.write(`${new Date().toISOString()} vorposten/supervisor[${process.pid}]: ${line}\n`)
  const module = new URL('./worker-main.ts', import.meta.url).pathname
  return serve({
    program: { module, args: [], cacheFolder: compileCacheFolder(dataFolder) },
    load: async () => planOf(await configFor(file, log)),
    openDesk: (plan) => openDesk(plan.settings as Config, log),
    control: answerControl,
    async started(running, plan) {
      const config = plan.settings as Config
      const closeHttp = await serveHttp(config.http.address, running)
      const stopPruning = pruneNowAndThen(traceFolder(config.dataFolder))
      return () => {
        stopPruning()
        closeHttp()
      }
    },
    log,
  })
}

const planOf = (config: Config): ServePlan => ({
  dataFolder: config.dataFolder,
  workers: config.workers,
  listeners: acceptSettings(config).listeners,
  settings: config,
})

function pruneNowAndThen(folder: string): () => void {
  let cancel = () => {}
  const prune = async (): Promise<void> => {
    // A disk that fails is told by the spool; old traces are no reason to say it again.
    await pruneTrace(folder, systemClock.wall()).catch(() => {})
    cancel = systemClock.after(PRUNE_MS, () => void prune())
  }
  void prune()
  return () => cancel()
}
