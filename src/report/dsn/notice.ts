/**
 * The part of a report that a person reads: who did not get it, why in plain words and in the server's own, what to do next.
 * Plain text in one language, lines of 72 characters where words allow. Limit: recipients that are named, below.
 */
import type { RecipientReport } from '#mail/dsn.ts'
import type { StoredMessage } from '#mail/stored.ts'
import { isReply, recipientText } from './status-groups.ts'
import { causeOf, toneOf, type Words } from './texts.ts'

/** More would hide the advice; the part for machines names all. */
export const NAMED_RECIPIENTS_MAX = 20

const LINE_CHARS_MAX = 72

export interface NoticeFacts {
  readonly words: Words
  readonly message: Pick<StoredMessage, 'id' | 'envelope' | 'reception'>
  readonly hostname: string
  /** Of the message, as a person reads it; one line. */
  readonly subject: string
  readonly isOwn: boolean
  readonly said: (report: RecipientReport) => string
  readonly returned: 'headers' | 'message'
}

export function notice(facts: NoticeFacts, reports: readonly RecipientReport[]): string {
  const { words, message, hostname, subject, returned } = facts
  const tone = toneOf(reports.map(({ action }) => action))
  const isAll =
    reports.every(({ action }) => action === 'failed') && reports.length === message.envelope.recipients.length
  const { labels } = words
  const sections = (['failed', 'delayed', 'delivered', 'relayed'] as const).flatMap((action) => {
    const named = reports.filter((report) => report.action === action)
    return named.length === 0 ? [] : [section(facts, words.headings[action], named)]
  })
  const about = [
    ...(subject === '' ? [] : [`${labels.subject}: ${subject}`]),
    `${labels.received}: ${words.time(message.reception.receivedMs)}`,
    `${labels.id}: ${message.id}`,
  ]
  const paragraphs = [
    wrapped(words.opening(tone, isAll)),
    about.join('\n'),
    ...sections,
    wrapped(words.author(hostname)),
    wrapped(words.attached[returned]),
  ]
  return `${paragraphs.join('\n\n')}\n`
}

function section(facts: NoticeFacts, heading: string, reports: readonly RecipientReport[]): string {
  const named = reports.slice(0, NAMED_RECIPIENTS_MAX).map((report) => entry(facts, heading, report))
  const left = reports.length - named.length
  return [...named, ...(left > 0 ? [facts.words.more(left)] : [])].join('\n\n')
}

function entry(facts: NoticeFacts, heading: string, report: RecipientReport): string {
  const { words, hostname } = facts
  const to = `${heading}: <${recipientText(report.recipient.forwardPath, hostname)}>`
  switch (report.action) {
    case 'failed':
      return [
        to,
        wrapped(words.meanings[causeOf(report.status)], '  '),
        ...quotation(facts, report),
        wrapped(words.advice[causeOf(report.status)], '  '),
      ].join('\n')
    case 'delayed':
      return [to, ...quotation(facts, report), wrapped(retrying(words, report), '  ')].join('\n')
    case 'delivered':
    case 'expanded':
      return [to, wrapped(words.delivered, '  ')].join('\n')
    case 'relayed':
      return [to, wrapped(words.relayed, '  ')].join('\n')
  }
}

function retrying(words: Words, { willRetryUntilMs, recipient }: RecipientReport): string {
  const until = willRetryUntilMs === undefined ? undefined : words.time(willRetryUntilMs)
  const { notify } = recipient
  const isTold = notify === undefined || (notify !== 'never' && notify.includes('failure'))
  return `${words.retrying(until)}${isTold && until !== undefined ? ` ${words.willBeTold}` : ''}`
}

// Never wrapped: it can be searched for as it is.
function quotation({ words, said, isOwn }: NoticeFacts, report: RecipientReport): string[] {
  const quoted = said(report)
  if (quoted === '') return []
  const byServer = isOwn && report.remoteMta !== undefined ? words.serverSaidBy(report.remoteMta) : words.serverSaid
  return [wrapped(isReply(quoted) ? byServer : words.weSaid, '  '), `    ${quoted}`]
}

function wrapped(paragraph: string, indent = ''): string {
  const lines: string[] = []
  let line = ''
  for (const word of paragraph.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > LINE_CHARS_MAX) {
      lines.push(indent + line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, indent + line].join('\n')
}
