/**
 * A delivery as a transaction (RFC 5321 §3.3): MAIL, RCPT for each recipient, then the content by DATA or BDAT.
 *
 * With PIPELINING (RFC 2920) the commands leave in one group; the content command is in it unless recipients could be
 * refused and that must stop the content (`onMixed: 'abort'`). With CHUNKING (RFC 3030) and small content everything
 * leaves in one write. LMTP (RFC 2033 §4.2) answers the content once for each accepted recipient.
 */
import type { RemoteReply } from '#mail/reply.ts'
import type { DeliverJob, RecipientResult, SessionFault } from './contract.ts'
import { DataWriter, octetsToSend, type Parts } from './data-writer.ts'
import type { Plan } from './plan.ts'
import { meaning, type Step } from './steps.ts'
import { isHangUp, type Line, replyTo, type Transaction } from './transaction.ts'

type Stage = Extract<RecipientResult, { kind: 'failed' }>['stage']

export class Delivery implements Transaction {
  readonly #job: DeliverJob
  readonly #plan: Plan
  readonly #line: Line
  readonly #results: (RecipientResult | undefined)[]
  /** Positions of recipients that the server accepted. */
  readonly #accepted: number[] = []
  readonly #pipelined: boolean
  #mail: RemoteReply | undefined
  #mailRefused = false
  #rcptsSaid = 0
  #rcptsAnswered = 0
  /** The server accepted a recipient of a MAIL that it refused. */
  #absurd = false
  #contentAsked = false
  #contentEnded = false
  /** The server has begun to answer the content. */
  #contentAnswers = 0
  #writer: DataWriter | undefined
  sending = false

  constructor(job: DeliverJob, plan: Plan, line: Line) {
    this.#job = job
    this.#plan = plan
    this.#line = line
    this.#results = plan.results
    this.#pipelined = line.offered.pipelining
  }

