/**
 * What each change does to a message in memory. Delivered, returned and dropped are final: no change touches such a recipient
 * again, whoever sends it and in whatever order.
 */
import type { Change, HoldReason, RecipientState, Redirect } from '#mail/stored.ts'
import type { Entry, Interned } from './entry.ts'

/** Longer texts are cut: they stay in memory for every deferred message. One reply line has 512 octets. */
export const TEXT_CHARS_MAX = 400

const PENDING: RecipientState = { kind: 'pending' }

export function applyChange(entry: Entry, change: Change, texts: Interned): void {
  entry.turn++
  switch (change.kind) {
    case 'attempted':
      entry.attempts++
      entry.nextAttemptMs = change.nextAttemptMs
      if (change.text !== undefined) entry.lastText = bounded(change.text, texts)
      if (change.delayTold) entry.delayTold = true
      if (change.recipients.size > 0) {
        replace(entry, (state, i) => trimmed(change.recipients.get(i) ?? state, texts))
      }
      return
    case 'hold':
      replace(entry, (state) =>
        state.kind === 'pending' ? held(change.atMs, change.reason, bounded(change.text, texts)) : state,
      )
      return
    case 'release':
      entry.nextAttemptMs = change.nextAttemptMs
      replace(entry, (state) => (state.kind === 'held' ? PENDING : state))
      return
    case 'reschedule':
      entry.nextAttemptMs = change.nextAttemptMs
      return
    case 'reroute':
      entry.route = texts.of(change.route)
      entry.nextAttemptMs = change.nextAttemptMs
      return
    case 'drop': {
      const dropped: RecipientState = { kind: 'dropped', atMs: change.atMs, text: bounded(change.text, texts) }
      replace(entry, () => dropped)
      return
    }
    case 'redirect':
      redirect(entry, change, texts)
  }
}

function redirect(entry: Entry, change: Extract<Change, { kind: 'redirect' }>, texts: Interned): void {
  const states = recipientStates(entry)
  const open = change.recipients.filter((index) => states[index] !== undefined && !isFinal(states[index]))
  const [first] = open
  if (first === undefined) return
  const { forwardPath, atMs } = change
  const next: Redirect = { recipient: first, forwardPath, atMs }
  entry.redirects = [...(entry.redirects ?? []).filter(({ recipient }) => recipient !== first), next]
  entry.route = texts.of(change.route)
  entry.nextAttemptMs = change.nextAttemptMs
  const dropped: RecipientState = { kind: 'dropped', atMs, text: bounded(change.text, texts) }
  replace(entry, (state, i) => (i === first ? PENDING : open.includes(i) ? dropped : state))
}

/** The states of all recipients, in the envelope's order. */
export function recipientStates(entry: Entry): readonly RecipientState[] {
  return entry.recipients ?? new Array<RecipientState>(entry.recipientCount).fill(PENDING)
}

function replace(entry: Entry, next: (state: RecipientState, index: number) => RecipientState): void {
  entry.recipients = recipientStates(entry).map((state, i) => (isFinal(state) ? state : next(state, i)))
  entry.weigh()
}

const isFinal = ({ kind }: RecipientState): boolean => kind !== 'pending' && kind !== 'held'

const held = (atMs: number, reason: HoldReason, text: string): RecipientState => ({ kind: 'held', atMs, reason, text })

// The other states end with the message, or are few.
function trimmed(state: RecipientState, texts: Interned): RecipientState {
  return state.kind === 'held' ? { ...state, text: bounded(state.text, texts) } : state
}

const bounded = (text: string, texts: Interned): string => texts.of(text.slice(0, TEXT_CHARS_MAX))
