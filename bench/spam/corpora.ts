/**
 * Labelled mail, from archives in folders that are named by the caller: what `bench/spam` trains and judges with. Before a
 * filter sees a message, all is taken out of it that an earlier filter or mailbox has written (docs/adr/0023).
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fieldText } from '#mime/decoded-text.ts'
import { fieldValue, readFields } from '#mime/structure.ts'

export interface Labelled {
  /** Of the octets; where the message lies, for a person. */
  readonly id: string
  readonly isSpam: boolean
  readonly group: string
  /** Cleaned; CRLF at the ends of lines. */
  readonly octets: Buffer
  /** When the last server received it; undefined where it does not say. */
  readonly receivedMs: number | undefined
  /** Of its normalised subject: a thread or a campaign has one. */
  readonly thread: number
}

/** `archives`: file name to label and group. */
export function readCorpus(folder: string, archives: Readonly<Record<string, boolean>>): Labelled[] {
  const found: Labelled[] = []
  for (const [archive, isSpam] of Object.entries(archives)) {
    const place = mkdtempSync(join(tmpdir(), 'corpus-'))
    try {
      execFileSync('tar', ['-xzf', join(folder, archive), '-C', place])
      for (const file of filesIn(place))
        found.push(labelled(readFileSync(file), isSpam, archive.replace('.tar.gz', '')))
    } finally {
      rmSync(place, { recursive: true, force: true })
    }
  }
  return found.sort((a, b) => (a.id < b.id ? -1 : 1))
}

export const spamAssassin = (folder: string): Labelled[] =>
  readCorpus(folder, {
    'easy-ham-1.tar.gz': false,
    'easy-ham-2.tar.gz': false,
    'hard-ham-1.tar.gz': false,
    'spam-1.tar.gz': true,
    'spam-2.tar.gz': true,
  })

export const mailOf2025 = (folder: string): Labelled[] =>
  readCorpus(folder, { 'ham.tar.gz': false, 'spam.tar.gz': true })

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

export function labelled(raw: Buffer, isSpam: boolean, group: string): Labelled {
  const text = cleaned(raw.toString('latin1'))
  const { fields } = readFields(text, 0, text.length)
  const subject = normalised(fieldText(fieldValue(fields, 'subject') ?? ''))
  return {
    id: createHash('sha256').update(raw).digest('hex').slice(0, 16),
    isSpam,
    group,
    octets: Buffer.from(text, 'latin1'),
    receivedMs: received(fieldValue(fields, 'received')),
    thread: createHash('sha256').update(subject).digest().readUInt32BE(0),
  }
}

const TOLD =
  /^(?:x-spam.*|x-foff.*|authentication-results|arc-.*|received-spf|delivered-to|x-original-to|status|x-status|x-keywords|x-ms-exchange-organization-scl|x-forefront-.*|x-microsoft-antispam.*)$/i

/** Before the first field: of a mailbox file, and what the tool wrote that a third of the mail of 2025 went through. */
const ADDED = /^(?:From .*\r?\n|[^\n]{0,9}Loading [^\n:]{1,60}configuration:.*\r?\n)/

/** Without what others thought of it, and with CRLF. */
export function cleaned(raw: string): string {
  const text = raw.replace(ADDED, '').replace(/\r?\n/g, '\r\n')
  const end = text.indexOf('\r\n\r\n')
  const header = end < 0 ? text : text.slice(0, end + 2)
  const kept = header.replace(/^([!-9;-~]+)[ \t]*:.*\r\n(?:[ \t].*\r\n)*/gm, (field, name: string) =>
    TOLD.test(name) ? '' : field,
  )
  return kept + (end < 0 ? '' : text.slice(end + 2))
}

const normalised = (subject: string): string =>
  subject
    .toLowerCase()
    .replace(/^(?:\s*(?:re|fwd?|aw|wg|sv|antw)\s*(?:\[\d+\])?\s*:)+/, '')
    .replace(/\[[^\]]{1,40}\]/g, '')
    .replace(/[\d\s\p{P}]+/gu, '')

function received(field: string | undefined): number | undefined {
  const at = field?.lastIndexOf(';') ?? -1
  const ms = at < 0 ? Number.NaN : Date.parse(field!.slice(at + 1).replace(/\([^)]*\)/g, ''))
  return Number.isNaN(ms) ? undefined : ms
}
