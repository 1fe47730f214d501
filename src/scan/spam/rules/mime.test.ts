import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attachmentRules } from './attachments.ts'
import { html, mail, multipart, said } from './header-testing.ts'
import { languageRules } from './language.ts'
import { mimeRules } from './mime.ts'

const ENGLISH = 'the quick brown fox jumps over the lazy dog '.repeat(5)
const typed = (type: string, body = 'Hello', more: Record<string, string> = {}): string =>
  mail({ 'Content-Type': type, ...more }, body)
const base64 = { 'Content-Transfer-Encoding': 'base64' }
const encoded = (text: string): string => Buffer.from(text).toString('base64')

test('mime: what each sign is for, and what is nearly so', () => {
  assert.deepEqual(said(mimeRules, mail()), new Map())
  const PLAIN = 'Content-Type: text/plain\r\n\r\na'
  const HTML = 'Content-Type: text/html; charset=utf-8\r\n\r\n<p>a'
  for (const [symbol, fires, not] of [
    ['MIME_HTML_WITHOUT_CHARSET', typed('text/html', '<p>x'), typed('text/plain', 'x')],
    ['MIME_CHARSET_UNKNOWN', typed('text/plain; charset=chinesebig5x'), typed('text/plain; charset=utf-7')],
    ['MIME_EMPTY', typed('text/plain', ' \r\n'), typed('text/html; charset=utf-8', '<img src="https://x.example/a">')],
    [
      'MIME_ALTERNATIVE_TO_NOTHING',
      mail(...multipart('alternative', [HTML])),
      mail(...multipart('alternative', [PLAIN, HTML])),
    ],
    [
      'MIME_BASE64_NEEDLESS',
      typed('text/plain', encoded(ENGLISH), base64),
      typed('text/plain; charset=utf-8', encoded(`${ENGLISH}é`), base64),
    ],
    [
      'MIME_BASE64_HTML',
      typed('text/html; charset=utf-8', encoded(`<p>${ENGLISH}é`), base64),
      typed('text/html; charset=utf-8', encoded('<p>重要なお知らせ重要なお知らせ'), base64),
    ],
    [
      'MIME_BOUNDARY_HASH',
      mail(...multipart('alternative', [PLAIN, HTML], 'aea395cabd053e9549292d917b2b57ba')),
      mail(...multipart('alternative', [PLAIN, HTML], '=_aea395cabd053e9549292d917b2b57ba')),
    ],
    [
      'MIME_ENCODING_UNTRUE',
      typed('text/plain; charset=utf-8', 'é', { 'Content-Transfer-Encoding': '7bit' }),
      typed('text/plain; charset=utf-8', 'é', { 'Content-Transfer-Encoding': '8bit' }),
    ],
    ['MIME_HTML_ONLY', mail(...html('<p>x')), mail(...multipart('alternative', [PLAIN, HTML]))],
  ] as const) {
    assert.ok(said(mimeRules, fires).has(symbol), symbol)
    assert.ok(!said(mimeRules, not).has(symbol), `not ${symbol}`)
  }
})

const TEXT = `Content-Type: text/plain\r\n\r\n${ENGLISH}`
const attached = (name: string, type = 'application/octet-stream', body = 'x', text = TEXT): string =>
  mail(
    ...multipart('mixed', [
      text,
      `Content-Type: ${type}\r\nContent-Disposition: attachment; filename="${name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(body, 'latin1').toString('base64')}`,
    ]),
  )

test('attachments: what each sign is for, and what is nearly so', () => {
  const zip = (flags: number): string => `PK\x03\x04\x14\0${String.fromCharCode(flags)}\0\x08\0`
  const rar = (kind: number): string => `Rar!\x1a\x07\x01\0\0\0\0\0\x0a${String.fromCharCode(kind)}`
  for (const [symbol, fires, not] of [
    ['ATTACHMENT_HTML', attached('invoice.htm'), attached('html.pdf')],
    ['ATTACHMENT_HTML', attached('a', 'text/html'), mail(...html('<p>x'))],
    ['ATTACHMENT_SVG', attached('voice.svg'), attached('svg.png')],
    ['ATTACHMENT_DOUBLE_EXTENSION', attached('invoice.pdf    .exe'), attached('invoice.2026.pdf')],
    ['ATTACHMENT_PROGRAM', attached('setup.iso'), attached('setup.iso.txt')],
    ['ATTACHMENT_PROGRAM', attached('a.dat', 'application/octet-stream', 'MZ\x90'), attached('a.dat')],
    ['ATTACHMENT_MACROS', attached('a.xlsm'), attached('a.xlsx')],
    [
      'ATTACHMENT_ENCRYPTED',
      attached('a.zip', 'application/zip', zip(1)),
      attached('a.zip', 'application/zip', zip(8)),
    ],
    [
      'ATTACHMENT_ENCRYPTED',
      attached('a.rar', 'application/x-rar', rar(4)),
      attached('a.rar', 'application/x-rar', rar(1)),
    ],
    ['ATTACHMENT_TYPE_UNTRUE', attached('a.html', 'image/png'), attached('a.png', 'image/png')],
    [
      'ATTACHMENT_ALONE',
      attached('a.pdf', 'application/pdf', 'x', 'Content-Type: text/plain\r\n\r\nsee'),
      attached('a.pdf'),
    ],
    ['ATTACHMENT_MESSAGE', attached('a.eml'), attached('eml.txt')],
    ['ATTACHMENT_APPOINTMENT', attached('a.ics', 'text/calendar'), attached('a.txt')],
  ] as const) {
    assert.ok(said(attachmentRules, fires).has(symbol), symbol)
    assert.ok(!said(attachmentRules, not).has(symbol), `not ${symbol}`)
  }
})

test('language: scripts inform, a charset that nothing needs counts', () => {
  const russian = said(languageRules, typed('text/plain; charset=utf-8', 'Добрый день, Анна, до свидания'))
  assert.deepEqual([...russian], [['LANGUAGE_SCRIPT', 'Cyrillic']])
  assert.deepEqual(
    said(languageRules, typed('text/plain; charset=utf-8', `${ENGLISH} naïve – “quoted” → €`)),
    new Map(),
  )
  assert.ok(said(languageRules, typed('text/plain; charset=gb2312', ENGLISH)).has('LANGUAGE_CHARSET_UNLIKE_TEXT'))
  assert.equal(said(languageRules, typed('text/plain; charset=gb2312', 'OK')).size, 0)
  assert.equal(
    said(languageRules, typed('text/plain; charset=koi8-r', `${ENGLISH}\xc1`)).has('LANGUAGE_CHARSET_UNLIKE_TEXT'),
    false,
  )
})
