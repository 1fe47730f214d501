/** Asks the running program; if none runs, what can be answered from the disk is answered from there. */
import type { ControlRequest } from './control.ts'
import { EXIT, UserError } from './exit.ts'
import { answerOffline } from './queue-offline.ts'
import { controlRequest } from './serve/control-socket.ts'
import { controlPath } from './serve.ts'

/** For a bulk command on a large queue. */
const ANSWER_MS_MAX = 180_000

export async function askRunning(
  dataFolder: string,
  request: ControlRequest,
  offline = (asked: ControlRequest): unknown => answerOffline(dataFolder, asked),
): Promise<unknown> {
  try {
    return await controlRequest(controlPath(dataFolder), request, ANSWER_MS_MAX)
  } catch (error) {
    const notRunning =
      error instanceof UserError && error.exitCode === EXIT.unavailable && /not running/.test(error.message)
    if (!notRunning) throw error
    process.stderr.write('vorposten: the relay is not running; this is what its disk says\n')
    return offline(request)
  }
}
