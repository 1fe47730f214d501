/**
 * What will be said for a delivery, decided before anything is sent: which recipients can be tried at all with what the
 * server offers, with which command lines, and whether the content goes by DATA or by BDAT.
 *
 * Nothing is converted here: no downgrade of SMTPUTF8 (RFC 6531 §3.2), no transfer encoding. 8-bit content goes as it is to a server without 8BITMIME, without a BODY parameter
 * (docs/deviations.md: RFC 6152 §3 says convert or return).
 */
import type { ForwardPath, ReversePath } from '#mail/address.ts'
import type { Content } from '#mail/content.ts'
import type { Envelope } from '#mail/envelope.ts'
import type { Capabilities } from './capabilities.ts'
import { isCommandText, mailCommand, rcptCommand } from './commands.ts'
import type { DeliverJob, RecipientResult } from './contract.ts'
import type { Form } from './data-writer.ts'

export interface Plan {
  readonly mail: string
  /** Positions in `job.recipients` that are tried, with their commands. Empty: nothing to send. */
  readonly tried: readonly number[]
  readonly rcpts: readonly string[]
  readonly form: Form
  /** Results known without asking. */
  readonly results: (RecipientResult | undefined)[]
}

export interface Circumstances {
  readonly offered: Capabilities
  readonly preferChunking: boolean
  /** TLS is up and the peer's certificate was verified. */
  readonly verified: boolean
}

export function planDelivery(job: DeliverJob, circumstances: Circumstances): Plan {
  const { envelope, content } = job
  const { offered } = circumstances
  const smtpUtf8 = offered.smtpUtf8 && (envelope.smtputf8 || hasInternationalizedPath(job))
  const results: (RecipientResult | undefined)[] = job.recipients.map(() => undefined)
  const tried: number[] = []
  const rcpts: string[] = []
  const form =
    envelope.body === 'binarymime' ? 'binary' : offered.chunking && circumstances.preferChunking ? 'text' : 'stuffed'
  const mail = mailCommand(envelope, offered, { octets: content.octets, smtpUtf8 })
  const obstacle = unsendable(envelope, content, mail, circumstances)
  job.recipients.forEach((index, position) => {
    const recipient = envelope.recipients[index]!
    const rcpt = rcptCommand(recipient, offered)
    const why = obstacle ?? unsendableRecipient(recipient.forwardPath, rcpt, smtpUtf8)
    if (why) results[position] = why
    else {
      tried.push(position)
      rcpts.push(rcpt)
    }
  })
  return { mail, tried, rcpts, form, results }
}

const never = (text: string, stage: 'mail' | 'rcpt' | 'content'): RecipientResult => ({ kind: 'failed', text, stage })
const NO_SMTPUTF8 = '5.6.7 SMTPUTF8 is needed and not offered by the next hop'

/** Why nobody can get this message; undefined: nothing speaks against it. */
function unsendable(
  envelope: Envelope,
  content: Content,
  mail: string,
  { offered, verified }: Circumstances,
): RecipientResult | undefined {
  if (!isCommandText(mail)) return never('5.1.7 the reverse-path cannot be sent', 'mail')
  const { sizeOctetsMax } = offered
  if (sizeOctetsMax !== undefined && content.octets > sizeOctetsMax) {
    return never(`5.3.4 ${content.octets} octets are more than the next hop takes (${sizeOctetsMax})`, 'mail')
  }
  // RFC 3030 §3: without conversion it is undeliverable there.
  if (envelope.body === 'binarymime' && !offered.binaryMime) {
    return never('5.6.1 BINARYMIME is needed and not offered by the next hop', 'content')
  }
  if (!offered.smtpUtf8) {
    if (isInternationalized(envelope.reversePath)) return never(NO_SMTPUTF8, 'mail')
    if (envelope.smtputf8 && hasEightBitHeader(content)) return never(NO_SMTPUTF8, 'content')
  }
  // RFC 8689 §4.2.1.
  if (envelope.requireTls && !(verified && offered.requireTls)) {
    return never('5.7.30 REQUIRETLS is needed and not offered by the next hop', 'mail')
  }
  return undefined
}

function unsendableRecipient(path: ForwardPath, rcpt: string, smtpUtf8: boolean): RecipientResult | undefined {
  if (!isCommandText(rcpt)) return never('5.1.3 the forward-path cannot be sent', 'rcpt')
  return isInternationalized(path) && !smtpUtf8 ? never(NO_SMTPUTF8, 'rcpt') : undefined
}

const hasInternationalizedPath = ({ envelope, recipients }: DeliverJob): boolean =>
  isInternationalized(envelope.reversePath) ||
  recipients.some((index) => isInternationalized(envelope.recipients[index]!.forwardPath))

const isInternationalized = (path: ReversePath | ForwardPath): boolean =>
  path.kind === 'mailbox' && path.mailbox.internationalized

/** An octet above 127 in the header section: only SMTPUTF8 allows it (RFC 6532 §3). */
function hasEightBitHeader(content: Content): boolean {
  let lineEmpty = true
  for (const chunk of content.chunks) {
    for (let i = 0; i < chunk.length; i++) {
      const octet = chunk[i]!
      if (octet > 0x7f) return true
      if (octet === 0x0a) {
        if (lineEmpty) return false
        lineEmpty = true
      } else if (octet !== 0x0d) lineEmpty = false
    }
  }
  return false
}
