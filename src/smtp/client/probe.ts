/**
 * The callout as a transaction: MAIL, RCPT, RSET. Law 4: only a refusal of the recipient for good says "unknown".
 */
import { pathText } from '#mail/address.ts'
import type { ProbeAnswer } from '#mail/probe.ts'
import type { RemoteReply } from '#mail/reply.ts'
import { isCommandText } from './commands.ts'
import type { ProbeJob, SessionFault } from './contract.ts'
import { meaning, type Step } from './steps.ts'
import { isHangUp, type Line, replyTo, type Transaction } from './transaction.ts'

/**
 * 5yz codes that speak of commands, sequence, authentication or the host (RFC 5321 §4.2.2, RFC 4954 §6, RFC 7504 §2):
 * in reply to RCPT they say nothing about the mailbox.
 */
const NOT_ABOUT_A_MAILBOX: ReadonlySet<number> = new Set([500, 501, 502, 503, 504, 521, 530, 534, 535, 538, 555])

/** Codes that say "no such mailbox" where no status says more; 552 is a full mailbox, 554 anything (RFC 5321 §4.2.3). */
const NO_MAILBOX: ReadonlySet<number> = new Set([550, 551, 553])
/**
 * Statuses that speak of something else than whether the mailbox exists (RFC 3463 §3): the sender's address, a full
 * mailbox, the size, the system, the network, the protocol, the content, a policy such as a block list with our
 * address on it. 5.4.1 is not among them: large providers say it of recipients who are not in their directory.
 */
const STATUS_OF_ANOTHER_MATTER = /^5\.(?:1\.[789]|2\.[23]|4\.(?!1$)\d+|[3567]\.\d+)$/

export class Probe implements Transaction {
  readonly sending = false
  readonly #job: ProbeJob
  readonly #line: Line
  #settled = false

  constructor(job: ProbeJob, line: Line) {
    this.#job = job
    this.#line = line
  }

  begin(): void {
    const mail = `MAIL FROM:${pathText(this.#job.reversePath)}`
    const rcpt = this.#rcpt
    const utf8 = isInternationalized(this.#job)
    if (!isCommandText(mail + rcpt) || (utf8 && !this.#line.offered.smtpUtf8)) {
      const text = 'the server cannot be asked for this address'
      this.#settle({ kind: 'unreachable', obstacle: 'protocol', about: 'recipient', text })
      this.#line.finish('clean')
      return
    }
    this.#line.say(utf8 ? `${mail} SMTPUTF8` : mail, 'mail')
    if (!this.#line.offered.pipelining) return
    this.#line.say(rcpt, 'rcpt')
    this.#line.say('RSET', 'rset')
  }

  reply(step: Step, reply: RemoteReply): void {
    if (step === 'mail') this.#onMail(reply)
    else this.#onRcpt(reply)
  }

  flowing(): void {}

  fail(fault: SessionFault): void {
    // Servers hang up after some unknown recipients. To ask once more on another connection does no harm.
    this.#settle({ kind: 'unreachable', obstacle: fault.obstacle, text: fault.text }, isHangUp(fault))
  }

  get #rcpt(): string {
    return `RCPT TO:${pathText(this.#job.forwardPath)}`
  }

  #onMail(reply: RemoteReply): void {
    const accepted = meaning('mail', reply) === 'go-on'
    // The session ends, and `fail` knows whether another connection may be tried.
    if (reply.code === 421) return
    if (!accepted) this.#settle(notFrom(reply))
    if (this.#line.offered.pipelining) return
    if (accepted) this.#line.say(this.#rcpt, 'rcpt')
    else this.#line.finish('clean')
  }

  #onRcpt(reply: RemoteReply): void {
    if (reply.code === 421) return
    this.#settle(answerTo(reply))
    this.#line.finish(this.#line.offered.pipelining ? 'reset-sent' : 'reset')
  }

  #settle(answer: ProbeAnswer, untouched = false): void {
    if (this.#settled) return
    this.#settled = true
    this.#line.settle({ kind: 'probed', answer, untouched })
  }
}

function answerTo(reply: RemoteReply): ProbeAnswer {
  const means = meaning('rcpt', reply)
  if (means === 'go-on') return { kind: 'known', reply }
  if (means === 'permanent' && saysNoMailbox(reply)) return { kind: 'unknown', reply }
  // Misplaced replies end the trust in the session, so they are about the server.
  const about = means === 'misplaced' ? 'server' : 'recipient'
  return { kind: 'unreachable', obstacle: 'refused-for-now', about, text: replyTo('rcpt', reply) }
}

function saysNoMailbox({ code, status }: RemoteReply): boolean {
  if (NOT_ABOUT_A_MAILBOX.has(code)) return false
  return status === undefined ? NO_MAILBOX.has(code) : !STATUS_OF_ANOTHER_MATTER.test(status)
}

/** A refused MAIL says nothing about the recipient, whoever it is. */
function notFrom(reply: RemoteReply): ProbeAnswer {
  const refused = meaning('mail', reply) === 'permanent' && !NOT_ABOUT_A_MAILBOX.has(reply.code)
  const answer = { kind: 'unreachable', obstacle: 'refused-for-now', text: replyTo('mail', reply) } as const
  return refused ? { ...answer, senderRefused: reply } : answer
}

const isInternationalized = ({ reversePath, forwardPath }: ProbeJob): boolean =>
  (reversePath.kind === 'mailbox' && reversePath.mailbox.internationalized) ||
  (forwardPath.kind === 'mailbox' && forwardPath.mailbox.internationalized)
