/**
 * The classifier of automatic mail against real bounces, complaints, auto-replies and ordinary mail, judged by the tables of
 * those who collected them. The corpora are larger than the project carries: beside the checkout, or where MAIL_CORPORA says.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { before, describe, type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { NULL_PATH } from '#mail/address.ts'
import type { AutomaticMail, DsnRecipient } from '#mime/automatic/automatic-mail.ts'
import { classify } from '#mime/automatic/classify.ts'
import { type ArchivedFile, readArchive } from './archive.ts'
import { expectedKind, isKind, isStatus, type SisimaiRow } from './bounces-oracle.ts'
import { corpusMessage } from './corpus-message.ts'

const folder = process.env['MAIL_CORPORA']
const CORPORA = folder ? pathToFileURL(`${folder}/`) : new URL('../../../shared/data/', import.meta.url)

/** Of the messages of the bounces corpus. */
const CLASSIFIED_RIGHT_MIN = 0.99
/** Of the rows of the two tables. */
const RECIPIENTS_RIGHT_MIN = 0.97

const BOUNCES = [
  'sisimai',
  'bounceparser',
  'bounce_email',
  'flufl',
  'spamassassin',
  'flanker',
  'mail-gem',
  'mimekit',
  'enmime',
]
/** Mail that people got and kept; spam is here too, because a bounce is not what it is. */
const HAM = [
  'spam-spamassassin/easy-ham-1.tar.gz',
  'spam-spamassassin/easy-ham-2.tar.gz',
  'spam-spamassassin/hard-ham-1.tar.gz',
  'mail-2025-labelled/ham.tar.gz',
  'mail-2025-labelled/spam.tar.gz',
  'spam-spamassassin/spam-1.tar.gz',
  'spam-spamassassin/spam-2.tar.gz',
]
/** They kept bounces, too: of Prodigy, of a filter that refused a message, and a Postfix that was still trying. */
const KEPT_BOUNCES = ['easy-ham-1/01507.', 'easy-ham-1/01542.', 'easy-ham-2/01311.']

const isKept = (file: ArchivedFile): boolean => KEPT_BOUNCES.some((kept) => file.path.startsWith(kept))

/** A corpus that is not there is said to be missing, not called passed. */
function has(t: TestContext, path: string): boolean {
  if (existsSync(new URL(path, CORPORA))) return true
  t.diagnostic(`${path} is not here: not measured; MAIL_CORPORA names the folder`)
  return false
}

const rows = (path: string): string[][] =>
  readFileSync(new URL(path, CORPORA), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))

const classifyFile = (file: ArchivedFile): AutomaticMail => classify(corpusMessage(file.octets))
const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

function report(t: TestContext, what: string, all: number, wrong: readonly string[], rightMin: number): void {
  const right = (all - wrong.length) / all
  const percent = (100 * right).toFixed(2)
  t.diagnostic(`${what}: ${all - wrong.length} of ${all} right, ${percent} %`)
  for (const line of wrong) t.diagnostic(`  ${line}`)
  assert.ok(right >= rightMin, `${what}: ${percent} % right\n${wrong.join('\n')}`)
}

describe('bounces', () => {
  const mails = new Map<string, AutomaticMail>()
  before(() => {
    if (!existsSync(new URL('bounces/index.tsv', CORPORA))) return
    for (const source of BOUNCES) {
      for (const file of readArchive(new URL(`bounces/${source}.tar.gz`, CORPORA)))
        mails.set(file.path, classifyFile(file))
    }
  })
  const byName = (source: string): Map<string, AutomaticMail> =>
    new Map([...mails].filter(([path]) => path.startsWith(`${source}/`)).map(([path, mail]) => [baseName(path), mail]))

  test('are classified', (t) => {
    if (!has(t, 'bounces/index.tsv')) return
    const reasons = Map.groupBy(rows('bounces/sisimai-expected.tsv'), (row) => row[0]!)
    const sources = new Map(rows('bounces/index.tsv').map((row) => [row[0]!, row[4]!]))
    const wrong: string[] = []
    for (const [path, mail] of mails) {
      const table = path.startsWith('sisimai/') ? (reasons.get(baseName(path)) ?? []) : []
      const said = new Set(table.map((row) => row[4]!))
      const expected = expectedKind(path, sources.get(path) ?? '', said)
      if (!isKind(mail, expected)) wrong.push(`${path}: ${mail.kind}, expected ${expected}`)
    }
    report(t, 'kind', mails.size, wrong, CLASSIFIED_RIGHT_MIN)
  })

  test('have the recipients and states of the tables', (t) => {
    if (!has(t, 'bounces/sisimai-expected.tsv')) return
    const wrong = [...sisimaiFaults(byName('sisimai')), ...fluflFaults(byName('flufl'))]
    t.diagnostic(
      `${counts.exact} states exactly as in the table, ${counts.derived} where the message has none, by the reason`,
    )
    t.diagnostic(`${counts.replyRight} of ${counts.reply} reply codes as in the table (for information)`)
    report(t, 'recipient and status', counts.judged, wrong, RECIPIENTS_RIGHT_MIN)
  })
})

