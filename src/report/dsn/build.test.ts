import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NULL_PATH } from '#mail/address.ts'
import type { DsnAction } from '#mail/dsn.ts'
import type { Recipient } from '#mail/envelope.ts'
import type { VerifiedReturnPath } from '#mail/return-path.ts'
import { mailbox, recipient } from '#mail/testing.ts'
import { buildDsn, RETURNED_HEADER_OCTETS_MAX, RETURNED_MESSAGE_OCTETS_MAX } from './build.ts'
import { NAMED_RECIPIENTS_MAX } from './notice.ts'
import { bytes, classified, type Given, input, noPython, ORIGINAL, python, REFUSED, raw, report } from './testing.ts'
import { causeOf, TEXTS } from './texts.ts'

describe('a report', () => {
  it('goes from nobody to the verified path, and is not answered', () => {
    const { envelope, kind } = buildDsn(input())
    assert.equal(kind, 'failure')
    assert.deepEqual(envelope.reversePath, NULL_PATH)
    assert.deepEqual(envelope.recipients, [
      { forwardPath: { kind: 'mailbox', mailbox: mailbox('anna@sender.example') }, notify: 'never' },
    ])
    assert.equal(envelope.smtputf8, false)
  })

  it('to a path that nobody verified is a defect', () => {
    const fake = { ...input().to } as unknown as VerifiedReturnPath
    assert.throws(() => buildDsn({ ...input(), to: fake }), /nobody verified/)
  })

  it('is read by a foreign parser as it was meant', { skip: noPython && 'no python3' }, () => {
    const given = input({
      reports: [
        report({ ...recipient('bob@far.example'), orcpt: 'rfc822;b+2Bob+20x@far.example' }, 'failed', '5.1.1', REFUSED),
        report('eve@far.example', 'delayed', '4.4.1', 'connection refused'),
      ],
      envelope: { envid: 'QQ+2B314+20+20x' },
    })
    const [read] = python(buildDsn(given))
    assert.deepEqual(read!.defects, [])
    const header = new Map(read!.header)
    assert.equal(header.get('From'), 'Mail Delivery System <mailer-daemon@relay.example>')
    assert.equal(header.get('To'), '<anna@sender.example>'.slice(1, -1))
    assert.equal(header.get('Auto-Submitted'), 'auto-replied')
    assert.equal(header.get('References'), '<1@sender.example>')
    assert.equal(header.get('Message-ID'), `<${given.id}@relay.example>`)
    assert.equal(header.get('Subject'), 'Your email to bob@far.example was not delivered')
    assert.equal(read!.report, 'delivery-status')
    assert.deepEqual(read!.types, ['text/plain', 'message/delivery-status', 'text/rfc822-headers'])
    assert.deepEqual(read!.groups, [
      [
        ['Original-Envelope-Id', 'QQ+314  x'],
        ['Reporting-MTA', 'dns; relay.example'],
        ['Received-From-MTA', 'dns; exch.corp.example'],
        ['Arrival-Date', 'Fri, 15 Jan 2027 08:00:00 +0000'],
      ],
      [
        ['Original-Recipient', 'rfc822; b+ob x@far.example'],
        ['Final-Recipient', 'rfc822; bob@far.example'],
        ['Action', 'failed'],
        ['Status', '5.1.1'],
        ['Diagnostic-Code', 'smtp; 550 5.1.1 no such user'],
        ['Last-Attempt-Date', 'Fri, 15 Jan 2027 08:00:01 +0000'],
        ['Final-Log-Id', given.message.id],
      ],
      [
        ['Final-Recipient', 'rfc822; eve@far.example'],
        ['Action', 'delayed'],
        ['Status', '4.4.1'],
        ['Diagnostic-Code', 'x-vorposten; connection refused'],
        ['Last-Attempt-Date', 'Fri, 15 Jan 2027 08:00:01 +0000'],
        ['Final-Log-Id', given.message.id],
        ['Will-Retry-Until', 'Sat, 16 Jan 2027 08:00:00 +0000'],
      ],
    ])
    assert.equal(read!.third.replaceAll('\r\n', '\n'), `${ORIGINAL.split('\r\n\r\n')[0]!.replaceAll('\r\n', '\n')}\n`)
  })

  it('speaks the language of the tenant', { skip: noPython && 'no python3' }, () => {
    const reports = [report('bob@far.example', 'failed', '5.2.2', '552 5.2.2 quota')]
    const delay = [report('bob@far.example', 'delayed', '4.4.1', '')]
    const [german, english, late] = python(
      buildDsn(input({ language: 'de', reports, original: ORIGINAL.replace('Lunch', '=?utf-8?q?Gr=C3=BC=C3=9Fe?=') })),
      buildDsn(input({ language: 'en', reports })),
      buildDsn(input({ language: 'de', reports: delay })),
    )
    assert.equal(new Map(german!.header).get('Subject'), 'Ihre E-Mail an bob@far.example wurde nicht zugestellt')
    assert.match(german!.text, /Nicht zugestellt an: <bob@far\.example>\r?\n {2}Das Postfach des Empfängers ist voll\./)
    assert.match(german!.text, /hat geantwortet:\r?\n {4}552 5\.2\.2 quota\r?\n/)
    assert.match(german!.text, /Betreff Ihrer E-Mail: Grüße/)
    assert.match(german!.text, /15\.01\.2027, 08:00 Uhr \(UTC\)/)
    assert.equal(german!.language, 'de')
    assert.match(english!.text, /The mailbox of the recipient is full\./)
    assert.match(english!.text, /15 January 2027, 08:00 \(UTC\)/)
    assert.match(late!.text, /bis 16\.01\.2027, 08:00 Uhr \(UTC\)\s+weiter\. Sie müssen\s+nichts tun\.\s+Gelingt/)
    assert.equal(new Map(late!.header).get('Subject'), 'Ihre E-Mail an bob@far.example verspätet sich')
  })

  it('names twenty recipients to a person, and all to a program', { skip: noPython && 'no python3' }, () => {
    const reports = Array.from({ length: 23 }, (_, i) => report(`b${i}@far.example`, 'failed', '5.1.1', REFUSED))
    const [read] = python(buildDsn(input({ reports })))
    assert.equal(read!.text.match(/Not delivered to:/g)!.length, NAMED_RECIPIENTS_MAX)
    assert.match(read!.text, /And 3 more; /)
    assert.equal(read!.groups.length, 24)
    const subject = 'Your email to b0@far.example and 22 more was not delivered'
    assert.equal(new Map(read!.header).get('Subject'), subject)
  })

  it('has words for every status, in both languages, and for our own postmaster', () => {
    for (const words of Object.values(TEXTS)) {
      for (let subject = 0; subject < 9; subject++)
        for (let detail = 0; detail < 30; detail++)
          assert.ok(words.advice[causeOf(`5.${subject}.${detail}`)].length > 20)
    }
    const postmaster: Recipient = { forwardPath: { kind: 'postmaster' } }
    const built = raw(buildDsn(input({ reports: [report(postmaster, 'failed', '5.2.2', '552 5.2.2 full')] })))
    assert.match(built, /^Final-Recipient: rfc822; Postmaster@relay\.example\r$/m)
  })

  it('success says how far it came', () => {
    const one = (action: DsnAction) =>
      buildDsn(input({ reports: [report('b@far.example', action, '2.0.0', '250 Ok')] }))
    assert.equal(one('delivered').kind, 'success')
    assert.match(raw(one('delivered')), /Your email is in the mail system of the recipient\./)
    assert.match(raw(one('relayed')), /Passed on for: <b@far\.example>\r\n {2}Your email was handed/)
    assert.match(raw(one('relayed')), /^Subject: Your email to b@far\.example was passed on\r$/m)
  })
})

