/**
 * For tests: a client session whose server is the test itself, line by line.
 */
import { type Mailbox, parseForwardPath, parseMailbox, parseReversePath } from '#mail/address.ts'
import { type Content, content } from '#mail/content.ts'
import type { Envelope, Recipient } from '#mail/envelope.ts'
import type { ClientEffect, ClientMachine, ClientSettings, DeliverJob, RecipientResult } from './contract.ts'
import { CLIENT_LIMITS } from './limits.ts'
import { createClientSession } from './session.ts'

export const SETTINGS: ClientSettings = {
  protocol: 'smtp',
  greetingName: 'relay.example',
  tls: 'never',
  preferChunking: false,
  limits: CLIENT_LIMITS,
}

export function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text)
  if (!parsed.ok) throw new Error(`${text}: ${parsed.fault}`)
  return parsed.value
}

export function recipient(text: string, more: Partial<Recipient> = {}): Recipient {
  const path = parseForwardPath(`<${text}>`)
  if (!path.ok) throw new Error(`${text}: ${path.fault}`)
  return { forwardPath: path.value, ...more }
}

export function envelope(to: readonly (string | Recipient)[], more: Partial<Envelope> = {}): Envelope {
  const from = parseReversePath('<anna@sender.example>')
  if (!from.ok) throw new Error(from.fault)
  const recipients = to.map((each) => (typeof each === 'string' ? recipient(each) : each))
  return { reversePath: from.value, recipients, body: '7bit', smtputf8: false, ...more }
}

export const text = (...pieces: string[]): Content => content(pieces.map((piece) => Buffer.from(piece, 'latin1')))
export const LETTER = 'Subject: hello\r\n\r\nhello\r\n'

export function job(to: readonly (string | Recipient)[], more: Partial<DeliverJob> = {}): DeliverJob {
  const all = more.envelope ?? envelope(to)
  return {
    envelope: all,
    recipients: all.recipients.map((_, i) => i),
    content: text(LETTER),
    onMixed: 'send',
    ...more,
  }
}

/** `250-…` lines of an EHLO reply that offers these extensions. */
export const ehloReply = (...keywords: string[]): string =>
  ['mx.example', ...keywords].map((word, i, all) => `250${i < all.length - 1 ? '-' : ' '}${word}\r\n`).join('')

export class Dialogue {
  readonly machine: ClientMachine
  readonly effects: ClientEffect[] = []
  #written = ''

  constructor(settings: Partial<ClientSettings> = {}) {
    this.machine = createClientSession({ ...SETTINGS, ...settings })
  }

  /** A session that has been opened with a server that offers `keywords`. */
  static ready(keywords: readonly string[], settings: Partial<ClientSettings> = {}): Dialogue {
    const dialogue = new Dialogue(settings)
    dialogue.server('220 mx.example ESMTP\r\n')
    dialogue.server(ehloReply(...keywords))
    dialogue.heard()
    dialogue.effects.length = 0
    return dialogue
  }

  /** The server sends octets; the answer is what the client wrote after that. */
  server(octets: string): string {
    this.machine.receive(Buffer.from(octets, 'latin1'))
    return this.heard()
  }

  /** What the client wrote since the last look; blocks of content flow at once. */
  heard(): string {
    for (let more = true; more; ) {
      more = false
      for (const effect of this.machine.take()) {
        if (effect.kind === 'write') {
          for (const part of effect.parts) this.#written += part.toString('latin1')
          more ||= effect.more
        } else this.effects.push(effect)
      }
      if (more) this.machine.flowing()
    }
    const written = this.#written
    this.#written = ''
    return written
  }

  deliver(job: DeliverJob): string {
    this.machine.deliver(job)
    return this.heard()
  }

  /** The kinds of all effects but writes, in order. */
  get kinds(): string[] {
    return this.effects.map((effect) => effect.kind)
  }

  of<K extends ClientEffect['kind']>(kind: K): Extract<ClientEffect, { kind: K }> {
    const found = this.effects.filter((effect) => effect.kind === kind)
    if (found.length !== 1) throw new Error(`${found.length} × ${kind} among ${this.kinds.join()}`)
    return found[0] as Extract<ClientEffect, { kind: K }>
  }

  get results(): readonly RecipientResult[] {
    return this.of('delivered').results
  }

  /** Results in short: `delivered`, `refused-for-now`, `failed/rcpt`. */
  get summary(): string[] {
    return this.results.map(short)
  }
}

export const short = (result: RecipientResult): string => {
  if (result.kind === 'delivered') return 'delivered'
  return result.kind === 'failed' ? `failed/${result.stage}` : result.obstacle
}
