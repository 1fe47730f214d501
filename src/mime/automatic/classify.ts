/**
 * Classifies automatic mail: bounce, disposition notification, absence, other auto-reply, challenge, feedback report, or
 * ordinary, each with the evidence that decided.
 *
 * Reports in the form of a standard are what they say. Everything else is weighed, because everybody may write anything:
 * `<>` alone proves nothing (RFC 3834 §3.3, RFC 5321 §4.5.5), nor does a sender's name or a subject; together with a failed
 * recipient and what was said about him they do. What does not add up is `ordinary`.
 *
 * Pure and total: any octets in, an answer out, in time linear in what is examined. Limit: octets of content, below.
 */
import type { ReversePath } from '#mail/address.ts'
import { type Content, head } from '#mail/content.ts'
import { fieldText } from '../decoded-text.ts'
import { type HeaderSection, unfolded } from '../header-section.ts'
import { fieldValue, readStructure, type Structure, type TextField } from '../structure.ts'
import { fieldAddress } from './addresses.ts'
import { autoSubmitted, isList, judgeReply } from './auto-reply.ts'
import { type AutomaticMail, type DsnRecipient, printable, type Reason, reason } from './automatic-mail.ts'
import { isReportType, type ReadDsn, readDsn } from './dsn.ts'
import { openingOf } from './formats.ts'
import { openingText, readFeedback, readMdn, readSesNotification } from './other-reports.ts'
import { mayBeAutomatic } from './pre-check.ts'
import { isFailureSubject, SUBJECT_CHARACTERS_MAX } from './subjects.ts'

/** Of a content, from its start. A report stands before the message that it returns. */
export const EXAMINED_OCTETS_MAX = 512 * 1024

export interface ClassifyInput {
  readonly reversePath: ReversePath
  readonly header: HeaderSection
  /** Header section and body. */
  readonly content: Content
}

/** What kind of automatic mail it is. Never throws. */
export function classify({ reversePath, header, content }: ClassifyInput): AutomaticMail {
  if (!mayBeAutomatic(header, reversePath)) return { kind: 'ordinary', reasons: [reason('no-evidence', 'header')] }
  const text = head(content, EXAMINED_OCTETS_MAX).toString('latin1')
  const fields = header.fields.map((field) => ({ name: field.name, value: unfolded(field) }))
  const blank = text.startsWith('\r\n', header.end) ? 2 : 0
  const structure = readStructure(text, fields, header.end + blank)
  // Raw octets in a subject are in the charset of the text, if in any.
  const charset = structure.parts.find(({ parameters }) => parameters.has('charset'))?.parameters.get('charset')
  const facts: Facts = {
    text,
    fields,
    structure,
    isNullPath: reversePath.kind === 'null',
    subject: fieldText(fieldValue(fields, 'subject') ?? '', charset).slice(0, SUBJECT_CHARACTERS_MAX),
  }
  return report(facts) ?? bounce(facts) ?? reply(facts) ?? ordinary(facts)
}

interface Facts {
  readonly text: string
  readonly fields: readonly TextField[]
  readonly structure: Structure
  readonly isNullPath: boolean
  readonly subject: string
}

// RFC 5965 and RFC 8098 have types of their own; nothing needs weighing there.
function report({ text, structure, fields, subject }: Facts): AutomaticMail | undefined {
  const type = structure.parts[0]!.type
  const isReport = type === 'multipart/report' || type === 'multipart/mixed' || isReportType(type)
  if (isReport) {
    const feedback = readFeedback(text, structure, subject)
    if (feedback !== undefined) {
      return { kind: 'feedback-report', reasons: [reason('report-part', 'message/feedback-report')], feedback }
    }
    const mdn = readMdn(text, structure)
    if (mdn !== undefined) {
      return { kind: 'mdn', reasons: [reason('report-part', 'message/disposition-notification')], mdn }
    }
  }
  const claimed = structure.parts[0]!.parameters.get('report-type')?.toLowerCase()
  if (type === 'multipart/report' && claimed === 'disposition-notification') {
    return { kind: 'mdn', reasons: [reason('report-type', claimed)], mdn: {} }
  }
  const from = fieldValue(fields, 'from') ?? ''
  const ses = /amazonaws\.com|amazonses\.com/i.test(from) ? readSesNotification(text, structure) : undefined
  if (ses === undefined) return undefined
  const reasons = [reason('sender', from)]
  return 'dsn' in ses
    ? { kind: 'dsn', reasons, dsn: ses.dsn }
    : { kind: 'feedback-report', reasons, feedback: ses.feedback }
}

