/** Stripping as a step: which parts go, what the recipient reads instead, and everything that makes it a refusal or a 451. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Content, content } from '#mail/content.ts'
import type { PathEvent } from '#mail/event.ts'
import type { ScanFact } from '#mail/scan.ts'
import { mailbox, transaction } from '#mail/testing.ts'
import { partsOf } from '#mime/removal/parts.ts'
import type { Engine, Reader } from '#scan/contract.ts'
import { Wall } from '#scan/wall.ts'
import type { Tenant } from '#tenant/directory.ts'
import { type VirusPolicyLayer, virusPolicy } from '#tenant/virus-policy.ts'
import { Scanning } from './scanning.ts'
import { PARTS_MAX, SCANS_MS_MAX } from './stripping.ts'
import { served } from './testing.ts'

const MALWARE: ScanFact = { kind: 'malware', engine: 'words', name: 'Evil http://x', where: 'message' }
const MACRO: ScanFact = { kind: 'macro', dialect: 'vba', autoRun: false, where: 'part 2' }
const SILENT: ScanFact = { kind: 'not-looked', engine: 'words', why: 'down', text: 'away' }
const STRIP: VirusPolicyLayer = { malware: 'strip', macros: 'tag' }

const textOf = (of: Content): string => Buffer.concat(of.chunks).toString('latin1')
/** Finds by words; it looks inside no part and names none. */
const words = (finds: Readonly<Record<string, ScanFact>>): Engine => ({
  name: 'words',
  look: async (of) => Object.entries(finds).flatMap(([word, fact]) => (textOf(of).includes(word) ? [fact] : [])),
})
const mail = (...parts: string[]) =>
  content([
    Buffer.from(
      `Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${parts.map((part) => `--b\r\n${part}\r\n`).join('')}--b--\r\n`,
    ),
  ])
const TEXT = 'Content-Type: text/plain\r\n\r\nhello'
const BAD = 'Content-Type: application/zip; name="a\u202e http://x.zip"\r\n\r\nEVIL'

interface Bench {
  readonly finds?: Readonly<Record<string, ScanFact>>
  readonly policy?: VirusPolicyLayer
  readonly tenant?: Partial<Tenant>
  /** Of each scan. */
  readonly durationMs?: number
  readonly isRead?: boolean
}

async function scanned(message: Content, { finds, policy = STRIP, tenant, durationMs = 0, isRead = true }: Bench = {}) {
  const events: PathEvent[] = []
  let nowMs = 0
  const clock = { monotonic: () => (nowMs += durationMs) }
  const reader: Reader = {
    name: 'readings',
    examines: false,
    read: () => ({ extra: Promise.resolve([]), facts: Promise.resolve([]) }),
    parts: async (of) => partsOf(Buffer.concat(of.chunks)),
    close: async () => {},
  }
  const wall = new Wall([words(finds ?? { EVIL: MALWARE })], clock, isRead ? reader : undefined)
  const scanning = new Scanning({ wall: () => wall, report: (event) => void events.push(event) })
  const one = transaction(['anna@bakery.test'])
  const way = served({ virus: virusPolicy(policy), tenant: { name: 'bakery', language: 'en', ...tenant } })
  const answer = await scanning.scan(one, way, message, 0)
  const decisions = events.map((event) => event.kind === 'scanned' && event.decision)
  const why = 'reasons' in answer ? answer.reasons.map(({ text }) => text).join() : ''
  return { answer, decisions, why, id: one.id, text: answer.kind === 'scanned' ? textOf(answer.content) : '' }
}

const noticeIn = (text: string): string => {
  const [, encoded] = /filename=\w+\.txt\r\n.*\r\n\r\n([\w+/=\r\n]+)\r\n--b/.exec(text)!
  return Buffer.from(encoded!, 'base64').toString()
}

