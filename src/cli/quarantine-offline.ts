/**
 * `vorposten quarantine list`, `show`, `export` and `log` while the relay is down: read from its store, without touching it.
 * Nothing can be written down then: who can read the folder could as well read the files.
 */
import { existsSync } from 'node:fs'
import { readStore } from '#store/database.ts'
import { QuarantineReader } from '#store/quarantine.ts'
import { AccessLog } from '#store/quarantine-access.ts'
import { askRunning } from './ask-running.ts'
import { asked } from './clerks/asked.ts'
import { NOT_THERE, requests, type ShownEntry } from './clerks/quarantine-requests.ts'
import type { ControlRequest } from './control.ts'
import { EXIT, UserError } from './exit.ts'
import { storePath } from './folders.ts'

/** Asks the running program; what only reads is answered from the disk if none runs. */
export function askQuarantine(dataFolder: string, request: ControlRequest): Promise<unknown> {
  return askRunning(dataFolder, request, (offline) => {
    const what = offline.kind === 'desk' ? offline.about.slice('quarantine/'.length) : ''
    const body = offline.kind === 'desk' ? offline.body : undefined
    if (['list', 'log', 'show', 'export'].includes(what)) return fromDisk(storePath(dataFolder), what, body)
    const advice = 'Start it (vorposten serve): only it may change what is in quarantine.'
    throw new UserError('Vorposten is not running', advice, EXIT.unavailable)
  })
}

function fromDisk(path: string, what: string, body: unknown): unknown {
  if (!existsSync(path)) {
    throw new UserError(
      `there is no ${path}: nothing was kept yet`,
      'Start the relay: vorposten serve.',
      EXIT.unavailable,
    )
  }
  const store = readStore(path)
  try {
    if (what === 'log') return new AccessLog(store).list(asked(requests.log, body))
    const reader = new QuarantineReader(store)
    if (what === 'list') return reader.list(asked(requests.list, body))
    process.stderr.write('vorposten: it is not written down that you look at this\n')
    return shown(reader, asked(requests.look, body))
  } finally {
    store.close()
  }
}

function shown(reader: QuarantineReader, { id, tenant }: { id: string; tenant?: string | undefined }): ShownEntry {
  const entry = reader.find(id.toUpperCase())
  if (entry === undefined || (tenant !== undefined && entry.tenant !== tenant)) {
    throw new UserError(`${id}: ${NOT_THERE}`, `See what happened to it: vorposten trace ${id}`, EXIT.unavailable)
  }
  return { ...entry, trace: Buffer.from(entry.trace).toString('base64') }
}