  begin(): void {
    const { tried, mail } = this.#plan
    const mixed = tried.length < this.#job.recipients.length
    if (tried.length === 0) this.#conclude('clean')
    else if (mixed && this.#job.onMixed === 'abort') this.#abort('clean')
    else {
      this.#line.say(mail, 'mail')
      if (this.#pipelined) this.#sayGroup()
    }
  }

  reply(step: Step, reply: RemoteReply): void {
    if (step === 'mail') this.#onMail(reply)
    else if (step === 'rcpt') this.#onRcpt(reply)
    else if (step === 'data') this.#onData(reply)
    else this.#onContent(reply)
  }

  flowing(): void {
    if (this.sending) this.#sendBlock()
  }

  fail(fault: SessionFault): void {
    // A reply to an earlier command says that what was sent behind it is not carried out; silence says nothing.
    const maybeTaken = this.#contentEnded && (fault.reply === undefined || this.#contentAnswers > 0)
    for (let position = 0; position < this.#results.length; position++) {
      this.#results[position] ??= maybeTaken ? lost(fault) : { kind: 'deferred', ...fault }
    }
    const untouched = isHangUp(fault) && !maybeTaken && (this.#mail === undefined || this.#mail.code === 421)
    this.#settle(untouched)
  }

  /** May DATA or BDAT be said before the replies to RCPT are known? */
  #mayAskEarly(): boolean {
    if (this.#job.onMixed === 'abort' && this.#plan.tried.length > 1) return false
    return this.#plan.form === 'stuffed' || this.#job.content.octets <= this.#line.limits.earlyContentOctetsMax
  }

  #sayGroup(): void {
    while (this.#rcptsSaid < this.#plan.tried.length) this.#sayRcpt()
    if (this.#mayAskEarly()) this.#askForContent()
  }

  #sayRcpt(): void {
    this.#line.say(this.#plan.rcpts[this.#rcptsSaid++]!, 'rcpt')
  }

  #onMail(reply: RemoteReply): void {
    this.#mail = reply
    this.#mailRefused = meaning('mail', reply) !== 'go-on'
    if (this.#mailRefused) {
      for (const position of this.#plan.tried) this.#results[position] = refusal('mail', 'mail', reply)
      // Behind a 421 nothing follows, pipelined or not.
      if (!this.#pipelined && reply.code !== 421) this.#conclude('clean')
    } else if (!this.#pipelined) this.#sayRcpt()
  }

  #onRcpt(reply: RemoteReply): void {
    const position = this.#plan.tried[this.#rcptsAnswered++]!
    if (meaning('rcpt', reply) === 'go-on') {
      if (this.#mailRefused) this.#absurd = true
      else this.#accepted.push(position)
    } else this.#results[position] ??= this.#rcptRefusal(reply)
    if (reply.code === 421) return
    if (this.#rcptsAnswered === this.#plan.tried.length) this.#afterRecipients()
    else if (!this.#pipelined) this.#sayRcpt()
  }

  // RFC 5321 §4.5.3.1.10: RFC 821 said 552 where 452 is meant, "too many recipients".
  #rcptRefusal(reply: RemoteReply): RecipientResult {
    const tooMany = reply.code === 552 && this.#accepted.length > 0 && (reply.status ?? '5.5.3') === '5.5.3'
    if (!tooMany) return refusal('rcpt', 'rcpt', reply)
    return { kind: 'deferred', obstacle: 'refused-for-now', reply, text: replyTo('rcpt', reply) }
  }

  #afterRecipients(): void {
    if (this.#contentAsked) return
    const mixed = this.#accepted.length < this.#job.recipients.length
    if (this.#accepted.length === 0) this.#conclude(this.#mailRefused ? 'clean' : 'reset')
    else if (mixed && this.#job.onMixed === 'abort') this.#abort('reset')
    else this.#askForContent()
  }

  #abort(ending: 'clean' | 'reset'): void {
    const text = 'not sent, because another recipient was refused'
    for (const position of this.#plan.tried) {
      this.#results[position] ??= { kind: 'deferred', obstacle: 'aborted', text }
    }
    this.#conclude(ending)
  }

  #askForContent(): void {
    this.#contentAsked = true
    if (this.#plan.form === 'stuffed') this.#line.say('DATA', 'data')
    else this.#sayBdat()
  }

  #sayBdat(): void {
    const { content } = this.#job
    const { dataBlockOctets } = this.#line.limits
    this.#writer = new DataWriter(content, this.#plan.form)
    const parts: Parts = []
    const more = this.#writer.next(dataBlockOctets, parts)
    const octets = more ? octetsToSend(content, this.#plan.form, dataBlockOctets) : this.#writer.octets
    this.#line.say(`BDAT ${octets} LAST`, 'content')
    this.#sent(parts, more)
  }

  #onData(reply: RemoteReply): void {
    if (meaning('data', reply) !== 'go-on') {
      this.#refuseContent('data', reply)
      if (reply.code !== 421) this.#conclude(this.#mailRefused ? 'clean' : 'reset')
    } else if (this.#accepted.length > 0) {
      this.#line.expect('content')
      this.#writer = new DataWriter(this.#job.content, 'stuffed')
      this.#sendBlock()
    } else if (this.#absurd || this.#line.lmtp) {
      // A dot here could deliver an empty message, or would never be answered (RFC 2033 §4.2).
      this.#line.abandon({ obstacle: 'protocol', text: 'the server wants content and has accepted no recipient' })
    } else {
      // RFC 2920 §3.1: the client that pipelined DATA has to end the content that it now must send.
      this.#line.say('.', 'content')
    }
  }

  #sendBlock(): void {
    const parts: Parts = []
    const more = this.#writer!.next(this.#line.limits.dataBlockOctets, parts)
    this.#sent(parts, more)
  }

  #sent(parts: Parts, more: boolean): void {
    this.sending = more
    this.#contentEnded = !more
    this.#line.send(parts, more)
  }

  #onContent(reply: RemoteReply): void {
    const positive = meaning('content', reply) === 'go-on'
    if (this.sending) {
      this.#onEarlyAnswer(reply, positive)
      return
    }
    const result: RecipientResult = positive ? { kind: 'delivered', reply } : refusal('content', 'content', reply)
    const first = this.#contentAnswers++
    // RFC 2033 §4.2: one reply for each accepted recipient; in SMTP one for all.
    const answered = this.#line.lmtp ? this.#accepted.slice(first, first + 1) : this.#accepted
    for (const position of answered) this.#results[position] = result
    if (reply.code === 421) return
    if (this.#line.lmtp && this.#contentAnswers < this.#accepted.length) this.#line.expect('content')
    else this.#conclude(!positive && this.#isOpenAfterRefusal ? 'reset' : 'clean')
  }

  // A refused BDAT leaves the transaction open (RFC 3030 §2), a refused dot or single recipients of LMTP do not.
  get #isOpenAfterRefusal(): boolean {
    if (this.#plan.form === 'stuffed' || this.#mailRefused) return false
    return !this.#line.lmtp || this.#accepted.length === 0
  }

  // A refusal before the end of the content is plain: it cannot have been taken. The rest is not worth sending.
  #onEarlyAnswer(reply: RemoteReply, positive: boolean): void {
    if (!positive) this.#refuseContent('content', reply)
    const text = `the server answered before the content had ended: ${replyTo('content', reply)}`
    this.#line.abandon({ obstacle: 'protocol', text })
  }

  #refuseContent(step: Step, reply: RemoteReply): void {
    for (const position of this.#accepted) this.#results[position] = refusal(step, 'content', reply)
  }

  #conclude(ending: 'clean' | 'reset'): void {
    this.#settle(false)
    this.#line.finish(ending)
  }

  #settle(untouched: boolean): void {
    this.#line.settle({ kind: 'delivered', results: this.#results as RecipientResult[], untouched })
  }
}

function refusal(step: Step, stage: Stage, reply: RemoteReply): RecipientResult {
  const text = replyTo(step, reply)
  if (meaning(step, reply) === 'permanent') return { kind: 'failed', reply, text, stage }
  return { kind: 'deferred', obstacle: 'refused-for-now', reply, text }
}

const lost = ({ text }: SessionFault): RecipientResult => ({
  kind: 'deferred',
  obstacle: 'lost',
  text: `the next hop may have the message: ${text} (after the end of the content)`,
})