describe('what comes back', () => {
  const big = `${ORIGINAL}${'x'.repeat(70)}\r\n`.padEnd(RETURNED_MESSAGE_OCTETS_MAX - 2, 'y\r\n').slice(0, -2)
  const third = (given: Given) =>
    /Content-Type: (text\/rfc822-headers|message\/\S+?)\r\n(?!.*Content-Type: m)/s.exec(raw(buildDsn(input(given))))
  const isFull = (given: Given) => raw(buildDsn(input(given))).includes('Content-Type: message/rfc822\r\n')

  it('asks for REQUIRETLS as the message did (RFC 8689 §5)', () => {
    assert.equal(buildDsn(input({ envelope: { requireTls: true } })).envelope.requireTls, true)
    assert.equal('requireTls' in buildDsn(input()).envelope, false)
  })

  it('is the header section, and the message only if asked for, with a failure, and not too large', () => {
    assert.ok(third({}))
    assert.ok(!isFull({}))
    assert.ok(!isFull({ envelope: { ret: 'full', requireTls: true } }))
    assert.ok(!isFull({ envelope: { ret: 'hdrs' } }))
    const full = { envelope: { ret: 'full' } } as const
    assert.ok(isFull(full))
    assert.ok(raw(buildDsn(input(full))).includes(ORIGINAL))
    assert.ok(!isFull({ ...full, reports: [report('b@far.example', 'delayed', '4.4.1', '')] }))
    assert.ok(!isFull({ ...full, reports: [report('b@far.example', 'relayed', '2.0.0', '250 Ok')] }))
    assert.ok(isFull({ ...full, original: big }))
    assert.ok(!isFull({ ...full, original: `${big}\r\n${'x'.repeat(100)}\r\n` }))
    assert.ok(!isFull({ ...full, original: `${ORIGINAL}a\0b` }))
  })

  it('is as it was, where the report may hold it, and quoted elsewhere', () => {
    const plain = raw(buildDsn(input({ original: 'Subject: a=3D\r\n\r\n' })))
    assert.match(plain, /^Subject: a=3D\r$/m)
    const odd = raw(buildDsn(input({ original: Buffer.from('Subject: caf\xe9\r\n\r\n', 'latin1') })))
    assert.match(odd, /^Subject: caf=E9\r$/m)
  })

  it('is cut between two fields', () => {
    const original = `A: 1\r\n${'X-Long: y\r\n'.repeat(4000)}\r\nbody`
    const whole = bytes(buildDsn(input({ original })))
    assert.ok(whole.length < RETURNED_HEADER_OCTETS_MAX + 5000)
    assert.ok(whole.toString().includes('X-Long: y\r\n\r\n--'))
    for (const odd of ['', '\r\nbody', 'no header at all']) buildDsn(input({ original: odd }))
  })

  it('a Message-ID is repeated only if it is one', () => {
    for (const bad of ['<a b@c>', 'a@b', '<a@b>\r\n <c@d>', '<<a@b>>', `<${'x'.repeat(300)}@b>`, '<jörg@b>']) {
      const built = raw(buildDsn(input({ original: `Message-ID: ${bad}\r\n\r\n` })))
      assert.doesNotMatch(built, /^References:/m, bad)
    }
  })
})

