/** For tests: the clerk of the quarantine on a folder and a store of its own, with a hand clock, and workers that the test plays. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Config } from '#config/config.ts'
import { content } from '#mail/content.ts'
import type { PathEvent } from '#mail/event.ts'
import type { KeepAnswer, Quarantined } from '#mail/quarantine.ts'
import { newTraceId, transaction, WALL_MS } from '#mail/testing.ts'
import { Contents } from '#quarantine/contents.ts'
import { DAY, HandClock } from '#queue/testing.ts'
import { openStore } from '#store/database.ts'
import { GroupCommit } from '#store/group-commit.ts'
import { QUARANTINE, type QuarantineRow } from '#store/quarantine.ts'
import { type AccessRow, QUARANTINE_ACCESS } from '#store/quarantine-access.ts'
import { type Disk, systemDisk } from '#sys/disk.ts'
import { QuarantineClerk } from './quarantine.ts'
import type { Done } from './quarantine-requests.ts'

const CONFIG = {
  quarantine: { keepMs: 30 * DAY, octetsMax: 100_000 },
  spool: { freeOctetsMin: 1000 },
  tenants: [{ name: 'bakery' }, { name: 'smith', quarantine: { keepMs: DAY, octetsMax: 10_000 } }],
} as unknown as Config

export interface BenchOptions {
  readonly disk?: Partial<Disk>
  /** What the workers say; by default nothing. */
  readonly worker?: (about: string, body: unknown) => Promise<unknown>
  readonly workers?: number
}

export async function quarantineBench(t: TestContext, { disk, worker, workers = 1 }: BenchOptions = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'quarantine-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const clock = new HandClock()
  const database = openStore(join(folder, 'store.db'), [QUARANTINE, QUARANTINE_ACCESS])
  const contents = new Contents(folder, { ...systemDisk, ...disk })
  const lines: string[] = []
  const told: Extract<PathEvent, { kind: 'quarantine' }>[] = []
  const asked = async (about: string, body: unknown): Promise<unknown> => {
    if (about === 'quarantine/tell') return void told.push(body as (typeof told)[number])
    return worker?.(about, body)
  }
  const start = () =>
    new QuarantineClerk({
      database,
      commits: new GroupCommit(database),
      contents,
      config: CONFIG,
      wallMs: () => clock.wall(),
      clock,
      newTraceId,
      workers,
      log: (line) => void lines.push(line),
    })
  const run = async (clerk: QuarantineClerk) => {
    await clerk.prepare()
    clerk.started(
      async (about, body) => [await asked(about, body)].filter((answer) => answer !== undefined),
      (about, body) => asked(about, body),
      async (about, body) => ({ kind: 'answer', body: await asked(about, body) }),
    )
    return clerk
  }
  const clerk = await run(start())
  t.after(async () => {
    await clerk.close()
    database.close()
  })
  const keep = async (text: string, more: Partial<Quarantined> = {}, by = clerk) => {
    const entry = quarantined({ id: newTraceId(), ...more })
    const hash = await contents.write(entry.id, content([Buffer.from(text)]))
    return { id: entry.id, hash, answer: (await by.answer('keep', { ...entry, hash })) as KeepAnswer }
  }
  const files = async () => (await Array.fromAsync(contents.hashes())).sort()
  return {
    ...commands(clerk),
    clock,
    clerk,
    contents,
    database,
    lines,
    told,
    keep,
    files,
    again: () => run(start()),
  }
}

/** What an operator asks of it. */
const commands = (clerk: QuarantineClerk) => ({
  list: async (query: object = {}) => (await clerk.command('list', { rowsMax: 100, ...query })) as QuarantineRow[],
  log: async () =>
    ((await clerk.command('log', { rowsMax: 100 })) as AccessRow[]).map(({ who, action }) => `${who} ${action}`),
  async act(what: 'release' | 'delete', ids: readonly string[], more: object = {}) {
    const options = what === 'release' ? { force: false, dryRun: false } : {}
    return (await clerk.command(what, { ids, who: 'anna', ...options, ...more })) as Done[]
  },
})

export function quarantined(more: Partial<Quarantined>): Quarantined {
  return {
    id: newTraceId(),
    tenant: 'bakery',
    service: 'inbound',
    class: 'malware',
    by: 'virus',
    text: 'malware Eicar in part 2 (clamd)',
    facts: [{ kind: 'malware', engine: 'clamd', name: 'Eicar', where: 'part 2' }],
    envelope: transaction([`anna@${more.tenant ?? 'bakery'}.test`]).envelope,
    reception: { clientAddress: '192.0.2.1', greetingName: 'x', protocol: 'ESMTP', receivedMs: WALL_MS },
    trace: Buffer.from('Received: x\r\n'),
    hash: '',
    octets: 100,
    ...more,
  }
}
