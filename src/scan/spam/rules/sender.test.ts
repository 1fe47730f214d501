import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SpamAbout } from '../contract.ts'
import { backscatterRules } from './backscatter.ts'
import { bulkRules } from './bulk.ts'
import { connectionRules, isOfAccessLine } from './connection.ts'
import { html, mail, multipart, said } from './header-testing.ts'
import { senderRules } from './sender.ts'

const [asHtml] = html('')
const LINK = '<a href="https://bakery.example/">here</a>'
const PICTURE_TO_MANY = { ...asHtml, 'List-Unsubscribe': '<https://x.example/u>' }

test('sender: what each sign is for, and what is nearly so', () => {
  assert.deepEqual(said(senderRules, mail()), new Map())
  const from = (text: string, more: Record<string, string> = {}): string => mail({ From: text, ...more }, LINK)
  for (const [symbol, fires, not] of [
    [
      'SENDER_NAME_FITS_DOMAIN',
      from('Tokyo-Tiger <hello@mail.tokyo-tiger.com>'),
      from('Tokyo Tiger <hello@lion.example>'),
    ],
    [
      'SENDER_NAME_IN_LOCAL_PART',
      from('Parcel Fedex <parcelfedex@salebooking.example>', PICTURE_TO_MANY),
      from('Anna Beck <anna.beck@rolls.example>', asHtml),
    ],
    ['SENDER_DOMAIN_NEW_KIND', from('A <a@bakery.express>'), from('A <a@bakery.info>')],
    ['SENDER_DOMAIN_OF_PROVIDER', from('A <a@offers.onmicrosoft.com>'), from('A <a@microsoft.com>')],
    ['SENDER_DOMAIN_UNSPEAKABLE', from('A <a@cxcgzxz.com>'), from('A <a@angstschrei.example>')],
    ['SENDER_DOMAIN_UNSPEAKABLE', from('A <a@augxqvs.com>'), from('A <a@nmtbmedia.com>')],
    [
      'SENDER_SIGNED_BY_PROVIDER_ONLY',
      mail({ 'DKIM-Signature': 'a=rsa-sha256; d=bakery-example.20230601.gappssmtp.com' }),
      mail({ 'DKIM-Signature': 'a=rsa-sha256; d=bakery.example' }),
    ],
    ['SENDER_NAME_DECORATED', from('⇑⇑⇑ Rates <a@b.example>'), from('"Anna (Bakery) & Sons | News" <a@b.example>')],
    ['SENDER_NAME_DECORATED', from('My_Life_Insurance <a@b.example>'), from('Café 24/7 <a@b.example>')],
    ['SENDER_NAME_MISSING', from('a@bakery.example'), from('A <a@bakery.example>')],
    [
      'SENDER_LOCAL_PART_LONG',
      from('A <supertreecottonshirtday@b.example>'),
      from('A <super.tree.cotton.shirt.day@b.example>'),
    ],
    ['SENDER_LOCAL_PART_RANDOM', from('A <z0vszlon4x1c@b.example>'), from('A <anna1975@b.example>')],
    [
      'SENDER_FREE_MAIL_TO_MANY',
      from('A <a@gmail.com>', { To: 'undisclosed-recipients:;' }),
      from('A <a@gmail.com>', { To: 'bert@example.net' }),
    ],
    ['SENDER_IS_RECIPIENT', mail({ To: 'anna.beck@bakery.example' }), mail()],
  ] as const) {
    assert.ok(said(senderRules, fires).has(symbol), symbol)
    assert.ok(!said(senderRules, not).has(symbol), `not ${symbol}: ${not.slice(0, 200)}`)
  }
})

const SERVICE = {
  From: 'Bakery <news@bakery.example>',
  'Return-Path': '<bounces+1@em.sendgrid.net>',
  'DKIM-Signature': 'v=1; a=rsa-sha256; d=bakery.example; s=a',
  'dkim-signature': 'v=1; a=rsa-sha256; d=sendgrid.net; s=b',
}

