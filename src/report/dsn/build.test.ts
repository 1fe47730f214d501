import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { NULL_PATH } from '#mail/address.ts'
import { content, head } from '#mail/content.ts'
import type { DsnAction, RecipientReport } from '#mail/dsn.ts'
import type { Envelope, Recipient } from '#mail/envelope.ts'
import { VerifiedReturnPath } from '#mail/return-path.ts'
import type { Status } from '#mail/status.ts'
import { mailbox, newTraceId, recipient, WALL_MS } from '#mail/testing.ts'
import { classify } from '#mime/automatic/classify.ts'
import { readHeaderSection } from '#mime/header-section.ts'
import {
  type BuiltDsn,
  buildDsn,
  type DsnInput,
  RETURNED_HEADER_OCTETS_MAX,
  RETURNED_MESSAGE_OCTETS_MAX,
} from './build.ts'

const HOSTNAME = 'relay.example'
const ORIGINAL = 'From: Anna <anna@sender.example>\r\nSubject: Lunch\r\nMessage-ID: <1@sender.example>\r\n\r\nHello\r\n'
const REFUSED = '550 5.1.1 no such user (in reply to RCPT TO)'

const report = (to: string | Recipient, action: DsnAction, status: Status, text: string): RecipientReport => ({
  index: 0,
  recipient: typeof to === 'string' ? recipient(to) : to,
  action,
  status,
  text,
  lastAttemptMs: WALL_MS + 1000,
  ...(action === 'delayed' && { willRetryUntilMs: WALL_MS + 86_400_000 }),
})

interface Given extends Partial<Omit<DsnInput, 'message' | 'to'>> {
  readonly from?: string
  readonly to?: VerifiedReturnPath
  readonly envelope?: Partial<Envelope>
  readonly original?: string | Buffer
  readonly proof?: 'own' | 'other'
}

function input({ from = 'anna@sender.example', envelope, original = ORIGINAL, proof = 'own', ...more }: Given = {}) {
  const reversePath = { kind: 'mailbox', mailbox: mailbox(from) } as const
  const { domain } = reversePath.mailbox
  const reports = more.reports ?? [report('bob@far.example', 'failed', '5.1.1', REFUSED)]
  const recipients = reports.map((one) => one.recipient)
  const by =
    proof === 'own'
      ? ({ kind: 'submission', tenant: 'bakery', credential: 'anna' } as const)
      : ({ kind: 'spf-pass', tenant: 'bakery', domain: domain.kind === 'name' ? domain.ascii : '' } as const)
  return {
    to: VerifiedReturnPath.from(reversePath, by)!,
    id: newTraceId(),
    hostname: HOSTNAME,
    language: 'en',
    innerHosts: [],
    nowMs: WALL_MS + 2000,
    ...more,
    reports,
    message: {
      id: newTraceId(),
      tenant: 'bakery',
      envelope: { reversePath, recipients, body: '7bit', smtputf8: false, ...envelope },
      reception: {
        clientAddress: '10.9.8.7',
        greetingName: 'exch.corp.example',
        protocol: 'ESMTP',
        receivedMs: WALL_MS,
      },
      content: content([Buffer.from(original)]),
    },
  } as const satisfies DsnInput
}

const bytes = ({ content: of }: BuiltDsn): Buffer => head(of, of.octets)
const classified = (built: BuiltDsn) =>
  classify({ reversePath: NULL_PATH, header: readHeaderSection(built.content), content: built.content })

const PYTHON = `
import sys, json, email, email.policy
out = []
for size in json.loads(sys.argv[1]):
    m = email.message_from_bytes(sys.stdin.buffer.read(size), policy=email.policy.default)
    top = list(m.iter_parts())
    groups = [[[k, str(v)] for k, v in g.items()] for g in top[1].get_payload()] if top[1].get_content_type() == 'message/delivery-status' else top[1].get_payload(decode=True).decode() if not top[1].is_multipart() else ''
    out.append({'header': [[k, str(v)] for k, v in m.items()], 'types': [p.get_content_type() for p in top],
      'report': m.get_param('report-type'), 'text': top[0].get_content(), 'language': top[0]['content-language'],
      'groups': groups, 'to': [a.addr_spec for a in m['to'].addresses],
      'third': top[2].get_content() if top[2].get_content_maintype() == 'text' else top[2].as_bytes().decode('utf-8', 'replace'),
      'defects': [type(d).__name__ for p in [m] + top for d in p.defects]})
print(json.dumps(out))`
const noPython = !process.env['CI'] && spawnSync('python3', ['--version']).error !== undefined

interface ReadByPython {
  readonly header: [string, string][]
  readonly types: string[]
  readonly report: string
  readonly text: string
  readonly language: string
  readonly groups: [string, string][][]
  readonly to: string[]
  readonly third: string
  readonly defects: string[]
}
/** Many in one process: it starts slowly. */
function python(...built: BuiltDsn[]): ReadByPython[] {
  const all = built.map(bytes)
  const sizes = JSON.stringify(all.map((one) => one.length))
  const run = spawnSync('python3', ['-c', PYTHON, sizes], {
    input: Buffer.concat(all),
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  assert.equal(run.status, 0, run.stderr)
  return JSON.parse(run.stdout)
}
/** The text part and the status part as they are meant, without a foreign parser. */
const raw = (built: BuiltDsn): string => bytes(built).toString().replace(/=\r\n/g, '')
const unfoldedRaw = (built: BuiltDsn): string => bytes(built).toString().replace(/\r\n /g, ' ')

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
})

describe('what comes back', () => {
  const big = `${ORIGINAL}${'x'.repeat(70)}\r\n`.padEnd(RETURNED_MESSAGE_OCTETS_MAX - 2, 'y\r\n').slice(0, -2)
  const third = (given: Given) =>
    /Content-Type: (text\/rfc822-headers|message\/\S+?)\r\n(?!.*Content-Type: m)/s.exec(raw(buildDsn(input(given))))
  const isFull = (given: Given) => raw(buildDsn(input(given))).includes('Content-Type: message/rfc822\r\n')

  it('is the header section, and the message only if asked for, with a failure, and not too large', () => {
    assert.ok(third({}))
    assert.ok(!isFull({}))
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
