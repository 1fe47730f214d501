/**
 * `vorposten trace ID`: the whole story of one transaction or session, from the trace files. The id is in the reply that
 * the sender got, in the log, and in the Received field.
 */

import { access } from 'node:fs/promises'
import { factText, type ScanFact } from '#mail/scan.ts'
import type { SpamSign } from '#mail/spam.ts'
import { parseTraceId } from '#mail/trace-id.ts'
import { oneLine } from '#report/report.ts'
import { readTrace } from '#report/trace-files.ts'
import type { TraceRecord } from '#report/trace-record.ts'
import { EXIT, UserError } from './exit.ts'
import { signLine } from './scan-spam.ts'

export async function traceCommand(folder: string, text: string, json: boolean): Promise<void> {
  const id = parseTraceId(text)
  if (id === undefined) {
    throw new UserError(`${text} is no trace id`, 'It has 15 letters and digits, such as 1M867WJPS00D6TA.', EXIT.config)
  }
  await access(folder)
  const records = await readTrace(folder, id)
  if (records.length === 0) {
    const advice =
      'Traces are kept for a week; the last second may not be written yet. Is this the right configuration?'
    throw new UserError(`nothing is known of ${id}`, advice, EXIT.unavailable)
  }
  for (const record of records) process.stdout.write(`${json ? JSON.stringify(record) : story(record)}\n`)
}

// A relay of `none`: the attempt never got as far as a session.
function whereTo({ relay, tls, verifiedBy }: TraceRecord): string {
  return relay === 'none'
    ? 'no server reached'
    : `to ${relay}${tls ? ' with TLS' : ''}${verifiedBy ? `, ${verifiedBy}-verified` : ''}`
}

interface AttemptedRecipient {
  readonly to: string
  readonly status: string
  readonly text: string
}

const list = (value: unknown): string => (Array.isArray(value) ? value.join(', ') : String(value ?? ''))

// What peers said must not move the operator's cursor, nor look like a line of ours.
const printable = (record: TraceRecord): TraceRecord =>
  JSON.parse(JSON.stringify(record, (_, value) => (typeof value === 'string' ? oneLine(value) : value)))

const goesOnAs = ({ part, to }: TraceRecord): string => (part === undefined ? '' : ` as ${part} for ${list(to)}`)

const CUSTODY: { readonly [custody: string]: string } = {
  spool: 'kept here, on disk',
  quarantine: 'kept here, in quarantine',
}

/** One record as a sentence or two. */
export function story(raw: TraceRecord): string {
  const record = printable(raw)
  const { time, event } = record
  const at = `${time}  `
  const indent = ' '.repeat(at.length)
  if (record['by'] === 'operator') return `${at}${event} by operator: ${record['text'] ?? ''}`
  switch (event) {
    case 'accepted': {
      const custody = CUSTODY[String(record['custody'])] ?? 'delivered in the session'
      const note = record['note'] ? ` (${record['note']})` : ''
      return (
        `${at}accepted from ${record['client']} (${record['helo'] ?? 'no greeting'}${record['tls'] ? `, ${record['tls']}` : ''})\n` +
        `${indent}${record['from']} → ${list(record['to'])}, ${record['octets']} octets, for ${record['tenant']}\n` +
        `${indent}250 after ${record['receptionMs']} ms: ${custody}${note}`
      )
    }
    case 'refused':
      return (
        `${at}refused at ${String(record['at']).toUpperCase()}: ${record['reply']}\n` +
        `${indent}${record['client']} (${record['helo'] ?? 'no greeting'}): ${record['from'] ?? ''} → ${list(record['to'])}\n` +
        `${indent}because: ${reasonsIn(record)}`
      )
    case 'discarded':
      return (
        `${at}discarded: ${reasonsIn(record)}\n` +
        `${indent}${record['client']}: ${record['from']} → ${list(record['to'])}, for ${record['tenant']}; its server heard 250`
      )
    case 'scanned':
      return `${at}${scanStory(record).join(`\n${indent}`)}`
    case 'filtered':
      return `${at}${filterStory(record).join(`\n${indent}`)}`
    case 'authenticated':
      return `${at}AUTH ${record['mechanism']} as ${record['login'] ?? 'nobody'} from ${record['client']}: ${record['text']}`
    case 'attempted': {
      const where = `${record['inSession'] ? 'in the session, ' : ''}${whereTo(record)}`
      const lines = (record['recipients'] as AttemptedRecipient[]).map((r) => `${indent}${r.status} ${r.to}: ${r.text}`)
      return [`${at}attempt ${where}, ${record['ageMs']} ms after reception`, ...lines].join('\n')
    }
    case 'split':
      return `${at}goes on as ${record['part']} for ${list(record['to'])}: another destination, ${record['route']}`
    case 'quarantine':
      return `${at}quarantine: ${record['action']} by ${record['who']}${goesOnAs(record)}\n${indent}${record['text']}`
    case 'held':
      return `${at}held for ${list(record['to'])}: ${record['reason']}${record['stage'] ? ` at ${record['stage']}` : ''}\n${indent}${record['text']}`
    case 'dropped':
      return `${at}dropped for ${list(record['to'])}: ${record['reason']}\n${indent}${record['text']}`
    case 'notice-queued':
      return `${at}${record['about'] ? `report about ${record['about']}` : 'notice of ours'} to ${list(record['to'])}, ${record['octets']} octets, for ${record['tenant']}`
    case 'dsn-sent':
      return `${at}${record['kind']} report ${record['report']} to ${list(record['to'])} (verified by: ${record['class']})`
    case 'feedback':
      return `${at}${feedbackStory(record)}\n${indent}${record['text']}`
    case 'settled':
      return `${at}settled: every recipient has an end; nothing is kept here any more`
    default:
      return `${at}${event}: ${record['text'] ?? ''}`
  }
}

function scanStory({ decision, durationMs, cleanBy, facts, policy, memory }: TraceRecord): string[] {
  const clean = list(cleanBy)
  const by = `${clean === '' ? '' : `; nothing found by ${clean}`}${memory === 'hit' ? ', remembered' : ''}`
  // Records of an older release say nothing of the policy.
  const settings = (policy ?? []) as string[]
  return [`scanned: ${decision} after ${durationMs} ms${by}`, ...(facts as ScanFact[]).map(factText), ...settings]
}

function filterStory({ decision, score, class: of, signs, silent, policy, durationMs }: TraceRecord): string[] {
  const unheard = list(silent)
  const without = unheard === '' ? '' : `; silent: ${unheard}`
  const why = policy === undefined ? [] : [String(policy)]
  return [
    `spam filter: ${decision}, ${score} points, ${of}, after ${durationMs} ms${without}`,
    ...(signs as SpamSign[]).map((sign) => signLine(sign, 'en')),
    ...why,
  ]
}

function feedbackStory({ about, tenant, login, to, decision, proof }: TraceRecord): string {
  const who = login === undefined ? '' : `, sent by ${login}`
  const by = proof === undefined ? '' : `, proved by ${proof}`
  return `${about} of mail of ${tenant}${who} to ${list(to) || 'nobody who is named'}: ${decision}${by}`
}

const reasonsIn = (record: TraceRecord): string =>
  (record['reasons'] as { text: string }[]).map(({ text }) => text).join('; ')
