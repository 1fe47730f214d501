/**
 * What waits in the log's lines: a new message, a note of a message's present state, a copy made by compaction, and
 * statements about other segments. Each knows its record and what becomes true when it is synced.
 */

import { type Content, content as contentOf } from '#mail/content.ts'
import { SpoolReceipt } from '#mail/custody.ts'
import { isPrompt } from '#mail/priority.ts'
import type { NewMessage } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { SpoolError } from './contract.ts'
import { Entry } from './entry.ts'
import type { Ledger } from './ledger.ts'
import type { LogItem } from './log.ts'
import { type End, encodeEnd, encodeMessage, encodeSettled, encodeState } from './payload.ts'
import type { StoredRecord } from './reader.ts'
import type { Recent } from './recent.ts'
import type { EncodedRecord } from './record.ts'
import type { Segment } from './segment.ts'

export interface Store {
  readonly ledger: Ledger
  readonly recent: Recent
}

/** A message whose sender waits. */
export class NewMessageItem implements LogItem {
  readonly #store: Store
  readonly #message: NewMessage
  readonly #content: Content
  readonly #firstAttemptMs: number
  readonly #record: EncodedRecord
  readonly #resolve: (receipt: SpoolReceipt) => void
  readonly #reject: (error: SpoolError) => void

  constructor(
    store: Store,
    message: NewMessage,
    content: Content,
    firstAttemptMs: number,
    resolve: (receipt: SpoolReceipt) => void,
    reject: (error: SpoolError) => void,
  ) {
    this.#store = store
    this.#message = message
    this.#content = content
    this.#firstAttemptMs = firstAttemptMs
    this.#resolve = resolve
    this.#reject = reject
    // Here, not in `encode`: while a sync is under way there is time for checksums.
    this.#record = encodeMessage(message, this.#standing, content)
  }

  get #standing() {
    const { route } = this.#message
    const nextAttemptMs = this.#firstAttemptMs
    return { turn: 0, route, attempts: 0, nextAttemptMs, recipients: undefined, lastText: undefined }
  }

  encode(): EncodedRecord {
    return this.#record
  }

  durable(segment: Segment, position: number): void {
    const { ledger, recent } = this.#store
    const message = this.#message
    const facts = {
      id: message.id,
      tenant: ledger.texts.of(message.tenant),
      receivedMs: message.reception.receivedMs,
      octets: this.#content.octets,
      recipientCount: message.envelope.recipients.length,
      prompt: isPrompt(message),
    }
    const standing = { ...this.#standing, route: ledger.texts.of(message.route) }
    ledger.admit(new Entry(facts, standing, segment, position, this.#record.octets))
    recent.put(message, this.#content)
    this.#resolve(SpoolReceipt.afterSync(message.id))
  }

  failed(error: SpoolError): boolean {
    this.#reject(error)
    return false
  }
}

/** The present state of a message, whatever it is when the batch is put together. */
export class StateItem implements LogItem {
  readonly #ledger: Ledger
  readonly #entry: Entry
  #settled = false

  private constructor(ledger: Ledger, entry: Entry) {
    this.#ledger = ledger
    this.#entry = entry
  }

  /** Undefined while an earlier note of this message still waits: it will tell the newer state. */
  static of(ledger: Ledger, entry: Entry): StateItem | undefined {
    if (entry.noted) return undefined
    entry.noted = true
    return new StateItem(ledger, entry)
  }

  encode(): EncodedRecord {
    this.#entry.noted = false
    this.#settled = this.#entry.settled
    const { id, standing } = this.#entry
    return this.#settled ? encodeSettled([id]) : encodeState(id, standing)
  }

  durable(segment: Segment): void {
    if (this.#settled) this.#ledger.settled(this.#entry, segment)
    else this.#ledger.stateMoved(this.#entry, segment)
  }

  failed(): boolean {
    if (this.#entry.noted) return false
    this.#entry.noted = true
    return true
  }
}

/** A live message of a sparse segment, with its state. */
export class CopyItem implements LogItem {
  readonly #ledger: Ledger
  readonly #entry: Entry
  readonly #from: Segment
  readonly #stored: StoredRecord
  readonly #done: (copied: boolean) => void
  #octets = 0

  constructor(ledger: Ledger, entry: Entry, stored: StoredRecord, done: (copied: boolean) => void) {
    this.#ledger = ledger
    this.#entry = entry
    this.#from = entry.segment
    this.#stored = stored
    this.#done = done
  }

  encode(): EncodedRecord | undefined {
    const { settled, segment, standing } = this.#entry
    if (settled || segment !== this.#from) {
      this.#done(true)
      return undefined
    }
    const record = encodeMessage(this.#stored.message, standing, contentOf([this.#stored.content]))
    this.#octets = record.octets
    return record
  }

  durable(segment: Segment, position: number): void {
    this.#ledger.moved(this.#entry, segment, position, this.#octets)
    this.#done(true)
  }

  failed(): boolean {
    this.#done(false)
    return false
  }
}

/** Says again, in the current segment, that messages in `about` are settled; the segment that said it can then go. */
export class SettledAgainItem implements LogItem {
  readonly #about: Segment
  readonly #by: Segment
  readonly #ids: readonly TraceId[]
  readonly #done: (said: boolean) => void

  constructor(about: Segment, by: Segment, ids: readonly TraceId[], done: (said: boolean) => void) {
    this.#about = about
    this.#by = by
    this.#ids = ids
    this.#done = done
  }

  encode(): EncodedRecord | undefined {
    if (!this.#about.gone) return encodeSettled(this.#ids)
    this.#done(true)
    return undefined
  }

  durable(segment: Segment): void {
    this.#by.owed.delete(this.#about)
    for (const id of this.#ids) segment.owe(this.#about, id)
    this.#done(true)
  }

  failed(): boolean {
    this.#done(false)
    return false
  }
}

/** States where a segment ends, in the current one; `by` is the segment that said so before. */
export class EndItem implements LogItem {
  readonly #about: Segment
  readonly #end: End
  readonly #by: Segment | undefined
  readonly #done: (said: boolean) => void

  constructor(about: Segment, end: End, by: Segment | undefined, done: (said: boolean) => void) {
    this.#about = about
    this.#end = end
    this.#by = by
    this.#done = done
  }

  encode(): EncodedRecord | undefined {
    if (!this.#about.gone) return encodeEnd(this.#about.name, this.#end)
    this.#done(true)
    return undefined
  }

  durable(segment: Segment): void {
    this.#by?.ends.delete(this.#about)
    if (!this.#about.gone) segment.ends.set(this.#about, this.#end)
    this.#done(true)
  }

  failed(): boolean {
    this.#done(false)
    return false
  }
}
