/**
 * The clerk of what the spam filter learns: writes lessons down, and has layers made from them in a thread, one after the
 * other. A layer is new a second after the last lesson of a row, and at the latest `MAKE_MS_MAX` after the first; workers
 * find the file by themselves. That a layer has to be made is written with the lessons: after a crash it is made then.
 *
 * When the provider's lessons lose a source, or get others from a file, all layers of tenants are made again: they stand on them.
 */
import { createHash } from 'node:crypto'
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Clerk } from '#cli/serve/desk.ts'
import type { Made, Making } from '#scan/spam/classifier/making.ts'
import { globalFile, tenantFile } from '#scan/spam/classifier/models.ts'
import { unpacked } from '#scan/spam/classifier/packing.ts'
import type { Database } from '#store/database.ts'
import type { GroupCommit } from '#store/group-commit.ts'
import { GLOBAL, LessonStore, type StoredLesson } from '#store/spam-lessons.ts'
import type { Cancel, Clock } from '#sys/clock.ts'
import type { Disk } from '#sys/disk.ts'
import { asked, notUnderstood } from './asked.ts'
import { type ExportedLesson, requests, type StatsAnswer, type Teaching, type TrainAnswer } from './spam-requests.ts'

const MAKE_MS = 1_000
const MAKE_MS_MAX = 10_000
const EXPORT_ROWS = 200
const THREAD = new URL('../../scan/spam/classifier/making-thread.ts', import.meta.url)

export interface SpamClerkParts {
  readonly database: Database
  readonly commits: GroupCommit
  readonly storePath: string
  /** Of the layers. */
  readonly folder: string
  readonly disk: Pick<Disk, 'open' | 'rename' | 'syncFolder' | 'makeFolder' | 'unlink'>
  /** Never goes back. */
  readonly wallMs: () => number
  readonly clock: Clock
  readonly log: (line: string) => void
}

export class SpamClerk<Settings = unknown> implements Clerk<Settings> {
  readonly subject = 'spam'
  readonly #parts: SpamClerkParts
  readonly #store: LessonStore
  #cancel: Cancel = () => {}
  #firstMs: number | undefined
  #making: Promise<void> | undefined
  #closed = false

  constructor(parts: SpamClerkParts) {
    this.#parts = parts
    this.#store = new LessonStore(parts.database)
  }

