import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headerRules } from './header.ts'
import { subjectRules } from './header-subject.ts'
import { html, mail, multipart, said } from './header-testing.ts'
import { threadRules } from './thread.ts'

const parts = multipart('alternative', ['Content-Type: text/plain\r\n\r\na', 'Content-Type: text/html\r\n\r\nb'])

test('header: what each sign is for, and what is nearly so', () => {
  assert.deepEqual(said(headerRules, mail()), new Map())
  for (const [symbol, fires, not] of [
    ['HEADER_FROM_MISSING', mail({ From: undefined }), mail({ From: '' })],
    ['HEADER_FROM_WITHOUT_ADDRESS', mail({ From: '"Your Bank"' }), mail({ From: 'anna@bakery.example' })],
    ['HEADER_DATE_MISSING', mail({ Date: undefined }), mail()],
    ['HEADER_DATE_ODD', mail({ Date: '2026/01/05 11:00' }), mail({ Date: '5 Jan 2026 11:00 GMT (Mon)' })],
    [
      'HEADER_DATE_IN_FUTURE',
      mail({ Date: 'Mon, 5 Jan 2026 13:00:00 +0000' }),
      mail({ Date: 'Mon, 5 Jan 2026 11:00:00 +0000' }),
    ],
    ['HEADER_MESSAGE_ID_MISSING', mail({ 'Message-ID': undefined }), mail()],
    ['HEADER_MESSAGE_ID_BROKEN', mail({ 'Message-ID': '<@>' }), mail({ 'Message-ID': '<a@b@bakery.example>' })],
    [
      'HEADER_MESSAGE_ID_OF_DESKTOP',
      mail({ 'Message-ID': '<1@WIN-2K3ABCDE>' }),
      mail({ 'Message-ID': '<1@winery.example>' }),
    ],
    [
      'HEADER_MESSAGE_ID_FORGED',
      mail({ 'Message-ID': '<CA+1@mail.gmail.com>' }),
      mail({
        'Message-ID': '<CA+1@mail.gmail.com>',
        Received: 'by mail-a1.google.com with SMTP id 1; Mon, 5 Jan 2026',
      }),
    ],
    ['HEADER_DOUBLED', mail({ subject: 'another' }), mail({ Comments: 'one' })],
    [
      'HEADER_TO_UNDISCLOSED',
      mail({ To: 'undisclosed-recipients:;' }),
      mail({ To: 'undisclosed@example.net', Cc: 'anna@bakery.example' }),
    ],
    [
      'HEADER_OBSOLETE_SIGNATURE',
      mail({ 'DKIM-Signature': 'v=1; a=rsa-sha1; d=bakery.example' }),
      mail({ 'DKIM-Signature': 'v=1; a=rsa-sha256; d=bakery.example' }),
    ],
    ['HEADER_STRAY_LINE', `loading it all\r\n${mail()}`, mail()],
    ['HEADER_PRIORITY_HIGH', mail({ 'X-Priority': '1 (Highest)' }), mail({ 'X-Priority': '3' })],
    ['HEADER_MIME_VERSION_MISSING', mail({ ...parts[0], 'MIME-Version': undefined }, parts[1]), mail(...parts)],
    [
      'HEADER_RENTED_MACHINE',
      mail({ 'Message-ID': '<1@vps3142.host.example>' }),
      mail({ 'Message-ID': '<1@vps.example>' }),
    ],
    [
      'HEADER_RENTED_MACHINE',
      mail({ 'Return-Path': '<x@ec2-3-1-2-4.us-east-1.compute.amazonaws.com>' }),
      mail({ 'Return-Path': '<x@eu-west-1.amazonses.com>' }),
    ],
    ['HEADER_WEB_SERVER', mail({ 'Return-Path': '<www-data@x.example>' }), mail({ 'Return-Path': '<www@x.example>' })],
    ['HEADER_WEB_SCRIPT', mail({ 'X-PHP-Originating-Script': '33:a.php' }), mail({ 'X-Mailer': 'PHP/8' })],
  ] as const) {
    assert.ok(said(headerRules, fires).has(symbol), symbol)
    assert.ok(!said(headerRules, not).has(symbol), `not ${symbol}`)
  }
})

