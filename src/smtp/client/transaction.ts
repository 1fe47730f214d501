/**
 * What a job (a delivery, a probe) and the session that carries it say to each other.
 */
import { type RemoteReply, remoteReplyLine } from '#mail/reply.ts'
import type { Capabilities } from './capabilities.ts'
import type { ClientEffect, SessionFault } from './contract.ts'
import type { Parts } from './data-writer.ts'
import type { ClientLimits } from './limits.ts'
import { STEPS, type Step } from './steps.ts'

/** `reset`: RSET is needed first; `reset-sent`: it has been said already. */
export type Ending = 'clean' | 'reset' | 'reset-sent'

/** The session as a job sees it. */
export interface Line {
  readonly offered: Capabilities
  readonly limits: ClientLimits
  readonly lmtp: boolean
  /** Says a command and expects one reply. All that is said in one turn leaves in one write. */
  say(command: string, step: Step): void
  /** Expects a further reply to what was said. */
  expect(step: Step): void
  /** With `more`, the job's `flowing` is called once there is room. */
  send(parts: Parts, more: boolean): void
  settle(result: ClientEffect): void
  finish(ending: Ending): void
  /** The session cannot go on; the job's own `fail` follows. */
  abandon(fault: SessionFault): void
}

export interface Transaction {
  begin(): void
  /** A reply that makes sense at its step. */
  reply(step: Step, reply: RemoteReply): void
  flowing(): void
  /** More content waits for `flowing`. */
  readonly sending: boolean
  /** The session ended; whatever has no result gets one now. */
  fail(fault: SessionFault): void
}

export const replyTo = (step: Step, reply: RemoteReply): string =>
  `${remoteReplyLine(reply)} (in reply to ${STEPS[step].name})`

/** The connection went away by the server's wish, as idle connections do: it says nothing about the message. */
export const isHangUp = ({ obstacle, reply }: SessionFault): boolean => obstacle === 'closed' || reply?.code === 421
