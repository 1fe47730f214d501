/**
 * Lists on their way in: an operator's tool sends the file in pieces, each is read and staged at once, and the last
 * request says what is to become of it. Pieces are small, so that the supervisor is never busy for long; an upload that
 * falls silent is dropped.
 *
 * Limits: `UPLOADS_MAX` at a time, `SILENCE_MS_MAX` between two pieces.
 */
import { EXIT, UserError } from '#cli/exit.ts'
import { ListFile, type ListFormat } from '#recipients/list-file.ts'
import type { RecipientLists, StagedList } from '#store/recipient-lists.ts'
import type { Cancel, Clock } from '#sys/clock.ts'

/** An operator has one; scripts may have a few. */
const UPLOADS_MAX = 8
/** A tool that reads from a slow pipe still sends something now and then. */
const SILENCE_MS_MAX = 120_000

export interface Upload {
  readonly domain: string
  readonly file: ListFile
  readonly staged: StagedList
  cancel: Cancel
}

export class ListUploads {
  readonly #lists: RecipientLists
  readonly #clock: Clock
  readonly #uploads = new Map<number, Upload>()
  #lastId = 0

  constructor(lists: RecipientLists, clock: Clock) {
    this.#lists = lists
    this.#clock = clock
  }

  begin(domain: string, format: ListFormat | undefined): number {
    if (this.#uploads.size >= UPLOADS_MAX) {
      throw new UserError(
        'too many lists are being imported',
        'Wait until one is done, then try again.',
        EXIT.unavailable,
      )
    }
    const file = new ListFile(format === undefined ? { domain } : { domain, format })
    const id = ++this.#lastId
    const staged = this.#lists.stage(domain)
    this.#uploads.set(id, { domain, file, staged, cancel: () => {} })
    this.#listen(id)
    return id
  }

  /** True: send no more, the list is faulty. */
  async piece(id: number, octets: Uint8Array): Promise<boolean> {
    const { file, staged } = this.#find(id)
    this.#listen(id)
    const entries = file.push(octets)
    if (file.faults.length === 0) await staged.add(entries)
    return file.over
  }

  /** The upload is complete, and its caller's to commit or discard. */
  async end(id: number): Promise<Upload> {
    const upload = this.#find(id)
    upload.cancel()
    this.#uploads.delete(id)
    const entries = upload.file.end()
    if (upload.file.faults.length === 0) await upload.staged.add(entries)
    return upload
  }

  async close(): Promise<void> {
    for (const { cancel } of this.#uploads.values()) cancel()
    // What they staged is swept at the next start.
    this.#uploads.clear()
  }

  #find(id: number): Upload {
    const upload = this.#uploads.get(id)
    if (upload !== undefined) return upload
    throw new UserError('this import is over', 'Start it again; the list in force has not changed.', EXIT.unavailable)
  }

  #listen(id: number): void {
    const upload = this.#find(id)
    upload.cancel()
    upload.cancel = this.#clock.after(SILENCE_MS_MAX, () => {
      this.#uploads.delete(id)
      void upload.staged.discard().catch(() => {})
    })
  }
}