test('an author that can be read in two ways is told, others are not', () => {
  for (const from of [
    'From: <a@one.example>\r\nFrom: <b@two.example>\r\n',
    'From: <a@one.example>, <b@two.example>\r\n',
    'From: =?utf-8?B?PGFAb25lLmV4YW1wbGU+?=,<b@two.example>\r\n',
    'From: <@one.example,@any.example:b@two.example>\r\n',
    'From: <a@one.example>\\,<b@two.example>\r\n',
    'From: <a@one.example>b@two.example\r\n',
    'From\r\n : <a@one.example>\r\nFrom: <b@two.example>\r\n',
    'From : <a@one.example>\r\n',
    ' From: <a@one.example>\r\nFrom: <b@two.example>\r\n',
    'From: <a@one.example\0>\r\n',
  ])
    assert.ok(said(headerRules, `${from}To: <c@three.example>\r\n\r\nx`).has('HEADER_FROM_AMBIGUOUS'), from)
  for (const from of [
    'From: "Beck, Anna" <anna@bakery.example>\r\n',
    'From: Anna Beck [Bakery] <anna@bakery.example>\r\n',
    'From: anna@bakery.example <anna@bakery.example>\r\n',
    'From: anna@bakery.example (Anna Beck)\r\n',
    'From: =?utf-8?q?J=C3=B6rg?= <joerg@bakery.example>\r\n',
    'From: Anna <anna@bakery.example>, Bert <bert@bakery.example>\r\nSender: anna@bakery.example\r\n',
    'From: Dr. A. Beck <anna@bakery.example>\r\n',
  ])
    assert.ok(!said(headerRules, `${from}To: <c@three.example>\r\n\r\nx`).has('HEADER_FROM_AMBIGUOUS'), from)
})

test('subject: what each sign is for, and what is nearly so', () => {
  const subject = (text: string, more: Record<string, string> = {}): string => mail({ Subject: text, ...more })
  const asHtml = (text: string): string => mail({ ...html('')[0], Subject: text }, '<p>x')
  assert.deepEqual(said(subjectRules, mail()), new Map())
  for (const [symbol, fires, not] of [
    ['SUBJECT_PADDED', subject('Free money            kx7'), subject('Free  money')],
    ['SUBJECT_CAPITALS', subject('MAKE MONEY FAST NOW'), subject('USA and NATO: a summit')],
    ['SUBJECT_EXCLAIMS', subject('Now!!'), subject('Now!')],
    ['SUBJECT_EMPTY', subject(' '), mail({ Subject: undefined })],
    ['SUBJECT_RAW_OCTETS', subject('für dich'), subject('=?utf-8?q?f=C3=BCr_dich?=')],
    ['SUBJECT_TAG', subject('Your kit is ready #nfcYv'), subject('Your order #A12345 of #GivingTuesday')],
    [
      'SUBJECT_REPLY_TO_NOTHING',
      asHtml('Re: invoice'),
      mail({ Subject: 'Re: invoice', 'In-Reply-To': '<1@a.example>' }),
    ],
    [
      'SUBJECT_NAMES_RECIPIENT',
      subject('bert@example.net: your mailbox'),
      subject('Invitation: lunch (bert@example.net)'),
    ],
  ] as const) {
    assert.ok(said(subjectRules, fires).has(symbol), symbol)
    assert.ok(!said(subjectRules, not).has(symbol), `not ${symbol}`)
  }
})

test('a reply that says to what, and quotes it', () => {
  const reply = { Subject: 'Re: Minutes', 'In-Reply-To': '<7@example.net>' }
  assert.deepEqual(
    [...said(threadRules, mail(reply, 'Yes.\r\n> Coming?\r\n')).keys()],
    ['THREAD_REPLY', 'THREAD_QUOTES'],
  )
  assert.deepEqual([...said(threadRules, mail(reply, 'Yes.\r\n')).keys()], ['THREAD_REPLY'])
  assert.equal(said(threadRules, mail({ ...reply, 'In-Reply-To': 'your mail of Monday' })).size, 0)
  assert.equal(said(threadRules, mail({ ...reply, To: 'anna.beck@bakery.example' })).size, 0)
  assert.equal(said(threadRules, mail({ ...reply, Subject: 'Minutes' })).size, 0)
})
