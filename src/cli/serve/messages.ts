/** What supervisor and workers say to each other over Node's IPC channel (structured clone, so Buffers and Maps may be sent). */
import type { Problem } from '#cli/exit.ts'

/** What a worker is told when it starts. */
export interface WorkerContext {
  /** 0 to `workers` - 1; a replaced worker has the index of the one before it. */
  readonly index: number
  readonly workers: number
  /** The worker's own folder first, then folders of workers that are no more. Locked before the worker's content starts. */
  readonly spoolFolders: readonly string[]
  /** From `load` of the serve command. */
  readonly settings: unknown
  /** 48 octets for TLS session tickets, the same for all workers. */
  readonly ticketKeys: Buffer
  /** Several workers share the ports. */
  readonly reusePort: boolean
}

export interface WorkerStatus {
  readonly sessions: number
  readonly lagMs: number
}

/** Either side may ask the other. */
export type Asked = { readonly kind: 'ask'; readonly id: number; readonly about: string; readonly body: unknown }
export type Answered =
  | { readonly kind: 'answer'; readonly id: number; readonly body: unknown }
  | { readonly kind: 'refused'; readonly id: number; readonly text: string }

export type ToWorker =
  | { readonly kind: 'start'; readonly context: WorkerContext }
  | Asked
  | Answered
  | { readonly kind: 'drain' }

export type ToSupervisor =
  | { readonly kind: 'alive'; readonly status: WorkerStatus }
  | { readonly kind: 'ready' }
  /** It could not start; it exits now. */
  | { readonly kind: 'failed'; readonly problem: Problem }
  | Asked
  | Answered

/** `about` of an ask that carries new settings. */
export const RELOAD = 'reload'

/** A worker says that it lives this often. */
export const HEARTBEAT_MS = 1000