test('bulk: what each sign is for, and what is nearly so', () => {
  assert.deepEqual(said(bulkRules, mail()), new Map())
  const unsubscribe = { 'List-Unsubscribe': '<https://bakery.example/u>' }
  for (const [symbol, fires, not] of [
    ['BULK_LIST', mail({ 'List-Post': '<mailto:l@list.example>' }), mail(unsubscribe)],
    ['BULK_LIST', mail({ 'List-Id': '<l.list.example>', Precedence: 'list' }), mail({ 'List-Id': '<l.list.example>' })],
    ['BULK_NEWSLETTER', mail(unsubscribe), mail()],
    ['BULK_AUTOMATIC', mail({ Precedence: 'bulk' }), mail({ 'Auto-Submitted': 'no' })],
    ['BULK_SERVICE', mail(SERVICE), mail({ 'Return-Path': '<x@sendgrid.net.example>' })],
    ['BULK_SERVICE', mail(SERVICE), mail({ ...SERVICE, From: 'Bank <info@bank.example>' })],
    ['BULK_SIGNED_TWICE', mail(SERVICE), mail({ ...SERVICE, 'dkim-signature': 'd=google.com' })],
    [
      'BULK_FEEDBACK_ID',
      mail({ ...SERVICE, 'Feedback-ID': '1:2:3:shop' }),
      mail({ ...SERVICE, 'Feedback-ID': 'jv954glpepcc8:regular:fk212o1xv3db4:b' }),
    ],
    [
      'UNSUBSCRIBE_SAYS_NOTHING',
      mail({ 'List-Unsubscribe': '<https://jjh.bakery.example/mrrH-8dxiguxmb>' }),
      mail({ 'List-Unsubscribe': '<https://jjh.bakery.example/u/mrrH-8dxiguxmb?list=1>' }),
    ],
    [
      'SENDER_FREE_MAIL_BY_SERVICE',
      mail({ ...SERVICE, From: 'A <a@aol.com>' }),
      mail({ ...SERVICE, From: 'A <a@bakery.example>' }),
    ],
    ['UNSUBSCRIBE_EMPTY', mail({ 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }), mail(unsubscribe)],
    ['LIST_ID_IS_NONE', mail({ 'List-Id': 'bert@example.net' }), mail({ 'List-Id': 'Us <us.example.net>' })],
  ] as const) {
    assert.ok(said(bulkRules, fires).has(symbol), symbol)
    assert.ok(!said(bulkRules, not).has(symbol), `not ${symbol}`)
  }
})

test('a service counts only for whom it has authenticated, once that was looked at', () => {
  const looked = (dkim: readonly string[], spf?: string): readonly string[] => [
    ...said(bulkRules, mail(SERVICE), {
      authenticated: { dkim, dmarc: 'none', ...(spf !== undefined && { spf }) },
    }).keys(),
  ]
  assert.deepEqual(looked([]), [])
  assert.deepEqual(looked(['sendgrid.net', 'bakery.example']), ['BULK_SERVICE', 'BULK_SIGNED_TWICE'])
  assert.deepEqual(looked([], 'em.sendgrid.net'), ['BULK_SERVICE'])
})

test('backscatter: bounces and automatic replies are classes, what a person writes about them is not', () => {
  const report = multipart('report; report-type=delivery-status', [
    'Content-Type: text/plain\r\n\r\nYour message could not be delivered.',
    'Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; x@y.example\r\nAction: failed\r\nStatus: 5.1.1\r\n',
  ])
  const about: SpamAbout = { reversePath: '<>' }
  const bounce = mail({ ...report[0], From: 'MAILER-DAEMON@mx.example', Subject: 'Undelivered Mail' }, report[1])
  assert.deepEqual([...said(backscatterRules, bounce, about).keys()], ['BACKSCATTER_BOUNCE'])
  assert.deepEqual([...said(backscatterRules, bounce).keys()], ['BACKSCATTER_BOUNCE'])
  const away = mail({ Subject: 'Out of office: Re: Minutes', 'Auto-Submitted': 'auto-replied' })
  assert.deepEqual([...said(backscatterRules, away, about).keys()], ['BACKSCATTER_AUTO_REPLY'])
  const challenge = mail(
    { Subject: 'Please confirm your message', 'Auto-Submitted': 'auto-replied' },
    'Click the link below to be added to the allowed list of senders I have approved.\r\n',
  )
  assert.deepEqual([...said(backscatterRules, challenge, about).keys()], ['BACKSCATTER_CHALLENGE'])
  const person = mail({ Subject: 'Re: Undelivered Mail' }, 'Your message could not be delivered, I was told.\r\n')
  assert.equal(said(backscatterRules, person, { reversePath: 'anna.beck@bakery.example' }).size, 0)
})

