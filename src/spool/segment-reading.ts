/**
 * What one segment file says, read whole, before it is weighed against what other segments say: messages, states of
 * messages, settled ids, ends of other segments, and what is wrong with it.
 */
import { isPrompt } from '#mail/priority.ts'
import type { TraceId } from '#mail/trace-id.ts'
import type { Disk, DiskFile } from '#sys/disk.ts'
import { Entry, type Interned } from './entry.ts'
import {
  decodeEnd,
  decodeMessage,
  decodeSettled,
  decodeState,
  type End,
  type EndMeta,
  type Standing,
} from './payload.ts'
import {
  FORMAT_VERSION,
  FORMAT_VERSION_MIN,
  HEADER_OCTETS,
  RECORD_TYPES,
  type RecordHeader,
  recordOctets,
} from './record.ts'
import { type DamagedRange, Scan, WINDOW_OCTETS } from './scan.ts'
import type { Segment } from './segment.ts'

export interface SegmentReading {
  readonly messages: ReadonlyMap<TraceId, Entry>
  /** The highest turn of each. */
  readonly states: ReadonlyMap<TraceId, Standing>
  readonly settled: ReadonlySet<TraceId>
  readonly ends: readonly EndMeta[]
  /** To be set aside. */
  readonly damaged: readonly DamagedRange[]
  /** The rest of a write that a crash interrupted. */
  readonly torn: Torn | undefined
  /** The file is shorter than it was. */
  readonly cut: { readonly at: number; readonly expected: number } | undefined
  /** A seal, or another segment, says where it ends. */
  readonly ended: boolean
  readonly end: number
  /** Of the file. */
  readonly size: number
  readonly newerVersion: number | undefined
  /** What was read may not be on the disk, and cannot be brought there. */
  readonly syncError: { readonly error: unknown } | undefined
}

export interface Torn {
  readonly from: number
  readonly to: number
  /** Room that the file system made for octets that never came. */
  readonly isZero: boolean
}

export interface ReadSegmentOptions {
  readonly disk: Disk
  /** The end that a newer segment states. */
  readonly stated: End | undefined
  readonly texts: Interned
  /**
   * Syncs the file first. After a kill -9 we read what the kernel has in memory; a copy or a note that is only there
   * must not be the reason to unlink what it replaces.
   */
  readonly sync: boolean
}

/** Rejects if the disk cannot read. */
export async function readSegment(segment: Segment, options: ReadSegmentOptions): Promise<SegmentReading> {
  const { disk, stated, texts, sync } = options
  const file = await disk.open(segment.path, sync ? 'write' : 'read')
  try {
    const synced = sync ? file.datasync() : Promise.resolve()
    const syncError = await synced.then(
      () => undefined,
      (error: unknown) => ({ error }),
    )
    const size = await file.size()
    const collected = new Collected(segment, texts)
    const end = Math.min(size, stated?.end ?? size)
    await new Scan(file, segment.key, end, collected).run()
    const ended = collected.sealed || stated?.open === false
    const torn = ended ? undefined : await tornTail(file, collected.damage, end)
    return {
      messages: collected.messages,
      states: collected.states,
      settled: collected.settled,
      ends: collected.ends,
      damaged: torn ? collected.damage.slice(0, -1) : collected.damage,
      torn,
      cut: stated && size < stated.end ? { at: size, expected: stated.end } : undefined,
      ended,
      end: torn?.from ?? end,
      size,
      newerVersion: collected.newerVersion,
      syncError,
    }
  } finally {
    await file.close().catch(() => undefined)
  }
}

/** The last damage, if it is what a crash leaves of a write: a piece of a record, or octets that never came. */
async function tornTail(file: DiskFile, damage: readonly DamagedRange[], end: number): Promise<Torn | undefined> {
  const last = damage.at(-1)
  if (last === undefined || last.to !== end) return undefined
  const { from, to, reason } = last
  if (reason === 'header' && (await isZero(file, from, to))) return { from, to, isZero: true }
  return reason === 'incomplete' || to - from < HEADER_OCTETS ? { from, to, isZero: false } : undefined
}

async function isZero(file: DiskFile, from: number, to: number): Promise<boolean> {
  const zeros = Buffer.alloc(Math.min(WINDOW_OCTETS, to - from))
  const bytes = Buffer.alloc(zeros.length)
  for (let at = from; at < to; at += bytes.length) {
    const octets = await file.read(bytes, at)
    const here = Math.min(octets, to - at)
    if (here === 0 || bytes.compare(zeros, 0, here, 0, here) !== 0) return false
  }
  return true
}

class Collected {
  readonly messages = new Map<TraceId, Entry>()
  readonly states = new Map<TraceId, Standing>()
  readonly settled = new Set<TraceId>()
  readonly ends: EndMeta[] = []
  readonly damage: DamagedRange[] = []
  sealed = false
  newerVersion: number | undefined
  readonly #segment: Segment
  readonly #texts: Interned

  constructor(segment: Segment, texts: Interned) {
    this.#segment = segment
    this.#texts = texts
  }

  damaged(range: DamagedRange): void {
    this.damage.push(range)
  }

  idOf(header: RecordHeader, meta: Buffer): TraceId | undefined {
    return header.type === RECORD_TYPES.message ? decodeMessage(header.version, meta)?.message.id : undefined
  }

  record(header: RecordHeader, meta: Buffer, position: number): boolean {
    if (header.version > FORMAT_VERSION) {
      this.newerVersion = Math.max(header.version, this.newerVersion ?? 0)
      return true
    }
    if (header.version < FORMAT_VERSION_MIN) return false
    switch (header.type) {
      case RECORD_TYPES.message:
        return this.#message(header, meta, position)
      case RECORD_TYPES.state:
        return this.#state(header, meta)
      case RECORD_TYPES.settled: {
        const ids = decodeSettled(header.version, meta)
        for (const id of ids ?? []) this.settled.add(id)
        return ids !== undefined
      }
      case RECORD_TYPES.end: {
        const end = decodeEnd(header.version, meta)
        if (end) this.ends.push(end)
        return end !== undefined
      }
      case RECORD_TYPES.seal:
        this.sealed = true
        return true
      default:
        return false
    }
  }

  #message(header: RecordHeader, meta: Buffer, position: number): boolean {
    const decoded = decodeMessage(header.version, meta)
    if (decoded === undefined) return false
    const { message } = decoded
    const facts = {
      id: message.id,
      tenant: this.#texts.of(message.tenant),
      receivedMs: message.reception.receivedMs,
      octets: header.contentOctets,
      recipientCount: message.envelope.recipients.length,
      prompt: isPrompt(message),
    }
    const standing = this.#shared(decoded.standing)
    this.messages.set(message.id, new Entry(facts, standing, this.#segment, position, recordOctets(header)))
    return true
  }

  #state(header: RecordHeader, meta: Buffer): boolean {
    const decoded = decodeState(header.version, meta)
    if (decoded === undefined) return false
    const { id, standing } = decoded
    if ((this.states.get(id)?.turn ?? -1) < standing.turn) this.states.set(id, this.#shared(standing))
    return true
  }

  #shared(standing: Standing): Standing {
    const lastText = standing.lastText === undefined ? undefined : this.#texts.of(standing.lastText)
    return { ...standing, route: this.#texts.of(standing.route), lastText }
  }
}