/** What must come together before a notice in words is believed to be a bounce. */
const BOUNCE_WEIGHT_MIN = 5

function bounce(facts: Facts): AutomaticMail | undefined {
  const read = readDsn(facts.text, facts.fields, facts.structure, facts.subject)
  const weighed = weigh(facts, read)
  const weight = weighed.reduce((sum, [points]) => sum + points, 0)
  // Who it comes from and whom it names is not enough: something must say that a delivery failed.
  if (weight < BOUNCE_WEIGHT_MIN || !saysSo(weighed.map(([, { evidence }]) => evidence))) return undefined
  const reasons = weighed.filter(([points]) => points > 0).map(([, why]) => why)
  // A challenge may come dressed as a report.
  const { fields, isNullPath, subject } = facts
  const opening = read.notice.lines.slice(0, 60).join('\n').slice(0, 4000)
  const asked = judgeReply({ header: fields, isNullPath, subject, opening })
  if (asked?.kind === 'challenge' && openingOf(read.notice.lines) === undefined)
    return { ...asked, ...authorOf(fields) }
  return { kind: 'dsn', reasons, dsn: read.dsn }
}

// Words that occur in any mail tell only in the mouth of a mail system, or from nobody with the message that came back.
const saysSo = (found: readonly Reason['evidence'][]): boolean =>
  found.some((evidence) => TELLING.has(evidence)) ||
  (found.includes('words') && (found.includes('sender') || RETURNED.every((evidence) => found.includes(evidence))))

const RETURNED: readonly Reason['evidence'][] = ['null-reverse-path', 'failed-recipient', 'returned-message']

const TELLING: ReadonlySet<Reason['evidence']> = new Set([
  'subject',
  'report-part',
  'report-type',
  'notice-text',
  'header-field',
])

const SENDER =
  /mailer[-_. ]?daemon|mail[-_. ]?(?:delivery|deliver)[-_. ]?(?:sub)?system|post_?master(?:@|\b)|^\s*[^<]{0,200}<>\s*$|\bmdaemon@|system administrator|mail administrator|symantec_antivirus|sysadmin@|jetmail system/i
