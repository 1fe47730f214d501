/**
 * A delivery status notification as a message (RFC 3464 in RFC 6522), from what `decide` said: from `<>`, to the verified
 * return path and to nobody else. Pure.
 *
 * A sender outside the tenant does not learn how the tenant's network is built: no Remote-MTA, no Received-From-MTA, and no
 * inner names in the server's words. Limits: octets that are returned, below. A path that nobody verified is a defect.
 */
import { type Mailbox, mailboxText, NULL_PATH, parseMailbox } from '#mail/address.ts'
import { type Content, head } from '#mail/content.ts'
import { type DsnKind, gravest, type RecipientReport } from '#mail/dsn.ts'
import type { Envelope } from '#mail/envelope.ts'
import { VerifiedReturnPath } from '#mail/return-path.ts'
import type { StoredMessage } from '#mail/stored.ts'
import type { TraceId } from '#mail/trace-id.ts'
import { canCarry, compose, type Part } from '#mime/compose.ts'
import { fieldText } from '#mime/decoded-text.ts'
import { type HeaderSection, readHeaderSection, unfolded } from '#mime/header-section.ts'
import { addresses, type OutgoingField, structured, text } from '#mime/header-writing.ts'
import { dateTime } from '#mime/trace-fields.ts'
import { oneLine, type Shown, withoutInnerNames } from './disclosure.ts'
import { notice } from './notice.ts'
import { recipientText, statusGroups } from './status-groups.ts'
import { type Language, TEXTS, toneOf } from './texts.ts'

/** RET=FULL is honoured up to here; a mailbox full of our own attachments helps nobody. */
export const RETURNED_MESSAGE_OCTETS_MAX = 50 * 1024
/** Of the header section; it is cut between two fields. */
export const RETURNED_HEADER_OCTETS_MAX = 32 * 1024

const SUBJECT_CHARACTERS_MAX = 200
/** An address in our own subject. */
const ADDRESS_CHARACTERS_MAX = 100

export interface DsnInput {
  /** What `decide` said. */
  readonly to: VerifiedReturnPath
  readonly reports: readonly RecipientReport[]
  readonly message: Pick<StoredMessage, 'id' | 'tenant' | 'envelope' | 'reception' | 'content'>
  /** Of the report itself. */
  readonly id: TraceId
  /** Ours: a domain name. */
  readonly hostname: string
  /** The tenant's. */
  readonly language: Language
  /** Names of the route's servers: not for strangers. */
  readonly innerHosts: readonly string[]
  readonly nowMs: number
}

export interface BuiltDsn {
  readonly kind: DsnKind
  readonly envelope: Envelope
  readonly content: Content
}

export function buildDsn(input: DsnInput): BuiltDsn {
  const { to, reports, message, hostname, language } = input
  // Law 2, also where a cast got past the compiler.
  if (!VerifiedReturnPath.is(to)) throw new Error('a report to a return path that nobody verified')
  if (reports.length === 0) throw new Error('a report about nobody')
  const utf8 = message.envelope.smtputf8 || to.mailbox.internationalized
  const words = TEXTS[language]
  const isOwn = to.proof.kind === 'submission' && to.proof.tenant === message.tenant
  const said = quoter(input, isOwn)
  const header = readHeaderSection(message.content)
  const returned = returnedPart(input, header)
  const facts = { message, hostname, isOwn, said }
  const text = notice({ ...facts, words, subject: subjectOf(header), returned: returned.kind }, reports)
  const part: Part = {
    kind: 'multipart',
    subtype: { report: 'delivery-status' },
    parts: [
      { kind: 'text', subtype: 'plain', text, language },
      { kind: 'delivery-status', groups: statusGroups({ ...facts, utf8 }, reports) },
      returned,
    ],
  }
  const kind = gravest(reports.map(({ action }) => action))
  const composed = compose(headerFields(input, kind, header), part, utf8)
  // RFC 3461 §6: nobody reports about a report.
  const recipients = [{ forwardPath: { kind: 'mailbox', mailbox: to.mailbox }, notify: 'never' }] as const
  const { body, smtputf8, content } = composed
  // RFC 8689 §5: what it tells is to be protected as the message was.
  const { requireTls } = message.envelope
  const protection = requireTls ? { requireTls } : {}
  return { kind, envelope: { reversePath: NULL_PATH, recipients, body, smtputf8, ...protection }, content }
}

