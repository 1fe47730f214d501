/**
 * What the meta part of each record type says, and its JSON. Version dispatch is here: `decode…` gets the version of
 * the record and must go on reading the version before ours.
 *
 * A state record holds the whole state, not a difference, with a `turn` that grows by one with each change. So the
 * highest turn wins in whatever order records are read, older ones can be thrown away, and a copy of a message that
 * compaction made carries its state inside.
 */
import type { Content } from '#mail/content.ts'
import type { NewMessage, RecipientState, Redirect, Submission } from '#mail/stored.ts'
import { parseTraceId, type TraceId } from '#mail/trace-id.ts'
import { type EncodedRecord, encodeRecord, FORMAT_VERSION_MIN } from './record.ts'

/** The changing part of a message. */
export interface Standing {
  /** 0 at reception; one more with each change. */
  readonly turn: number
  readonly route: string
  readonly attempts: number
  readonly nextAttemptMs: number
  /** Undefined while all are pending. */
  readonly recipients: readonly RecipientState[] | undefined
  readonly lastText: string | undefined
  /** Since version 2. Absent: none. */
  readonly redirects?: readonly Redirect[]
  /** Since version 3. */
  readonly delayTold?: true
}

export interface MessageMeta {
  readonly message: NewMessage
  readonly standing: Standing
}

export interface StateMeta {
  readonly id: TraceId
  readonly standing: Standing
}

/** Where a segment ends; what stands behind was never acknowledged. */
export interface End {
  readonly end: number
  /** Its process died and the file had `end` octets: the last record before that may be torn. */
  readonly open: boolean
}

export interface EndMeta extends End {
  /** Its file name: a number alone could mean a later file, after a power loss brought an unlinked one back. */
  readonly segment: string
}

/** The length of every trace id. */
const ID_OCTETS = 15

export function encodeMessage(message: NewMessage, standing: Standing, content: Content): EncodedRecord {
  const meta = {
    id: message.id,
    tenant: message.tenant,
    envelope: message.envelope,
    reception: message.reception,
    ...(message.notice && { notice: true }),
    ...(message.submission && { submission: message.submission }),
    ...(message.login !== undefined && { login: message.login }),
    ...standing,
  }
  return encodeRecord('message', JSON.stringify(meta), content, versionFor(standing, message))
}

export function encodeState(id: TraceId, standing: Standing): EncodedRecord {
  return encodeRecord('state', JSON.stringify({ id, ...standing }), undefined, versionFor(standing))
}

// A release before ours must not deliver a redirected message to the first address, nor hold what its sender expects to
// hear of: to it the record is too new. Whatever it would read rightly is written for it; a login that it does not know of
// is mail that a lock does not hold, as it was then.
function versionFor(standing: Standing, message?: NewMessage): number {
  const { redirects, delayTold, recipients } = standing
  if (message?.submission || delayTold || recipients?.some(({ kind }) => kind === 'returned')) return 3
  return redirects !== undefined || message?.notice ? 2 : FORMAT_VERSION_MIN
}

export const encodeSettled = (ids: readonly TraceId[]): EncodedRecord => encodeRecord('settled', ids.join(''))

export const encodeEnd = (about: string, end: End): EncodedRecord =>
  encodeRecord('end', JSON.stringify({ segment: about, end: end.end, ...(end.open ? { open: true } : {}) }))

export const encodeSeal = (): EncodedRecord => encodeRecord('seal', '')

type Json = Record<string, unknown>

