/**
 * The quarantine as a worker sees it: a message goes in, and its receipt comes out once content and metadata are synced. The
 * content is written here, in the worker, off its event loop; the supervisor moves it to its place and commits the entry.
 *
 * | what happens | then |
 * |---|---|
 * | the tenant's share is used up, or the disk is full | nothing is kept: 451, the sender's server keeps it |
 * | the disk fails | the same: 451 |
 * | the supervisor does not answer after it was asked to commit | nobody knows: no reply at all, as with the spool |
 */
import { type Content, head, withoutHead } from '#mail/content.ts'
import { QuarantineReceipt } from '#mail/custody.ts'
import type { KeepAnswer, Quarantined } from '#mail/quarantine.ts'
import type { Contents } from './contents.ts'

export interface KeeperDesk {
  /** Before anything is written; undefined: there is room. */
  room(tenant: string, octets: number): Promise<Unkept | undefined>
  /** A rejection says nothing about whether it was kept. */
  keep(entry: Quarantined): Promise<KeepAnswer>
}

export type Unkept = Exclude<KeepAnswer, { kind: 'kept' }>
export type Kept =
  | { readonly kind: 'kept'; readonly receipt: QuarantineReceipt }
  | Unkept
  | { readonly kind: 'uncertain'; readonly text: string }

export class Keeper {
  readonly #contents: Pick<Contents, 'write' | 'abandon'>
  readonly #desk: KeeperDesk

  constructor(contents: Pick<Contents, 'write' | 'abandon'>, desk: KeeperDesk) {
    this.#contents = contents
    this.#desk = desk
  }

  /** `content` begins with the `ownOctets` of what we put before it. Never rejects. */
  async keep(
    entry: Omit<Quarantined, 'hash' | 'trace' | 'octets'>,
    content: Content,
    ownOctets: number,
  ): Promise<Kept> {
    const { id, tenant } = entry
    const before = await this.#written(entry, content, ownOctets)
    if (before.kind !== 'written') return before
    try {
      const answer = await this.#desk.keep({ ...entry, ...before.piece })
      if (answer.kind === 'kept') return { kind: 'kept', receipt: QuarantineReceipt.afterSync(id) }
      await this.#contents.abandon(id)
      return answer
    } catch (error) {
      // The supervisor may be about to move the file: it is left where it is.
      return { kind: 'uncertain', text: `${tenant}: ${(error as Error).message}` }
    }
  }

  async #written({ id, tenant }: Pick<Quarantined, 'id' | 'tenant'>, content: Content, ownOctets: number) {
    try {
      const refused = await this.#desk.room(tenant, content.octets)
      if (refused !== undefined) return refused
      const hash = await this.#contents.write(id, withoutHead(content, ownOctets))
      const trace = Uint8Array.from(head(content, ownOctets).subarray(0, ownOctets))
      return { kind: 'written', piece: { hash, trace, octets: content.octets } } as const
    } catch (error) {
      return { kind: 'failed', text: (error as Error).message } as const
    }
  }
}
