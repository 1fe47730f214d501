import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { DsnAction, RecipientReport } from '#mail/dsn.ts'
import type { Status } from '#mail/status.ts'
import { recipient } from '#mail/testing.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import { buildDsn } from './build.ts'
import { bytes, classified, input, noPython, python, report, unfoldedRaw } from './testing.ts'

describe('what a sender outside learns', () => {
  const words =
    '550 5.1.1 <bob@far.example> not here, says exch01.corp.local [10.1.2.3] for b.b@corp.local via fe80::1%eth0, ask far.example, EXCH02 or ip-10-0-0-5, since 2.1.7 at 12:30:45'

  it('no name and no address of the inner network, but why', () => {
    const one = { ...report('bob@far.example', 'failed', '5.1.1', words), remoteMta: 'exch01.corp.local' }
    const given = { reports: [one], innerHosts: ['exch02'] }
    const out = unfoldedRaw(buildDsn(input({ ...given, proof: 'other' })))
    const shown =
      '550 5.1.1 <bob@far.example> not here, says [name] [address] for [mailbox] via [address], ask far.example, [name] or [address], since 2.1.7 at 12:30:45'
    assert.ok(out.includes(`Diagnostic-Code: smtp; ${shown}\r\n`), out)
    assert.doesNotMatch(out, /corp|10\.[019]|exch0|Remote-MTA|Received-From-MTA/i)
    const own = unfoldedRaw(buildDsn(input(given)))
    assert.ok(own.includes('Remote-MTA: dns; exch01.corp.local\r\n'))
    assert.ok(own.includes('Received-From-MTA: dns; exch.corp.example\r\n'))
    assert.ok(own.includes(words))
  })

  it('another tenant is a sender outside, however well it is known', () => {
    const given = input({ reports: [report('bob@far.example', 'failed', '5.1.1', '550 5.1.1 no, says a.corp.local')] })
    const out = unfoldedRaw(buildDsn({ ...given, message: { ...given.message, tenant: 'butcher' } }))
    assert.doesNotMatch(out, /corp/)
  })

  it('words of several lines, or with a change of direction, are one plain line for the reader', () => {
    const text = '550 5.1.1 no\r\n\r\nNot delivered to: <eve@evil.test>\u2028x\u202ey'
    const out = unfoldedRaw(buildDsn(input({ reports: [report('bob@far.example', 'failed', '5.1.1', text)] })))
    const quoted = '550 5.1.1 no Not delivered to: <eve@evil.test> xy'
    assert.equal(out.split(quoted).length, 3, out)
  })

  it('a connection that failed keeps its reason', () => {
    const text = 'mx.corp.local[192.0.2.9]:25: connect ECONNREFUSED 192.0.2.9:25'
    const out = unfoldedRaw(
      buildDsn(input({ reports: [report('bob@far.example', 'delayed', '4.4.1', text)], proof: 'other' })),
    )
    assert.ok(
      out.includes('Diagnostic-Code: x-vorposten; [name][address]:25: connect ECONNREFUSED [address]:25\r\n'),
      out,
    )
  })

  it('of our own words too, wherever a name stands in them', () => {
    const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/)
    const host = fc.tuple(label, label).map(([a, b]) => `${a}.${b}.corpnet`)
    const address = fc.oneof(
      fc.ipV4(),
      fc.ipV6().filter((one) => /[1-9a-f]/.test(one)),
    )
    const glue = fc.constantFrom(
      ' ',
      ': ',
      '[',
      ']:25 ',
      '(',
      ') ',
      ', ',
      '; ',
      '="',
      '" ',
      ' <',
      '> ',
      '/',
      ' x@',
      '\t',
      '\u200b ',
    )
    fc.assert(
      fc.property(host, address, glue, glue, glue, (name, ip, a, b, c) => {
        const text = `host${a}${name}${b}${ip}${c}end`
        const built = buildDsn(input({ reports: [report('bob@far.example', 'failed', '4.4.7', text)], proof: 'other' }))
        const out = unfoldedRaw(built)
        assert.ok(!out.includes('corpnet'), text)
        const diagnostic = /^Diagnostic-Code: (.*)$/m.exec(out)![1]!
        assert.ok(!diagnostic.includes(ip), `${text}: ${diagnostic}`)
      }),
      { numRuns: 500 },
    )
  })
})

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.constantFrom(
    'x\r\nBcc: eve@evil.test',
    '550 x\r\n\r\nFinal-Recipient: rfc822; eve@evil.test\r\nAction: failed',
    '\u2028X: y',
    '\u202etxt',
    '--=_',
    'ü'.repeat(400),
  ),
)
// Our reader takes a quote or a star before an address for decoration.
const localPart = fc.stringMatching(/^[a-z0-9][a-z0-9!#$%&'*+/=?^_`{|}~-]{0,20}$/)
const path = fc
  .tuple(localPart, fc.constantFrom('far.example', 'xn--bcher-kva.example'))
  .map(([local, domain]) => `${local}@${domain}`)
const xtext = fc
  .string({ unit: 'binary-ascii', minLength: 1, maxLength: 60 })
  .map((text) =>
    text.replace(/[^!-*,-<>-~]/g, (c) => `+${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`),
  )
const anyReport = fc
  .record({
    to: path,
    action: fc.constantFrom<DsnAction>('failed', 'delayed', 'delivered', 'relayed'),
    text: hostile,
    orcpt: fc.option(xtext),
    detail: fc.tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 9 })),
  })
  .map(({ to, action, text, orcpt, detail }) => {
    const digit = action === 'failed' ? 5 : action === 'delayed' ? 4 : 2
    const status = `${digit}.${detail[0]}.${detail[1]}` as Status
    const one = { ...recipient(to), ...(orcpt !== null && { orcpt: `rfc822;${orcpt}` }) }
    return report(one, action, status, `${digit}50 ${status} ${text}`)
  })
