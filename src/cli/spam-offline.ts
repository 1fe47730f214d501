/** `vorposten spam …` while the relay is down: this command is the clerk, for as long as it runs. */
import { mkdir } from 'node:fs/promises'
import { openStore } from '#store/database.ts'
import { GroupCommit } from '#store/group-commit.ts'
import { systemClock } from '#sys/clock.ts'
import { systemDisk } from '#sys/disk.ts'
import { askRunning } from './ask-running.ts'
import { SpamClerk } from './clerks/spam.ts'
import type { ControlRequest } from './control.ts'
import { PARTS } from './desk.ts'
import { modelFolder, storePath } from './folders.ts'
import type { Ask } from './queue.ts'
import { lockFolder } from './serve/folder-lock.ts'

/** Whoever was not there at the first question of a command is not asked the others. */
export function asksSpam(dataFolder: () => Promise<string>): Ask {
  let isDown = false
  return async (request) => {
    const folder = await dataFolder()
    if (isDown) return offline(folder, request)
    return askRunning(folder, request, (asked) => {
      isDown = true
      return offline(folder, asked)
    })
  }
}

async function offline(dataFolder: string, request: ControlRequest): Promise<unknown> {
  if (request.kind !== 'desk') throw new Error(`nobody answers ${request.kind} here`)
  await mkdir(dataFolder, { recursive: true, mode: 0o700 })
  // Two of these commands at a time would make the same layer.
  const lock = await lockFolder(dataFolder)
  const database = openStore(storePath(dataFolder), PARTS)
  const clerk = new SpamClerk({
    database,
    commits: new GroupCommit(database),
    storePath: storePath(dataFolder),
    folder: modelFolder(dataFolder),
    disk: systemDisk,
    wallMs: () => Date.now(),
    clock: systemClock,
    log: (line) => void process.stderr.write(`vorposten: ${line}\n`),
  })
  try {
    return await clerk.command(request.about.slice('spam/'.length), request.body)
  } finally {
    await clerk.close()
    database.close()
    lock.close()
  }
}