describe('UTF-8', () => {
  it('an internationalized message is reported in the global types', () => {
    const to = { ...recipient('jörg@far.example'), orcpt: 'utf-8;j\\x{F6}rg@far.example' }
    const reports = [report(to, 'failed', '5.1.1', '550 5.1.1 unbekannt: jörg')]
    const built = buildDsn(input({ from: 'käthe@sender.example', reports, envelope: { smtputf8: true } }))
    assert.deepEqual([built.envelope.smtputf8, built.envelope.body], [true, '8bitmime'])
    const whole = raw(built)
    assert.match(whole, /^To: <käthe@sender\.example>\r$/m)
    assert.match(whole, /^Content-Type: message\/global-delivery-status\r$/m)
    assert.match(whole, /^Content-Type: message\/global-headers\r$/m)
    assert.match(whole, /^Original-Recipient: utf-8; jörg@far\.example\r$/m)
    assert.match(whole, /^Final-Recipient: utf-8; jörg@far\.example\r$/m)
    const read = classified(built)
    assert.ok(read.kind === 'dsn')
    assert.deepEqual(
      read.dsn.recipients.map((r) => [r.recipient, r.action, r.status]),
      [['jörg@far.example', 'failed', '5.1.1']],
    )
    const full = buildDsn(input({ reports, envelope: { smtputf8: true, ret: 'full' } }))
    assert.match(raw(full), /^Content-Type: message\/global\r$/m)
  })

  it('elsewhere an address in UTF-8 is escaped', () => {
    const to = { ...recipient('bob@far.example'), orcpt: 'utf-8;j\\x{F6}rg\\x{2B}a@far.example' }
    const built = buildDsn(input({ reports: [report(to, 'failed', '5.1.1', REFUSED)] }))
    assert.match(raw(built), /^Original-Recipient: utf-8; j\\x\{F6\}rg\\x\{2B\}a@far\.example\r$/m)
    const read = classified(built)
    assert.ok(read.kind === 'dsn')
    assert.equal(read.dsn.recipients[0]!.originalRecipient, 'jörg+a@far.example')
    assert.doesNotMatch(bytes(built).toString('latin1'), /[^\x00-\x7f]/)
  })
})
