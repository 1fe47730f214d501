/**
 * What a stage decides (law 3): a union, so that an acceptance cannot carry a 5yz and a deferral is a 4yz by its type.
 * Reasons go to the log and the trace; only the reply goes to the other side.
 */
import type { PermanentReply, TransientReply } from './reply.ts'

export interface Reason {
  /** Short, stable, kebab-case: counted in metrics. */
  readonly symbol: string
  /** One sentence for the operator. May name hosts and addresses; never sent to the other side. */
  readonly text: string
}

export type Accept = { readonly kind: 'accept'; readonly reasons?: readonly Reason[] }
export type Reject = { readonly kind: 'reject'; readonly reply: PermanentReply; readonly reasons: readonly Reason[] }
export type Defer = { readonly kind: 'defer'; readonly reply: TransientReply; readonly reasons: readonly Reason[] }
export type Quarantine = { readonly kind: 'quarantine'; readonly reasons: readonly Reason[] }
export type Discard = { readonly kind: 'discard'; readonly reasons: readonly Reason[] }

export type Verdict = Accept | Reject | Defer | Quarantine | Discard
/** Before there is content, a stage can only let go on or refuse. */
export type Gate = Accept | Reject | Defer

export const ACCEPT: Accept = { kind: 'accept' }
export const reject = (reply: PermanentReply, symbol: string, text: string): Reject => ({
  kind: 'reject',
  reply,
  reasons: [{ symbol, text }],
})
export const defer = (reply: TransientReply, symbol: string, text: string): Defer => ({
  kind: 'defer',
  reply,
  reasons: [{ symbol, text }],
})
