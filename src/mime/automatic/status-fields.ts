/**
 * The fields of a delivery status report (RFC 3464 §2; RFC 6533 for UTF-8), from message/delivery-status or from plain text
 * that carries the same lines.
 *
 * Read with patience: blank lines that are missing or too many, recipients without a type, fields in any order. Limits:
 * recipients and fields, named below; what is beyond them is not read, and the note says so.
 */
import type { Status } from '#mail/status.ts'
import { addressesIn } from './addresses.ts'
import { type DsnAction, printable } from './automatic-mail.ts'

/** RFC 5321 §4.5.3.1.8: a transaction has at least 100 recipients; a report names those of one message. */
export const RECIPIENTS_MAX = 500
export const STATUS_FIELDS_MAX = 10_000

export interface StatusReport {
  readonly reportingMta?: string
  readonly originalEnvelopeId?: string
  readonly recipients: readonly ReportedRecipient[]
  readonly cut: boolean
}

export interface ReportedRecipient {
  readonly recipient?: string
  readonly originalRecipient?: string
  readonly action?: DsnAction
  readonly status?: Status
  readonly diagnostic?: string
  readonly remoteMta?: string
}

type Group = Map<string, string>

/** Reads the text of a report; undefined if there is nothing of one in it. */
export function readStatusFields(text: string): StatusReport | undefined {
  const { groups, cut } = readGroups(text)
  const message = groups.find((group) => group.has('reporting-mta') || group.has('original-envelope-id'))
  const recipients = groups.filter(isRecipient).map(reportedRecipient)
  if (message === undefined && recipients.length === 0) return undefined
  const mta = message?.get('reporting-mta')
  const envelopeId = message?.get('original-envelope-id')
  return {
    ...(mta && { reportingMta: afterType(mta) }),
    ...(envelopeId && { originalEnvelopeId: printable(xtextDecoded(envelopeId)) }),
    recipients: recipients.slice(0, RECIPIENTS_MAX),
    cut: cut || recipients.length > RECIPIENTS_MAX,
  }
}

const isRecipient = (group: Group): boolean =>
  group.has('final-recipient') ||
  group.has('original-recipient') ||
  // Not the fields of the same names of a calendar.
  (actionOf(group.get('action')) !== undefined && /\d\.\d/.test(group.get('status') ?? ''))

const KNOWN = new Set([
  'reporting-mta',
  'original-envelope-id',
  'arrival-date',
  'received-from-mta',
  'original-recipient',
  'final-recipient',
  'action',
  'status',
  'remote-mta',
  'diagnostic-code',
  'last-attempt-date',
  'final-log-id',
  'will-retry-until',
  'x-actual-recipient',
  'x-supplementary-info',
  'x-display-name',
])
// One of these for a second time begins the next recipient, where the blank line is missing.
const ONCE = new Set(['final-recipient', 'original-recipient', 'action', 'status'])

function readGroups(text: string): { groups: Group[]; cut: boolean } {
  const groups: Group[] = []
  let group: Group = new Map()
  let last: string | undefined
  let count = 0
  const close = (): void => {
    if (group.size > 0) groups.push(group)
    group = new Map()
    last = undefined
  }
  for (const raw of text.split('\n')) {
    const line = raw.trimEnd()
    if (line === '') {
      close()
      continue
    }
    const field = /^\s{0,8}([A-Za-z][\w-]{2,40})\s{0,5}:(.*)$/s.exec(line)
    const name = field?.[1]?.toLowerCase() ?? ''
    const isFolded = line[0] === ' ' || line[0] === '\t'
    const isField = field !== null && (KNOWN.has(name) || (!isFolded && name.startsWith('x-')))
    if (!isField) {
      if (last !== undefined && isFolded) group.set(last, `${group.get(last)} ${line.trim()}`.slice(0, 4000))
      else last = undefined
      continue
    }
    if (++count > STATUS_FIELDS_MAX) return { groups, cut: true }
    if (ONCE.has(name) && group.has(name)) close()
    if (!group.has(name)) group.set(name, field![2]!.trim())
    last = name
  }
  close()
  return { groups, cut: false }
}

function reportedRecipient(group: Group): ReportedRecipient {
  const final = addressOf(group.get('final-recipient'))
  const original = addressOf(group.get('original-recipient'))
  const recipient = final ?? original ?? addressOf(group.get('x-actual-recipient'))
  const action = actionOf(group.get('action'))
  const status = /(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])/.exec(group.get('status')?.slice(0, 300) ?? '')
  const diagnostic = group.get('diagnostic-code') ?? comment(group.get('status'))
  const remote = group.get('remote-mta')
  return {
    ...(recipient !== undefined && { recipient }),
    ...(original !== undefined && original !== recipient && { originalRecipient: original }),
    ...(action !== undefined && { action }),
    ...(status !== null && { status: status[0] as Status }),
    ...(diagnostic && { diagnostic: printable(afterType(diagnostic)) }),
    ...(remote && { remoteMta: afterType(remote) }),
  }
}

// `Status: 5.1.1 (bad destination mailbox address)` is how some say why.
const comment = (status: string | undefined): string | undefined => /\(([^()]{3,300})\)/.exec(status ?? '')?.[1]

// "rfc822; user@host", "dns; host", "smtp; 550 …": the type is one word (RFC 3464 §2.1.2).
const afterType = (value: string): string => printable(value.replace(/^\s{0,20}[\w-]{1,30}\s{0,5};\s{0,20}/, ''))

function addressOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const type = /^\s{0,20}([\w-]{1,30})\s{0,5};/.exec(value)?.[1]?.toLowerCase()
  const text = afterType(value).replace(/^<|>$/g, '')
  const decoded = type === 'utf-8' ? unitextDecoded(text) : text
  const found = addressesIn(decoded)[0]?.address ?? decoded.replace(/^["']|["']$/g, '')
  return found === '' || found === '<>' ? undefined : printable(found)
}

function actionOf(value: string | undefined): DsnAction | undefined {
  const word = /[a-z]+/.exec(value?.toLowerCase() ?? '')?.[0]
  switch (word) {
    case 'failed':
    case 'failure':
    case 'fail':
    case 'expired':
    case 'denied':
      return 'failed'
    case 'delayed':
    case 'deferred':
    case 'delay':
      return 'delayed'
    case 'delivered':
    case 'relayed':
    case 'expanded':
      return word
    default:
      return undefined
  }
}

// RFC 3461 §4: +HH.
const xtextDecoded = (text: string): string =>
  text.replace(/\+([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

// RFC 6533 §3: \x{H…}, for those who must stay in ASCII.
const unitextDecoded = (text: string): string =>
  text.replace(/\\x\{([0-9A-Fa-f]{1,6})\}/g, (all, hex: string) => {
    const point = Number.parseInt(hex, 16)
    return point < 0x20 || point > 0x10ffff ? all : String.fromCodePoint(point)
  })
