/** For tests: addresses, sessions, transactions and attempts in one line each. */
import { type ForwardPath, type Mailbox, parseForwardPath, parseMailbox, parseReversePath } from './address.ts'
import type { Authentication } from './authentication.ts'
import { NextHopReceipt } from './custody.ts'
import type { Recipient } from './envelope.ts'
import type { Attempt, Obstacle, Outcome } from './outcome.ts'
import { remoteReply } from './reply.ts'
import type { Session, Transaction } from './session.ts'
import { type TraceId, traceIds } from './trace-id.ts'

/** 2027-01-15T08:00:00Z */
export const WALL_MS = 1_800_000_000_000

export const newTraceId = traceIds(
  0,
  () => WALL_MS,
  () => 0,
)

function read<T>(parsed: { ok: true; value: T } | { ok: false; fault: string }): T {
  if (!parsed.ok) throw new Error(parsed.fault)
  return parsed.value
}

export const mailbox = (text: string): Mailbox => read(parseMailbox(text))
export const forwardPath = (text: string): ForwardPath => read(parseForwardPath(`<${text}>`))
export const recipient = (text: string): Recipient => ({ forwardPath: forwardPath(text) })

export function session(more: Partial<Session> = {}): Session {
  return {
    id: newTraceId(),
    client: { address: '192.0.2.1', port: 40000 },
    local: { address: '192.0.2.25', port: 25 },
    listener: 'mx',
    service: 'inbound',
    startedMs: WALL_MS,
    greetingName: 'mail.sender.example',
    extended: true,
    proxied: false,
    tally: { recipientsRefused: 0, errors: 0, transactions: 1 },
    ...more,
  }
}

/** From `anna@sender.example`, or `''` for the null path. */
export function transaction(to: readonly string[], from = 'anna@sender.example', of = session()): Transaction {
  const recipients = to.map(recipient)
  const reversePath = read(parseReversePath(`<${from}>`))
  const envelope = { reversePath, recipients, body: '7bit', smtputf8: false } as const
  return { id: newTraceId(), session: of, startedMs: WALL_MS, envelope }
}

/** Nobody has vouched for it. */
export const authentication = (more: Partial<Authentication> = {}): Authentication => ({
  spf: { result: 'none', identity: 'mailfrom', domain: undefined },
  dkim: [],
  dmarc: { result: 'none', domain: undefined, alignedBy: [] },
  arc: { result: 'none', instances: 0, sealers: [] },
  durationMs: 0,
  ...more,
})

export const delivered = (text = '2.0.0 Ok', id: TraceId = newTraceId()): Outcome => ({
  kind: 'delivered',
  receipt: NextHopReceipt.afterPositiveReply(id, 'mail.bakery.test[192.0.2.9]:25', remoteReply(250, [text])),
})

/** With a reply (`450 4.2.0 full`), or without one. */
export function deferred(obstacle: Obstacle, reply?: string): Outcome {
  const text = reply ?? `no reply: ${obstacle}`
  if (reply === undefined) return { kind: 'deferred', obstacle, text }
  return { kind: 'deferred', obstacle, reply: remoteReply(Number(reply.slice(0, 3)), [reply.slice(4)]), text }
}

export const failed = (reply: string, stage: 'rcpt' | 'content' = 'rcpt'): Outcome => ({
  kind: 'failed',
  reply: remoteReply(Number(reply.slice(0, 3)), [reply.slice(4)]),
  text: reply,
  stage,
})

export const attempted = (...outcomes: readonly Outcome[]): Attempt => ({
  outcomes,
  relay: 'mail.bakery.test[192.0.2.9]:25',
  tls: true,
  delays: { queuedMs: 0, connectMs: 50, transferMs: 60 },
})
