/**
 * The protocol as a table: what each expected reply answers, how long it may take, and which codes make sense there.
 */
import { type RemoteReply, replyClass } from '#mail/reply.ts'
import type { ClientLimits } from './limits.ts'

export type Step =
  | 'greeting'
  | 'ehlo'
  | 'helo'
  | 'starttls'
  | 'auth'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'content'
  | 'rset'
  | 'quit'

export interface StepRule {
  /** For people: "in reply to …". */
  readonly name: string
  /** Which limit bounds the silence before the reply. */
  readonly silence: keyof ClientLimits
  /** The codes that let the dialogue go on; absent: any 2yz but 220 and 221. */
  readonly codes?: readonly number[]
}

export const STEPS: Readonly<Record<Step, StepRule>> = {
  greeting: { name: 'the connection', silence: 'greetingMsMax', codes: [220] },
  ehlo: { name: 'EHLO', silence: 'commandMsMax' },
  helo: { name: 'HELO', silence: 'commandMsMax' },
  starttls: { name: 'STARTTLS', silence: 'commandMsMax', codes: [220] },
  // RFC 4954 §4: a challenge, or the end.
  auth: { name: 'AUTH', silence: 'commandMsMax', codes: [334, 235] },
  mail: { name: 'MAIL FROM', silence: 'mailMsMax' },
  rcpt: { name: 'RCPT TO', silence: 'rcptMsMax' },
  data: { name: 'DATA', silence: 'dataMsMax', codes: [354] },
  content: { name: 'end of content', silence: 'dotMsMax' },
  rset: { name: 'RSET', silence: 'commandMsMax' },
  quit: { name: 'QUIT', silence: 'quitMsMax', codes: [221] },
}

export type Meaning = 'go-on' | 'transient' | 'permanent' | 'misplaced'

/**
 * What a reply means at its step. RFC 5321 §4.2 tells clients to look at the first digit; but 220, 221 and 3yz belong
 * to one command each (§4.3.2), and where they do not belong they show that the two sides have lost step with each
 * other. A 250 read after that could be the answer to another command than ours, so the session ends.
 */
export function meaning(step: Step, { code }: RemoteReply): Meaning {
  const kind = replyClass(code)
  if (kind === 'transient' || kind === 'permanent') return kind
  const wanted = STEPS[step].codes
  if (wanted !== undefined) return wanted.includes(code) ? 'go-on' : 'misplaced'
  return kind === 'positive' && code !== 220 && code !== 221 ? 'go-on' : 'misplaced'
}