const session = { client: '203.0.113.9', greetingName: 'mail.bakery.example', tls: true } as const

test('connection: what each sign is for, and what is nearly so', () => {
  const about = (more: object, rest: SpamAbout = {}): SpamAbout => ({ session: { ...session, ...more }, ...rest })
  const confirmed = (name: string): object => ({ clientName: { kind: 'confirmed', name } })
  assert.deepEqual(said(connectionRules, mail(), about({})), new Map())
  for (const [symbol, fires, not] of [
    ['CLIENT_NAME_NONE', about({ clientName: { kind: 'none' } }), about({ clientName: { kind: 'unknown' } })],
    ['CLIENT_NAME_UNKNOWN', about({ clientName: { kind: 'unknown' } }), about({ clientName: { kind: 'none' } })],
    [
      'CLIENT_NAME_UNCONFIRMED',
      about({ clientName: { kind: 'unconfirmed', name: 'mail.bakery.example' } }),
      about(confirmed('mail.bakery.example')),
    ],
    ['CLIENT_NAME_DYNAMIC', about(confirmed('dsl-7.isp.example')), about(confirmed('mail.isp.example'))],
    ['CLIENT_NAME_FITS', about(confirmed('out.bakery.example')), about(confirmed('out.bakery.example.net'))],
    ['HELO_IS_ADDRESS', about({ greetingName: '203.0.113.9' }), about({})],
    ['HELO_IS_LITERAL', about({ greetingName: '[203.0.113.9]' }), about({})],
    ['HELO_NOT_A_HOST', about({ greetingName: 'DESKTOP-1' }), about({ greetingName: 'Mail.Bakery.Info.' })],
    ['HELO_NOT_A_HOST', about({ greetingName: 'nas.local' }), about({ greetingName: 'local.bakery.com' })],
    [
      'HELO_IS_OURS',
      about({ greetingName: 'ours.net' }, { recipients: ['bert@ours.net'] }),
      about({ greetingName: 'mx.ours.net' }, { recipients: ['bert@ours.net'] }),
    ],
    [
      'HELO_UNLIKE_NAME',
      about({ greetingName: 'mail.rolls.net', ...confirmed('mx.host.org') }),
      about({ greetingName: 'mail.rolls.net', ...confirmed('mx.rolls.net') }),
    ],
    ['CLIENT_TALKED_EARLY', about({ earlyTalk: true }), about({ earlyTalk: false })],
    ['CLIENT_WITHOUT_TLS', about({ tls: false }), about({})],
  ] as const) {
    const message = mail({ Received: 'from x.example ([192.0.2.7]) by mx.example.net; Mon, 5 Jan 2026 10:00:05 +0000' })
    assert.ok(said(connectionRules, message, fires).has(symbol), symbol)
    assert.ok(!said(connectionRules, message, not).has(symbol), `not ${symbol}`)
  }
})

test('names of access lines, and of servers that are numbered', () => {
  for (const host of [
    'p5dcb0071.dip0.t-ipconnect.de',
    'host-203-0-113-9.example',
    'cpe-1.res.example',
    'cb007109.example',
  ])
    assert.ok(isOfAccessLine(host, '203.0.113.9') || host.startsWith('p5'), host)
  for (const host of ['mail-203-0-113-9.example', 'o144.ptr1481.shop.example', 'mta217.sparkpostmail.com'])
    assert.ok(!isOfAccessLine(host, '203.0.113.9'), host)
})