  started(): void {
    if (this.#store.toMake().length > 0) this.#makeSoon()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancel()
    this.#parts.commits.flush()
    await this.#making
  }

  async answer(what: string, body: unknown): Promise<unknown> {
    if (what !== 'learn') throw new Error(`no question about spam: ${what}`)
    const atMs = this.#parts.wallMs()
    await this.#learn((body as readonly Teaching[]).map((teaching) => ({ ...teaching, atMs })))
    return undefined
  }

  async command(what: string, body: unknown): Promise<unknown> {
    switch (what) {
      case 'train': {
        const { tenant = GLOBAL, source, lessons } = asked(requests.train, body)
        const told = { tenant, source, teacher: 'operator', atMs: this.#parts.wallMs() }
        return this.#learn(lessons.map(({ isSpam, features }) => ({ ...told, isSpam, features: octetsOf(features) })))
      }
      case 'import': {
        const { tenant = GLOBAL, lessons } = asked(requests.import, body)
        return this.#learn(
          lessons.map((one) => ({ ...one, tenant, features: octetsOf(one.features) })),
          true,
        )
      }
      case 'export': {
        const { tenant = GLOBAL, after } = asked(requests.export, body)
        return this.#export(tenant, after)
      }
      case 'undo':
        return this.#undo(body)
      case 'stats':
        return this.#stats(asked(requests.stats, body).tenant)
      case 'settle':
        asked(requests.settle, body)
        await this.settle()
        return null
      default:
        throw notUnderstood(what)
    }
  }

  /** Resolves when all layers are those of the lessons. */
  async settle(): Promise<void> {
    this.#cancel()
    await this.#making
    await this.#makeAll()
  }

  async #learn(lessons: readonly Omit<StoredLesson, 'hash'>[], isImport = false): Promise<TrainAnswer> {
    const answer = { learned: 0, known: 0, tooMany: 0 }
    const sound = lessons.filter(({ features }) => unpacked(features) !== undefined)
    if (sound.length < lessons.length) throw notUnderstood('a lesson is damaged')
    await this.#parts.commits.run(() => {
      const changed = new Set<string>()
      for (const lesson of sound) {
        const said = this.#store.learn({ ...lesson, hash: hashOf(lesson.features) }, isImport)
        answer[said === 'too-many' ? 'tooMany' : said]++
        if (said === 'learned') changed.add(lesson.tenant)
      }
      for (const tenant of changed) {
        this.#store.evict(tenant)
        this.#store.changed(tenant)
        if (isImport && tenant === GLOBAL) this.#allChanged()
      }
    })
    if (answer.learned > 0) this.#makeSoon()
    return answer
  }

  async #undo(body: unknown): Promise<{ readonly forgotten: number }> {
    const { tenant = GLOBAL, source, teacher, sinceMs } = asked(requests.undo, body)
    const forgotten = await this.#parts.commits.run(() => {
      const count = this.#store.undo(tenant, source, teacher, sinceMs)
      if (count > 0) this.#store.changed(tenant)
      if (count > 0 && tenant === GLOBAL) this.#allChanged()
      return count
    })
    if (forgotten > 0) this.#makeSoon()
    return { forgotten }
  }

  #allChanged(): void {
    for (const tenant of this.#store.tenants()) this.#store.changed(tenant)
  }

  #export(tenant: string, after: number): { readonly lessons: readonly ExportedLesson[]; readonly after?: number } {
    const page = this.#store.page(tenant, after, EXPORT_ROWS)
    const lessons = page.map(({ isSpam, teacher, source, atMs, features }) => ({
      ...{ isSpam, teacher, source, atMs },
      features: Buffer.from(features).toString('base64'),
    }))
    const last = page.at(-1)
    return { lessons, ...(last !== undefined && page.length === EXPORT_ROWS && { after: last.id }) }
  }

  async #stats(only: string | undefined): Promise<StatsAnswer> {
    const names = only === undefined ? [...new Set([GLOBAL, ...this.#store.tenants()])] : [only]
    const tenants = names.map(async (name) => {
      const sources = this.#store.sources(name)
      const layerOctets = (await stat(this.#file(name)).catch(() => undefined))?.size
      return {
        ...(name !== GLOBAL && { tenant: name }),
        ham: sources.reduce((sum, { ham }) => sum + ham, 0),
        spam: sources.reduce((sum, { spam }) => sum + spam, 0),
        ...(layerOctets !== undefined && { layerOctets }),
        sources,
      }
    })
    return { tenants: await Promise.all(tenants) }
  }

  #makeSoon(): void {
    if (this.#closed) return
    const nowMs = this.#parts.clock.monotonic()
    this.#firstMs ??= nowMs
    this.#cancel()
    const waitMs = Math.min(MAKE_MS, Math.max(0, this.#firstMs + MAKE_MS_MAX - nowMs))
    this.#cancel = this.#parts.clock.after(waitMs, () => void this.#makeAll())
  }

  /** One after the other, whoever asks. */
  #makeAll(): Promise<void> {
    this.#firstMs = undefined
    const before = this.#making ?? Promise.resolve()
    const making = before.then(async () => {
      // Everybody's first: the others stand on it.
      const names = this.#store.toMake()
      for (const tenant of [...names.filter((name) => name === GLOBAL), ...names.filter((name) => name !== GLOBAL)]) {
        if (!this.#closed) await this.#make(tenant)
      }
    })
    this.#making = making
    return making
  }

  async #make(tenant: string): Promise<void> {
    const { commits, storePath, folder, log } = this.#parts
    try {
      // What is taught while it is being made changes it again.
      await commits.run(() => this.#store.made(tenant))
      const made = await inThread({ storePath, folder, tenant })
      if (made.kind === 'none') await rm(this.#file(tenant), { force: true })
      else await this.#write(this.#file(tenant), Buffer.from(made.file))
    } catch (error) {
      log(`spam: what ${tenant === GLOBAL ? 'all' : tenant} taught was not made use of: ${(error as Error).message}`)
      await commits.run(() => this.#store.changed(tenant)).catch(() => {})
    }
  }

  #file(tenant: string): string {
    return tenant === GLOBAL ? globalFile(this.#parts.folder) : tenantFile(this.#parts.folder, tenant)
  }

  async #write(path: string, octets: Buffer): Promise<void> {
    const { disk, folder } = this.#parts
    const draft = join(folder, 'draft')
    await disk.makeFolder(folder)
    await rm(draft, { force: true })
    const file = await disk.open(draft, 'create')
    try {
      await file.writeAll([octets], 0)
      await file.datasync()
    } finally {
      await file.close()
    }
    await disk.rename(draft, path)
    await disk.syncFolder(folder)
  }
}

const octetsOf = (base64: string): Uint8Array => Buffer.from(base64, 'base64')

/** Copies of a message to several recipients have the same features. */
const hashOf = (features: Uint8Array): string => createHash('sha256').update(features).digest('hex').slice(0, 32)

function inThread(making: Making): Promise<Made> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(THREAD, { workerData: making })
    thread.once('message', resolve)
    thread.once('error', reject)
    thread.once('exit', () => reject(new Error('the thread ended without an answer')))
  })
}
