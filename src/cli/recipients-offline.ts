/** `vorposten recipients show` while the relay is down: read from its store, without touching it. */
import { existsSync } from 'node:fs'
import type { Config } from '#config/config.ts'
import { directoryFrom } from '#config/directory.ts'
import { readStore } from '#store/database.ts'
import { RecipientFacts } from '#store/recipient-facts.ts'
import { steadyWallOf } from '#store/steady-wall.ts'
import { systemClock } from '#sys/clock.ts'
import { askRunning } from './ask-running.ts'
import type { ControlRequest } from './control.ts'
import { EXIT, UserError } from './exit.ts'
import { storePath } from './folders.ts'
import { lookUp, type Shown, subjectOf } from './recipients-show.ts'

/** Asks the running program; `show` is answered from the disk if none runs. */
export function askRecipients(config: Config, request: ControlRequest): Promise<unknown> {
  return askRunning(config.dataFolder, request, (asked) => {
    if (asked.kind === 'desk' && asked.about === 'recipients/show') {
      return showOffline(config, storePath(config.dataFolder), asked.body)
    }
    const advice = 'Start it (vorposten serve): only it may ask servers and change what it knows.'
    throw new UserError('Vorposten is not running', advice, EXIT.unavailable)
  })
}

function showOffline(config: Config, path: string, body: unknown): Shown {
  if (!existsSync(path)) {
    throw new UserError(
      `there is no ${path}: nothing was learned yet`,
      'Start the relay: vorposten serve.',
      EXIT.unavailable,
    )
  }
  const store = readStore(path)
  try {
    const { subject } = body as { subject: string }
    const nowMs = steadyWallOf(store, systemClock).now()
    return lookUp(subjectOf(subject), { directory: directoryFrom(config), facts: new RecipientFacts(store), nowMs })
  } finally {
    store.close()
  }
}