const SAYS_FAILURE =
  /(?:could|can|was|were|did|has|have|be|is)(?: ?not|n'?t)(?: yet)?(?: be(?:en)?| be able to)?(?: successfully)? (?:deliver|reach|sent|accept)|undeliver|unable to deliver|deliver(?:y|ed)?[^.\n]{0,60}fail|fail(?:ed|ure)[^.\n]{0,60}deliver|delivery (?:error|problem|status)|wasn'?t able to deliver|had (?:permanent|transient) fatal errors|no such user|user unknown|unknown user|invalid (?:user|final)|permanent (?:error|failure)|returned to (?:you|sender)|not a valid user|message rejected|rejected by|not (?:been )?delivered|mailbox is full|nicht (?:zugestellt|ausgeliefert|zustell)|konnte nicht|error message below|over quota|exceeds allowed size|could ?n'?t be sent|trouble delivering|have been (?:blocked|rejected)/i

function weigh(facts: Facts, read: ReadDsn): readonly (readonly [number, Reason])[] {
  const { fields, isNullPath, subject, structure } = facts
  const from = fieldText(fieldValue(fields, 'from') ?? '').slice(0, 500)
  const said = read.notice.lines.slice(0, 120).join('\n').slice(0, 6000)
  const { dsn } = read
  const isSender = SENDER.test(from)
  const signs: (readonly [number, Reason])[] = []
  const add = (points: number, why: Reason): number => signs.push([points, why])
  if (isNullPath) add(2, reason('null-reverse-path', '<>'))
  if (isSender) add(2, reason('sender', from))
  if (isFailureSubject(subject)) add(2, reason('subject', subject))
  if (read.hasReportPart) add(isRoot(structure) ? 5 : 3, reason('report-part', 'message/delivery-status'))
  else if (/delivery-status/i.test(structure.parts[0]!.parameters.get('report-type') ?? ''))
    add(3, reason('report-type', 'delivery-status'))
  if (read.source === 'text-fields') add(3, reason('notice-text', 'fields of a delivery status'))
  if (read.source === 'failed-recipients-field') add(3, reason('header-field', 'x-failed-recipients'))
  const opening = openingOf(read.notice.lines.slice(0, 12))
  if (opening !== undefined) add(3, reason('notice-text', opening))
  else if (dsn.format !== 'text' && dsn.format !== 'rfc3464') add(2, reason('notice-text', dsn.format))
  if (SAYS_FAILURE.test(said)) add(1, reason('words', SAYS_FAILURE.exec(said)?.[0] ?? ''))
  const named = read.source === 'notice' ? dsn.recipients[0]?.recipient : undefined
  if (named !== undefined) add(1, reason('failed-recipient', named))
  if (named !== undefined && isFailed(dsn.recipients)) add(1, reason('failed-recipient', 'with what was said about it'))
  const quoted = /^[\s<>|*-]{0,8}(?:4[2-5]|5[0-7])\d[ -][^\n]{0,20}[A-Za-z]{3}/m.exec(said)?.[0]
  if (quoted !== undefined) add(1, reason('words', quoted))
  if (dsn.returned !== undefined) add(1, reason('returned-message', dsn.returned.form))
  const submitted = autoSubmitted(fields)
  if (submitted !== undefined && submitted !== 'no') add(1, reason('auto-submitted', submitted))
  if (!isSender) for (const why of signsOfPeople(facts)) add(-2, why)
  return signs
}

const isFailed = (recipients: readonly DsnRecipient[]): boolean =>
  recipients.some(({ statusSource }) => statusSource !== 'action')

const isRoot = (structure: Structure): boolean =>
  structure.parts[0]!.type === 'multipart/report' || isReportType(structure.parts[0]!.type)

// What a person or a list writes and a mail system does not.
function signsOfPeople({ fields, subject }: Facts): Reason[] {
  const signs: Reason[] = []
  if (isList(fields)) signs.push(reason('mailing-list', 'list header fields'))
  if (/^(?:re|fwd?|aw|wg|sv|antw|tr|rv|odp)\s{0,2}(?:\[\d+\])?:/i.test(subject)) signs.push(reason('subject', subject))
  if (fields.some(({ name }) => name === 'x-mailer' || name === 'user-agent'))
    signs.push(reason('header-field', 'user-agent'))
  return signs
}

function reply({ fields, isNullPath, subject, text, structure }: Facts): AutomaticMail | undefined {
  const judged = judgeReply({ header: fields, isNullPath, subject, opening: openingText(text, structure) })
  return judged && { ...judged, ...authorOf(fields) }
}

function authorOf(fields: readonly TextField[]): { author?: string } {
  const author = fieldAddress(fieldText(fieldValue(fields, 'from') ?? ''))
  return author === undefined ? {} : { author: printable(author) }
}

function ordinary({ fields, isNullPath }: Facts): AutomaticMail {
  if (isList(fields)) return { kind: 'ordinary', reasons: [reason('mailing-list', 'list header fields')] }
  return {
    kind: 'ordinary',
    reasons: [reason('no-evidence', isNullPath ? '<> alone is no proof' : 'too little evidence')],
  }
}