const counts = { judged: 0, exact: 0, derived: 0, reply: 0, replyRight: 0 }

function* sisimaiFaults(mails: ReadonlyMap<string, AutomaticMail>): Generator<string> {
  const tables = Map.groupBy(rows('bounces/sisimai-expected.tsv'), (row) => row[0]!)
  for (const [name, table] of tables) {
    const mail = mails.get(name)
    assert.ok(mail, name)
    // Complaints and absences have no recipient with a status; the first test has judged them.
    const expected = table.filter((row) => row[4] !== 'feedback' && row[4] !== 'vacation')
    if (expected.length === 0) continue
    const found = mail.kind === 'dsn' ? [...mail.dsn.recipients] : []
    for (const [, , dsn, replyCode, why] of expected) {
      counts.judged++
      const row: SisimaiRow = { dsn: dsn!, replyCode: replyCode!, reason: why! }
      // The table has no addresses, so each row takes the recipient that fits it.
      const at = found.findIndex((recipient) => isStatus(recipient, row))
      const matched = at < 0 ? undefined : found.splice(at, 1)[0]
      if (matched !== undefined) count(matched, row)
      if (!matched?.recipient.includes('@')) yield `${name}: ${row.dsn} ${row.replyCode} ${row.reason}; ${shown(mail)}`
    }
    if (found.length > 0 && expected.length === table.length) {
      yield `${name}: ${found.length} recipients too many; ${shown(mail)}`
    }
  }
}

function count(found: DsnRecipient, row: SisimaiRow): void {
  if (found.status === row.dsn) counts.exact++
  else counts.derived++
  if (row.replyCode === '') return
  counts.reply++
  if (String(found.replyCode) === row.replyCode) counts.replyRight++
}

function* fluflFaults(mails: ReadonlyMap<string, AutomaticMail>): Generator<string> {
  for (const [name = '', , recipient = ''] of rows('bounces/flufl-expected.tsv')) {
    counts.judged++
    const mail = mails.get(name)
    assert.ok(mail, name)
    const found = mail.kind === 'dsn' ? mail.dsn.recipients : []
    const names = found.flatMap((one) => [one.recipient, one.originalRecipient ?? '']).map((one) => one.toLowerCase())
    if (!names.includes(recipient.toLowerCase())) yield `${name}: ${recipient}; ${shown(mail)}`
  }
}

const shown = (mail: AutomaticMail): string =>
  mail.kind === 'dsn'
    ? `${mail.dsn.format} ${mail.dsn.recipients.map(shownRecipient).join(' | ') || 'nobody'}`
    : mail.kind

const shownRecipient = ({ recipient, status, statusSource, replyCode, diagnostic }: DsnRecipient): string =>
  `${recipient} ${status} (${statusSource}${replyCode ? ` ${replyCode}` : ''}) ${diagnostic?.slice(0, 80) ?? ''}`

describe('ordinary mail', () => {
  for (const path of HAM) {
    test(`no bounce in ${path}`, (t) => {
      if (!has(t, path)) return
      const files = readArchive(new URL(path, CORPORA))
      const wrong: string[] = []
      let automatic = 0
      for (const file of files) {
        const mail = classifyFile(file)
        if (mail.kind !== 'ordinary') automatic++
        if (mail.kind === 'ordinary' || isKept(file)) continue
        if (mail.kind !== 'dsn') t.diagnostic(`  ${file.path}: ${mail.kind}: ${JSON.stringify(mail.reasons)}`)
        else wrong.push(`${file.path}: ${JSON.stringify(mail.reasons)}; ${shown(mail)}`)
      }
      t.diagnostic(`${files.length - automatic} of ${files.length} ordinary`)
      assert.deepEqual(wrong, [])
      // RFC 3834 §3.3: nor does the null reverse path make a bounce of it.
      const fromNobody = files.filter((file) => {
        return classify({ ...corpusMessage(file.octets), reversePath: NULL_PATH }).kind === 'dsn' && !isKept(file)
      })
      assert.deepEqual(
        fromNobody.map((file) => file.path),
        [],
      )
    })
  }
})