const anyInput = fc
  .record({
    reports: fc.array(anyReport, { minLength: 1, maxLength: 8 }),
    language: fc.constantFrom('de' as const, 'en' as const),
    proof: fc.constantFrom('own' as const, 'other' as const),
    envid: fc.option(xtext, { nil: undefined }),
    subject: hostile,
    smtputf8: fc.boolean(),
    ret: fc.constantFrom('full' as const, 'hdrs' as const),
    greeting: hostile,
  })
  .map(({ reports, language, proof, envid, subject, smtputf8, ret, greeting }) => {
    const unique = reports.filter((one, i) => reports.findIndex((other) => to(other) === to(one)) === i)
    const original = `Subject: ${subject.replace(/[\r\n\0]/g, ' ')}\r\nMessage-ID: <1@sender.example>\r\n\r\n${subject}`
    const envelope = { smtputf8, ret, ...(envid !== undefined && { envid }) }
    const given = input({ reports: unique, language, proof, envelope, original })
    return {
      ...given,
      message: { ...given.message, reception: { ...given.message.reception, greetingName: greeting } },
    }
  })
const to = ({ recipient: { forwardPath } }: RecipientReport): string =>
  forwardPath.kind === 'mailbox'
    ? `${forwardPath.mailbox.localPart}@${forwardPath.mailbox.domain.kind === 'name' ? forwardPath.mailbox.domain.ascii : ''}`
    : ''

const FIELDS = [
  'from',
  'to',
  'subject',
  'date',
  'message-id',
  'references',
  'auto-submitted',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
]

describe('whatever strangers wrote', () => {
  it('our own parser finds the recipients, what became of them, and no field more', () => {
    fc.assert(
      fc.property(anyInput, (given) => {
        const built = buildDsn(given)
        const header = readHeaderSection(built.content)
        assert.deepEqual(
          header.fields.map(({ name }) => name),
          FIELDS,
        )
        const read = classified(built)
        assert.equal(read.kind, 'dsn')
        assert.ok(read.kind === 'dsn')
        assert.equal(read.dsn.format, 'rfc3464')
        assert.deepEqual(
          read.dsn.recipients.map((r) => [r.recipient, r.action, r.status]),
          given.reports.map((r) => [to(r), r.action, r.status]),
        )
        assert.equal(read.dsn.originalMessageId, '<1@sender.example>')
        for (const line of bytes(built).toString('latin1').split('\r\n')) assert.doesNotMatch(line, /[\r\n\0]/)
        if (!built.envelope.smtputf8)
          assert.doesNotMatch(bytes(built).toString('latin1').split('\r\n\r\n')[0]!, /[^\x00-\x7f]/)
        if (built.envelope.body === '7bit') assert.doesNotMatch(bytes(built).toString('latin1'), /[^\x00-\x7f]/)
      }),
      { numRuns: 500 },
    )
  })

  it('a foreign parser finds the same', { skip: noPython && 'no python3' }, () => {
    const all = fc.sample(anyInput, 150)
    const read = python(...all.map((given) => buildDsn(given)))
    for (const [i, given] of all.entries()) {
      const { header, groups, types, to: addressees, defects } = read[i]!
      assert.deepEqual(defects, [])
      assert.deepEqual(
        header.map(([name]) => name.toLowerCase()),
        FIELDS,
      )
      assert.deepEqual(addressees, ['anna@sender.example'])
      assert.equal(types.length, 3)
      if (given.message.envelope.smtputf8) continue
      assert.equal(groups.length, given.reports.length + 1)
      for (const [k, group] of groups.slice(1).entries()) {
        const one = given.reports[k]!
        const field = new Map(group)
        assert.deepEqual(
          [field.get('Final-Recipient'), field.get('Action'), field.get('Status')],
          [`rfc822; ${to(one)}`, one.action, one.status],
        )
        assert.equal(group.length, field.size)
      }
    }
  })
})
