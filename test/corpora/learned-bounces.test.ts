/**
 * What is learned of real bounces and complaints, against the reasons that Sisimai's table gives: an address that only has a
 * full mailbox, or a server that dislikes us, must never be called one that does not exist. The corpora lie beside the
 * checkout, or where MAIL_CORPORA says.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { classify } from '#mime/automatic/classify.ts'
import { bounceKind } from '../../src/relay/bounce-kind.ts'
import { readArchive } from './archive.ts'
import { corpusMessage } from './corpus-message.ts'

const folder = process.env['MAIL_CORPORA']
const CORPORA = new URL(
  'bounces/',
  folder ? pathToFileURL(`${folder}/`) : new URL('../../../shared/data/', import.meta.url),
)

/** No such mailbox, or none that takes mail any more, in Sisimai's words; `filtered` and `rejected` say it sometimes. */
const GONE = new Set(['userunknown', 'hasmoved', 'suspend', 'hostunknown'])
const MAY_BE_GONE = new Set(['filtered', 'rejected', 'onhold', 'undefined', 'notaccept'])
/** Of the addresses that do not exist. The others count as soft bounces, which costs a further attempt. */
const FOUND_MIN = 0.8
const NAMED_MIN = 0.6
/** procmail's own trouble, which its server reports as 5.1.1 "No such user": nobody can tell. */
const SAYS_SO_ITSELF = 'lhost-postfix-01.eml'

const archive = (source: string) => readArchive(new URL(`${source}.tar.gz`, CORPORA))
const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

test('hard bounces are those of mailboxes that do not exist', (t) => {
  if (!existsSync(CORPORA)) return t.diagnostic('bounces are not here: not measured')
  const rows = readFileSync(new URL('sisimai-expected.tsv', CORPORA), 'utf8').trimEnd().split('\n').slice(1)
  const tables = Map.groupBy(
    rows.map((row) => row.split('\t')),
    ([file]) => file!,
  )
  let unknown = 0
  let found = 0
  let hard = 0
  const wrong: string[] = []
  const missed: string[] = []
  for (const { path, octets } of archive('sisimai')) {
    const reasons = (tables.get(baseName(path)) ?? []).map((row) => row[4]!)
    const mail = classify(corpusMessage(octets))
    // Of several recipients with several reasons the table does not say which is whose.
    if (mail.kind !== 'dsn' || new Set(reasons).size !== 1) continue
    const reason = reasons[0]!
    for (const recipient of mail.dsn.recipients) {
      const isHard = bounceKind(recipient) === 'hard'
      const line = `${baseName(path)}: ${reason}: ${recipient.status} ${recipient.replyCode ?? ''} ${recipient.diagnostic?.slice(0, 100)}`
      if (isHard) hard++
      const isExcused = path.endsWith(SAYS_SO_ITSELF)
      if (isHard && !isExcused && !GONE.has(reason) && !MAY_BE_GONE.has(reason)) wrong.push(line)
      if (reason !== 'userunknown') continue
      unknown++
      if (isHard) found++
      else missed.push(line)
    }
  }
  t.diagnostic(
    `${found} of ${unknown} unknown recipients are hard bounces; ${wrong.length} of ${hard} hard ones should not be`,
  )
  for (const line of missed) t.diagnostic(`  missed: ${line}`)
  assert.deepEqual(wrong, [])
  assert.ok(found >= FOUND_MIN * unknown, `${found} of ${unknown}`)
})

test('complaints say who complains, where nobody has blackened it', (t) => {
  if (!existsSync(CORPORA)) return t.diagnostic('bounces are not here: not measured')
  let complaints = 0
  let named = 0
  let returned = 0
  for (const source of ['sisimai', 'flanker', 'mimekit']) {
    for (const { octets } of archive(source)) {
      const mail = classify(corpusMessage(octets))
      if (mail.kind !== 'feedback-report') continue
      complaints++
      if (mail.feedback.originalRecipients.length > 0 || mail.feedback.returnedRecipients !== undefined) named++
      if (mail.feedback.originalMessageId !== undefined) returned++
    }
  }
  t.diagnostic(`${complaints} complaints: ${named} name recipients, ${returned} return the header section`)
  assert.ok(complaints >= 15 && named >= NAMED_MIN * complaints, `${named} of ${complaints}`)
})