/** Undefined: not what a message record can say. */
export function decodeMessage(version: number, meta: Buffer): MessageMeta | undefined {
  const json = parse(meta)
  const id = json && idOf(json)
  const standing = json && standingOf(json, version)
  if (!json || !id || !standing || typeof json['tenant'] !== 'string') return undefined
  const envelope = json['envelope'] as NewMessage['envelope'] | undefined
  const reception = json['reception'] as NewMessage['reception'] | undefined
  if (!Array.isArray(envelope?.recipients) || typeof reception?.receivedMs !== 'number') return undefined
  const notice = version >= 2 && json['notice'] === true
  const submission = version >= 3 ? json['submission'] : undefined
  if (submission !== undefined && !isSubmission(submission)) return undefined
  const login = json['login']
  if (login !== undefined && typeof login !== 'string') return undefined
  const message = { id, tenant: json['tenant'], route: standing.route, envelope, reception }
  const by = { ...(submission && { submission }), ...(login !== undefined && { login }) }
  return { message: { ...message, ...(notice && { notice }), ...by }, standing }
}

export function decodeState(version: number, meta: Buffer): StateMeta | undefined {
  const json = parse(meta)
  const id = json && idOf(json)
  const standing = json && standingOf(json, version)
  return id && standing ? { id, standing } : undefined
}

export function decodeSettled(_version: number, meta: Buffer): TraceId[] | undefined {
  if (meta.length % ID_OCTETS !== 0) return undefined
  const ids: TraceId[] = []
  for (let at = 0; at < meta.length; at += ID_OCTETS) {
    const id = parseTraceId(meta.toString('latin1', at, at + ID_OCTETS))
    if (id === undefined) return undefined
    ids.push(id)
  }
  return ids
}

export function decodeEnd(_version: number, meta: Buffer): EndMeta | undefined {
  const json = parse(meta)
  const segment = json?.['segment']
  const end = json?.['end']
  const open = json?.['open'] === true
  return typeof segment === 'string' && typeof end === 'number' ? { segment, end, open } : undefined
}

function parse(meta: Buffer): Json | undefined {
  try {
    const json: unknown = JSON.parse(meta.toString())
    return typeof json === 'object' && json !== null ? (json as Json) : undefined
  } catch {
    return undefined
  }
}

const idOf = (json: Json): TraceId | undefined =>
  typeof json['id'] === 'string' ? parseTraceId(json['id']) : undefined

function standingOf(json: Json, version: number): Standing | undefined {
  const { turn, route, attempts, nextAttemptMs, recipients, lastText } = json
  if (typeof turn !== 'number' || typeof route !== 'string' || typeof attempts !== 'number') return undefined
  if (typeof nextAttemptMs !== 'number') return undefined
  const redirects = version >= 2 ? json['redirects'] : undefined
  if (redirects !== undefined && !isRedirects(redirects)) return undefined
  return {
    turn,
    route,
    attempts,
    nextAttemptMs,
    recipients: Array.isArray(recipients) ? (recipients as RecipientState[]) : undefined,
    lastText: typeof lastText === 'string' ? lastText : undefined,
    ...(redirects && { redirects }),
    ...(version >= 3 && json['delayTold'] === true && { delayTold: true }),
  }
}

// A proof that says something else is none, and no message may be told of by half of one.
function isSubmission(value: unknown): value is Submission {
  if (typeof value !== 'object' || value === null) return false
  const { credential, automatic, bulk } = value as { [key in keyof Submission]?: unknown }
  return typeof credential === 'string' && [automatic, bulk].every((is) => is === undefined || is === true)
}

// A record that says something else here must not be delivered by what is left of it.
function isRedirects(value: unknown): value is readonly Redirect[] {
  return Array.isArray(value) && value.every(isRedirect)
}

function isRedirect(value: unknown): value is Redirect {
  if (typeof value !== 'object' || value === null) return false
  const { recipient, atMs, forwardPath } = value as { [key in keyof Redirect]?: unknown }
  return Number.isSafeInteger(recipient) && Number(recipient) >= 0 && typeof atMs === 'number' && isPath(forwardPath)
}

function isPath(value: unknown): boolean {
  const path = value as Redirect['forwardPath'] | null | undefined
  return path?.kind === 'postmaster' || (path?.kind === 'mailbox' && typeof path.mailbox?.localPart === 'string')
}
