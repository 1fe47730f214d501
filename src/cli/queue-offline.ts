/**
 * `vorposten queue list` and `queue show` while the relay is down: read from the spool folders, without touching them.
 * Everything that changes something needs the running program.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoredMessage } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'
import { Operations, type OperationsParts } from '#queue/operations.ts'
import { readSpoolFolder, type SpoolFolder } from '#spool/folder.ts'
import { systemDisk } from '#sys/disk.ts'
import type { ControlRequest } from './control.ts'
import { EXIT, UserError } from './exit.ts'

export async function answerOffline(dataFolder: string, request: ControlRequest): Promise<unknown> {
  if (request.kind !== 'queue-list' && request.kind !== 'queue-show') {
    throw new UserError(
      'Vorposten is not running',
      'Start it (vorposten serve): only it may change its queue.',
      EXIT.unavailable,
    )
  }
  const root = join(dataFolder, 'spool')
  const names = (await readdir(root)).filter((name) => /^\d+$/.test(name))
  const folders = await Promise.all(names.map((name) => readSpoolFolder(join(root, name), systemDisk)))
  const operations = new Operations(partsOf(folders))
  try {
    if (request.kind === 'queue-show') return (await operations.show(request.id)) ?? null
    return await operations.list(request.selection, request.rowsMax)
  } finally {
    await Promise.all(folders.map((folder) => folder.close()))
  }
}

function partsOf(folders: readonly SpoolFolder[]): OperationsParts {
  const holder = (id: TraceId) => folders.find((folder) => folder.get(id) !== undefined)
  return {
    queue: { nowMs: Date.now, isUnderWay: () => false, flush: () => false },
    keep: {
      get: (id) => holder(id)?.get(id),
      change: () => {
        throw new Error('the spool is read-only while the relay is down')
      },
      async load(id): Promise<StoredMessage | undefined> {
        const result = await holder(id)?.read(id)
        return result?.kind === 'stored' ? result.message : undefined
      },
    },
    entries: () => folders.flatMap((folder) => [...folder.entries]),
    route: () => undefined,
    domain: () => undefined,
    keptUntilMs: () => undefined,
    wake: () => {},
    report: () => {},
  }
}
