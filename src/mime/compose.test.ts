import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { content } from '#mail/content.ts'
import { mailbox } from '#mail/testing.ts'
import { canCarry, compose, composedBytes, type Part, quotedPrintable } from './compose.ts'
import { readHeaderSection } from './header-section.ts'
import { addresses, exact, fieldText, structured, text } from './header-writing.ts'

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.constantFrom(
    'x\r\nBcc: eve@evil.test',
    'x\n\nbody',
    '\r\n',
    '=?utf-8?q?=0D=0ABcc:_x?=',
    '\u2028X: y',
    'ü'.repeat(400),
  ),
)
const PYTHON = `
import sys, json, email, email.policy
m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
print(json.dumps({'subject': m['subject'], 'keys': m.keys(), 'to': [[a.display_name, a.addr_spec] for a in m['to'].addresses],
  'types': [p.get_content_type() for p in m.walk()], 'report': m.get_param('report-type'),
  'texts': [p.get_content() for p in m.walk() if p.get_content_maintype() == 'text'],
  'defects': [str(d) for p in m.walk() for d in p.defects]}))`
const noPython = !process.env['CI'] && spawnSync('python3', ['--version']).error !== undefined
const python = (octets: Buffer) => {
  const run = spawnSync('python3', ['-c', PYTHON], { input: octets, encoding: 'utf8' })
  assert.equal(run.status, 0, run.stderr)
  return JSON.parse(run.stdout)
}
const report: Part = {
  kind: 'multipart',
  subtype: { report: 'delivery-status' },
  parts: [
    {
      kind: 'multipart',
      subtype: 'alternative',
      parts: [
        { kind: 'text', subtype: 'plain', text: 'Grüße\nFrom here\n.\n', language: 'de' },
        { kind: 'text', subtype: 'html', text: '<p>Grüße</p>\n' },
      ],
    },
    {
      kind: 'delivery-status',
      groups: [[structured('Reporting-MTA', 'dns; relay.example')], [structured('Action', 'failed')]],
    },
    { kind: 'headers', octets: Buffer.from('Subject: caf\xe9\r\n', 'latin1') },
    { kind: 'message', content: content([Buffer.from('Subject: x\r\n\r\nJörg\r\n')]) },
  ],
}

describe('header fields', () => {
  it('stay one field with lines that fit, whatever stands in them', () => {
    fc.assert(
      fc.property(hostile, hostile, fc.boolean(), (one, two, utf8) => {
        const anna = mailbox('anna@bakery.example')
        const fields = [
          text('Subject', one),
          structured('X-Word', two),
          addresses('To', { displayName: two, mailbox: anna }),
        ]
        const written = fields.map((field) => fieldText(field, utf8))
        const whole = Buffer.from(`${written.join('')}\r\nbody`)
        const section = readHeaderSection(content([whole]))
        assert.deepEqual(
          section.fields.map((field) => field.name),
          ['subject', 'x-word', 'to'],
        )
        assert.equal(section.end, whole.length - 6)
        for (const line of written.join('').split('\r\n')) {
          assert.ok(Buffer.byteLength(line) <= 998)
          assert.doesNotMatch(line, /[\r\n\x00-\x08]/)
        }
        for (const line of written[0]!.split('\r\n')) assert.ok(Buffer.byteLength(line) <= 78, line)
        if (!utf8) assert.doesNotMatch(written.join(''), /[^\x00-\x7f]/)
      }),
      { numRuns: 1000 },
    )
  })

  it('where every space counts, it comes back as it was', () => {
    const value = `"${'a  b '.repeat(40)}"@x.example`
    const written = fieldText(exact('Final-Recipient', value), false)
    assert.equal(written.replace(/\r\n /g, ' '), `Final-Recipient: ${value}\r\n`)
    assert.ok(written.split('\r\n').every((line) => line.length <= 78 && (line === '' || line.trim() !== '')))
    assert.equal(fieldText(exact('X', 'a\r\nBcc: b\u2028c'), false), 'X: a  Bcc: b c\r\n')
  })

  it('a name that is none, and an address that does not fit the message, are defects', () => {
    assert.throws(() => fieldText(text('X: y\r\nZ', ''), false))
    const joerg = addresses('To', { mailbox: mailbox('jörg@bakery.example') })
    assert.throws(() => fieldText(joerg, false))
    assert.equal(fieldText(joerg, true), 'To: <jörg@bakery.example>\r\n')
  })
})

describe('quoted-printable', () => {
  it('gives the text back, in lines of at most 76 characters', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (octets) => {
        const written = quotedPrintable(Buffer.from(octets))
        for (const line of written.split('\r\n')) assert.ok(line.length <= 76 && !/[ \t]$/.test(line))
        const read = written
          .replace(/=\r\n/g, '')
          .replace(/=(..)/g, (_, hex) => String.fromCharCode(Number(`0x${hex}`)))
        const lines = Buffer.from(octets)
          .toString('latin1')
          .replace(/\r\n|\r|\n/g, '\r\n')
        assert.equal(read, lines === '' || lines.endsWith('\r\n') ? lines : `${lines}\r\n`)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('a report', () => {
  it('is read by a foreign parser as it was meant', { skip: noPython && 'no python3' }, () => {
    const to = addresses('To', { displayName: 'Jörg "J" Bäcker', mailbox: mailbox('"a b"@bakery.example') })
    const composed = compose([text('Subject', 'Nicht zugestellt: Grüße aus Köln'), to], report)
    const read = python(composedBytes(composed))
    assert.equal(read.subject, 'Nicht zugestellt: Grüße aus Köln')
    assert.deepEqual(read.to, [['Jörg "J" Bäcker', '"a b"@bakery.example']])
    assert.equal(read.report, 'delivery-status')
    assert.deepEqual(read.defects, [])
    assert.equal(read.texts[0], 'Grüße\r\nFrom here\r\n.\r\n')
    assert.deepEqual(read.types.slice(0, 5), [
      'multipart/report',
      'multipart/alternative',
      'text/plain',
      'text/html',
      'message/delivery-status',
    ])
    assert.ok(read.types.includes('text/rfc822-headers') && read.types.includes('message/rfc822'))
    assert.equal(composed.body, '8bitmime')
  })

  it('has the global types in UTF-8', () => {
    const whole = composedBytes(compose([], report, true)).toString()
    for (const type of ['global-delivery-status', 'global-headers', 'global']) {
      assert.ok(whole.includes(`Content-Type: message/${type}\r\n`), type)
    }
  })
})

it('what cannot stand inside another message is known', () => {
  const can = (octets: string, ...more: string[]) => canCarry(content([octets, ...more].map((one) => Buffer.from(one))))
  assert.ok(can('a: b\r', '\n\r\nx'))
  assert.ok(can(`${'x'.repeat(998)}\r\n`))
  for (const bad of ['a\nb', 'a\rb', 'a\0', 'a\r', `${'x'.repeat(999)}\r\n`]) assert.ok(!can(bad), JSON.stringify(bad))
})