test('the part at fault is replaced by words for the recipient, and the field says so', async () => {
  const { answer, text, decisions, id } = await scanned(mail(TEXT, BAD), {
    tenant: { language: 'de', postmaster: mailbox('post@bakery.test') },
  })
  assert.ok(answer.kind === 'scanned' && answer.tagged, 'its sender is told nothing, also not later')
  assert.deepEqual(decisions, ['strip'])
  assert.match(text, /^X-Vorposten-Scan: removed: malware Evil http:\/\/x in message \(words\)\r\nSubject: x\r\n/)
  assert.ok(text.includes(`--b\r\n${TEXT}\r\n--b\r\n`) && text.endsWith('\r\n--b--\r\n') && !text.includes('EVIL'))
  const notice = noticeIn(text)
  for (const part of [
    'wurde entfernt',
    'Datei: a hxxp://x.zip\r\n',
    'Grund: Ein Virenscanner hat darin Schadsoftware gefunden (Evil hxxp://x)\r\n',
    `an post@bakery.test und nennen Sie diese Nummer: ${id}\r\n`,
    'Der Absender wurde nicht benachrichtigt.',
  ])
    assert.ok(notice.includes(part), `${part} in ${notice}`)
  assert.match(
    noticeIn((await scanned(mail(TEXT, BAD))).text),
    /was removed[\s\S]*ask whoever runs your mail and name this number/,
  )
})

test('no name of a file can end the part or the message around it', async () => {
  const { text } = await scanned(
    mail(TEXT, `Content-Type: x/y; name="--b--"\r\n\r\nEVIL`, 'Content-Type: x/z\r\n\r\nlast'),
  )
  const parts = partsOf(Buffer.from(text))
  assert.equal(parts.kind === 'parts' && parts.parts.length, 3)
})

test('what is only tagged stays, and stands in the field', async () => {
  const { text } = await scanned(mail(TEXT, BAD, 'Content-Type: x/y\r\n\r\nMACRO'), { finds: { EVIL: MALWARE, MACRO } })
  assert.match(text, /^X-Vorposten-Scan: removed: malware .*;\r\n\tmacro \(vba\) in part 2\r\n/)
  assert.ok(text.includes('\r\nMACRO\r\n') && !text.includes('EVIL'))
})

test('what cannot be stripped is refused like any other, and the operator reads why', async () => {
  const cases: readonly [message: Content, bench: Bench, why: RegExp][] = [
    [content([Buffer.from('Subject: x\r\n\r\nEVIL')]), {}, /nothing would be left of it/],
    [
      mail(TEXT, BAD, 'Content-Type: x/y\r\nContent-Type: x/z\r\n\r\n'),
      {},
      /a type or an encoding is read in two ways/,
    ],
    [mail(TEXT, ...Array.from({ length: PARTS_MAX }, () => BAD)), {}, /more than 60 parts/],
    [content([...mail(TEXT, TEXT).chunks, Buffer.from('EVIL')]), {}, /in none of its parts/],
    [content([...mail(TEXT, BAD).chunks, Buffer.from('EVIL')]), {}, /what is left is not clean/],
    [
      mail(TEXT, 'X: MACRO\r\n\r\nEVIL'),
      { finds: { 'part@invalid': MACRO, EVIL: MALWARE }, policy: { ...STRIP, macros: 'reject' } },
      /may not be stripped/,
    ],
  ]
  for (const [message, bench, why] of cases) {
    const found = await scanned(message, bench)
    assert.ok(found.answer.kind === 'reject', String(why))
    assert.equal(found.answer.reply.status, '5.7.1')
    assert.deepEqual(found.decisions, ['reject'])
    assert.match(found.why, /^malware .*; it cannot be stripped: /)
    assert.match(found.why, why)
  }
})

test('an engine that is silent about a part, or about what is left, or takes too long: 451', async () => {
  const cases: readonly [message: Content, bench: Bench][] = [
    [mail(TEXT, BAD), { finds: { EVIL: MALWARE, 'part@invalid': SILENT } }],
    // How the notice begins, in base64.
    [mail(TEXT, BAD), { finds: { EVIL: MALWARE, QSBwYXJ0: SILENT } }],
    [mail(TEXT, BAD), { durationMs: SCANS_MS_MAX }],
    [mail(TEXT, BAD), { isRead: false }],
  ]
  for (const [message, bench] of cases) {
    const { answer, decisions } = await scanned(message, bench)
    assert.ok(answer.kind === 'defer')
    assert.equal(answer.reply.code, 451)
    assert.deepEqual(decisions, ['defer'])
  }
})
