/** What the listeners tell the report: sessions, and connections that never became one. */
import type { Session } from '#mail/session.ts'
import type { LimitReached } from './client-limits.ts'

export type ConnectionRefused =
  | LimitReached
  | 'sessions-max'
  | 'lag'
  | 'memory'
  | 'draining'
  /** A connection from a proxy's network without a valid header (or without any in time). */
  | 'proxy-header'

export type SessionEnd = 'quit' | 'lost' | 'timeout' | 'refused' | 'shutdown' | 'error'

export interface AcceptEvents {
  sessionOpened(session: Session): void
  sessionClosed(session: Session, why: SessionEnd): void
  /** There is no session; the client heard 421, or nothing where nothing can be said. */
  refused(listener: string, clientAddress: string, why: ConnectionRefused): void
  tlsFailed(listener: string, clientAddress: string, error: Error): void
  /** A stage threw: the client heard 451, a person should look. */
  defect(session: Session, error: unknown): void
  /** One line for the operator: a certificate made, a listener that could not be opened on reload. */
  notice(text: string): void
}
