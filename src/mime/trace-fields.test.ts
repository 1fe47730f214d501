import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { content } from '#mail/content.ts'
import { session, transaction, WALL_MS } from '#mail/testing.ts'
import { authenticationResults } from './authentication-results.ts'
import { readHeaderSection } from './header-section.ts'
import { dateTime, forgedResults, hops, messageId, receivedField } from './trace-fields.ts'

const HOST = 'relay.example'
const LINE_OCTETS_MAX = 998
const sectionOf = (text: string) => readHeaderSection(content([Buffer.from(text)]))

describe('Received', () => {
  it('says from, by, with, id, for and when, folded', () => {
    const one = transaction(['bob@bakery.test'])
    assert.equal(
      receivedField(one, HOST, WALL_MS),
      'Received: from mail.sender.example ([192.0.2.1])\r\n' +
        `\tby relay.example (Vorposten) with ESMTP id ${one.id}\r\n` +
        '\tfor <bob@bakery.test>;\r\n' +
        '\tFri, 15 Jan 2027 08:00:00 +0000\r\n',
    )
  })

  it('does not tell one recipient of another', () => {
    assert.doesNotMatch(receivedField(transaction(['bob@b.test', 'eve@b.test']), HOST, WALL_MS), /for </)
    assert.doesNotMatch(receivedField(transaction(['postmaster']), HOST, WALL_MS), /for </)
  })

  it('names TLS, IPv6 and the protocol', () => {
    const tls = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' }
    const client = { address: '2001:db8::1', port: 1 }
    const field = receivedField(transaction(['b@b.test'], '', session({ tls, client })), HOST, WALL_MS)
    assert.match(field, /\(\[IPv6:2001:db8::1\]\)/)
    assert.match(field, /with ESMTPS id \w+\r\n\t\(TLSv1.3 TLS_AES_256_GCM_SHA384\)\r\n\tfor /)
  })

  it('is one field with lines that fit, whatever the client calls itself', () => {
    const greeting = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constantFrom('', 'x\r\nSubject: gotcha', 'a b (c', '[IPv6:2001:db8::1]', '\u{1f606}'.repeat(500)),
    )
    fc.assert(
      fc.property(greeting, (greetingName) => {
        const field = receivedField(transaction([`"${'x'.repeat(62)}"@b.test`], '', session({ greetingName })), HOST, 0)
        const { fields, end } = sectionOf(field)
        assert.equal(fields.length, 1)
        assert.equal(end, Buffer.byteLength(field))
        for (const line of field.split('\r\n')) assert.ok(Buffer.byteLength(line) <= LINE_OCTETS_MAX)
        assert.match(field, /^Received: from [\w.:[\]?-]+ \(\[192\.0\.2\.1\]\)\r\n\tby/)
      }),
      { numRuns: 200 },
    )
  })

  it('has a date in UTC, also across seconds of one cache', () => {
    assert.equal(dateTime(0), 'Thu, 1 Jan 1970 00:00:00 +0000')
    assert.equal(dateTime(999), 'Thu, 1 Jan 1970 00:00:00 +0000')
    assert.equal(dateTime(Date.UTC(2024, 1, 29, 23, 59, 59)), 'Thu, 29 Feb 2024 23:59:59 +0000')
    assert.equal(dateTime(0), 'Thu, 1 Jan 1970 00:00:00 +0000')
  })
})

describe('hops', () => {
  const own = (to: string) => receivedField(transaction([to]), HOST, WALL_MS)
  it('counts all, ours, and ours for the recipient', () => {
    const header = `${own('bob@b.test')}Received: from x by y; now\r\n${own('eve@b.test')}Subject: by ${HOST} (Vorposten)\r\n`
    assert.deepEqual(hops(sectionOf(header), HOST, 'bob@b.test'), { all: 3, own: 2, ownForRecipient: 1 })
    assert.deepEqual(hops(sectionOf(header), HOST), { all: 3, own: 2, ownForRecipient: 0 })
    assert.deepEqual(hops(sectionOf(header), 'other.example'), { all: 3, own: 0, ownForRecipient: 0 })
  })

  it('finds ours where somebody folded the field in another way, and a recipient in UTF-8', () => {
    const refolded = own('bob@b.test')
      .replace('by relay.example (V', 'by relay.example\r\n (V')
      .replace('for <', 'for\r\n\t<')
    assert.deepEqual(hops(sectionOf(refolded), HOST, 'bob@b.test'), { all: 1, own: 1, ownForRecipient: 1 })
    const utf8 = own('j\u00f6rg@b.test')
    assert.deepEqual(hops(sectionOf(utf8), HOST, 'j\u00f6rg@b.test'), { all: 1, own: 1, ownForRecipient: 1 })
  })
})

describe('forged results', () => {
  const forged = (value: string) => forgedResults(sectionOf(`Authentication-Results:${value}\r\n`), HOST).length === 1
  it('are those in our name, however it is written', () => {
    const ours = [
      ' relay.example; dkim=pass',
      ' RELAY.Example; none',
      'relay.example;none',
      ' relay.example 1; spf=pass',
      ' relay.example(we); none',
      ' "relay.example"; none',
      ' "relay\\.example"; none',
      '\r\n\trelay.example; none',
      ' (a comment) relay.example; none',
      ' (one (in) (the (other))) (x) relay.example; none',
      ' (\\)) relay.example; none',
      ' relay.example',
    ]
    for (const value of ours) assert.ok(forged(value), JSON.stringify(value))
  })

  it('are also what only we say of a message: what was found in it, and who released it', () => {
    const section = sectionOf('x-vorposten-scan: clean\r\nX-VORPOSTEN-Released: by me\r\nX-Vorposten-Other: x\r\n')
    assert.equal(forgedResults(section, HOST).length, 2)
  })

  it('are not those of others', () => {
    const others = [
      ' mx.sender.example; dkim=pass',
      ' relay.example.evil.example; none',
      ' not-relay.example; none',
      ' (relay.example) other.example; none',
      ' other.example; relay.example=pass',
      ' (never closed relay.example',
      '',
    ]
    for (const value of others) assert.ok(!forged(value), JSON.stringify(value))
    assert.equal(forgedResults(sectionOf(authenticationResults(HOST, undefined)), HOST).length, 1)
    assert.equal(forgedResults(sectionOf('X-Authentication-Results: relay.example; none\r\n'), HOST).length, 0)
  })
})

it('the Message-ID is shown printable and bounded', () => {
  assert.equal(messageId(sectionOf('Message-Id: <a@b>\r\n')), '<a@b>')
  assert.equal(messageId(sectionOf('Message-ID:\r\n <a\x1b[2J \xe9@b>\r\n')), '<a?[2J???@b>')
  assert.equal(messageId(sectionOf(`Message-ID: ${'x'.repeat(9999)}\r\n`))?.length, 250)
  assert.equal(messageId(sectionOf('Subject: x\r\n')), undefined)
})