function headerFields(input: DsnInput, kind: DsnKind, header: HeaderSection): OutgoingField[] {
  const { to, reports, id, hostname, language, nowMs } = input
  const words = TEXTS[language]
  const original = originalMessageId(header)
  const told = reports.filter(({ action }) => gravest([action]) === kind)
  const first = oneLine(recipientText(told[0]!.recipient.forwardPath, hostname), ADDRESS_CHARACTERS_MAX)
  return [
    addresses('From', { displayName: words.sender, mailbox: daemon(hostname) }),
    addresses('To', { mailbox: to.mailbox }),
    text('Subject', words.subject(toneOf(told.map(({ action }) => action)), first, told.length - 1)),
    structured('Date', dateTime(nowMs)),
    structured('Message-ID', `<${id}@${hostname}>`),
    ...(original === undefined ? [] : [structured('References', original)]),
    // RFC 3834 §5
    structured('Auto-Submitted', 'auto-replied'),
  ]
}

function daemon(hostname: string): Mailbox {
  const parsed = parseMailbox(`mailer-daemon@${hostname}`)
  if (!parsed.ok) throw new Error(`the hostname cannot stand in an address: ${hostname}`)
  return parsed.value
}

// Written by a stranger: only a plain one is repeated (RFC 5322 §3.6.4).
function originalMessageId(header: HeaderSection): string | undefined {
  const field = header.fields.find(({ name }) => name === 'message-id')
  const value = field === undefined ? '' : unfolded(field)
  return /^<[\x21-\x3b\x3d\x3f-\x7e]{1,248}>$/.test(value) ? value : undefined
}

function subjectOf(header: HeaderSection): string {
  const field = header.fields.find(({ name }) => name === 'subject')
  return field === undefined ? '' : oneLine(fieldText(unfolded(field)), SUBJECT_CHARACTERS_MAX)
}

type Returned = Extract<Part, { kind: 'headers' | 'message' }>

function returnedPart(
  { message, reports }: DsnInput,
  header: HeaderSection,
): Returned & { kind: 'headers' | 'message' } {
  const { content, envelope } = message
  const isFailure = reports.some(({ action }) => action === 'failed')
  // RFC 8689 §5: RET=FULL does not count with REQUIRETLS. RFC 3461 §5.3: the whole message comes back only with a failure.
  const isFull =
    envelope.ret === 'full' && !envelope.requireTls && isFailure && content.octets <= RETURNED_MESSAGE_OCTETS_MAX
  if (isFull && canCarry(content)) return { kind: 'message', content }
  const last = header.fields.findLast(({ end }) => end <= RETURNED_HEADER_OCTETS_MAX)
  return { kind: 'headers', octets: head(content, last?.end ?? 0) }
}

function quoter({ message, innerHosts }: DsnInput, isOwn: boolean): (report: RecipientReport) => string {
  const shown = shownTo(message.envelope, innerHosts)
  return ({ text: words }) => {
    // The step, in Postfix's way, stands at the end of what was recorded, and says nothing to a sender.
    const line = oneLine(words.replace(/ \(in reply to [A-Za-z ]{1,40}\)$/, ''))
    return isOwn ? line : withoutInnerNames(line, shown)
  }
}

// What the sender wrote into the envelope is no news to him.
function shownTo({ reversePath, recipients }: Envelope, innerHosts: readonly string[]): Shown {
  const paths = [reversePath, ...recipients.map(({ forwardPath }) => forwardPath)]
  const mailboxes = paths.flatMap((path) => (path.kind === 'mailbox' ? [path.mailbox] : []))
  return {
    mailboxes: new Set(mailboxes.map((one) => mailboxText(one).toLowerCase())),
    domains: new Set(mailboxes.flatMap(({ domain }) => (domain.kind === 'name' ? [domain.ascii] : []))),
    innerHosts: new Set(innerHosts.map((name) => name.toLowerCase())),
  }
}
