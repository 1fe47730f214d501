import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  type AddressFault,
  type Mailbox,
  mailboxKey,
  mailboxText,
  type Parsed,
  parseForwardPath,
  parseMailbox,
  parseReversePath,
  pathText,
} from './address.ts'
import { domainForReading, parseAddressLiteral, parseDomainName } from './domain.ts'
import { mailbox } from './testing.ts'

const faultOf = (parsed: Parsed<unknown>): AddressFault | 'none' => (parsed.ok ? 'none' : parsed.fault)
const RUNS = { numRuns: 1500 }

/** Characters on which a parser may stumble. */
const nasty = fc.string({
  unit: fc.constantFrom(
    ...'ab1.@"\\<>[]:, (%-_',
    '\r',
    '\n',
    '\0',
    '\u00e9',
    '\u0130',
    '\u212a',
    '\ud83d\ude06',
    '\ud800',
  ),
  maxLength: 40,
})
const label = fc.stringMatching(/^[a-z0-9_](?:[a-z0-9_-]{0,20}[a-z0-9_])?$/)
const domainText = fc.oneof(
  fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.')),
  fc.ipV4().map((address) => `[${address}]`),
  fc.ipV6().map((address) => `[IPv6:${address}]`),
  fc.constantFrom('b\u00fccher.example', '\u90f5\u4ef6.\u5546\u52d9', 'fa\u00df.example', '\uff21.example'),
)
const localText = fc.oneof(
  fc.stringMatching(/^[a-z+=!#]{1,8}(?:\.[a-z0-9\u00e9]{1,8}){0,3}$/u),
  fc.string({ unit: 'grapheme-ascii', maxLength: 20 }).map((s) => `"${s.replace(/["\\]/g, (c) => `\\${c}`)}"`),
)

describe('round trips', () => {
  it('what is written is read as the same mailbox', () => {
    fc.assert(
      fc.property(localText, domainText, (local, domain) => {
        const first = mailbox(`${local}@${domain}`)
        assert.deepEqual(mailbox(mailboxText(first)), first)
        const path = { kind: 'mailbox', mailbox: first } as const
        const read = parseForwardPath(`x${pathText(path)} SIZE=1`, 1)
        assert.ok(read.ok)
        assert.deepEqual(read.value, path)
        assert.equal(read.end, 1 + pathText(path).length)
      }),
      RUNS,
    )
  })

  it('nothing throws, and what is read of anything at all round-trips and is well-formed', () => {
    fc.assert(
      fc.property(fc.oneof(nasty, fc.string({ unit: 'binary' })), (text) => {
        for (const parsed of [parseMailbox(text), parseMailbox(`${text}@a.example`), parseMailbox(`a@${text}`)]) {
          if (!parsed.ok) continue
          const again = mailboxText(parsed.value)
          assert.ok(again.isWellFormed() && !/[\x00-\x1f\x7f-\x9f]/.test(again))
          assert.deepEqual(mailbox(again), parsed.value)
          assert.ok(Buffer.byteLength(again) <= 254)
        }
        parseReversePath(text)
        parseForwardPath(`<${text}>`)
      }),
      RUNS,
    )
  })
})

describe('limits', () => {
  const local64 = 'a'.repeat(64)
  const label63 = 'b'.repeat(63)
  const domainOf = (octets: number) => [label63, label63, label63, label63].join('.').slice(0, octets)

  it('64 octets of local part, quotes included', () => {
    assert.ok(parseMailbox(`${local64}@b.example`).ok)
    assert.equal(faultOf(parseMailbox(`a${local64}@b.example`)), 'local-part-too-long')
    assert.ok(parseMailbox(`"${'a'.repeat(62)}"@b.example`).ok)
    assert.equal(faultOf(parseMailbox(`"${'a'.repeat(63)}"@b.example`)), 'local-part-too-long')
    assert.ok(parseMailbox(`${'é'.repeat(32)}@b.example`).ok)
    assert.equal(faultOf(parseMailbox(`a${'é'.repeat(32)}@b.example`)), 'local-part-too-long')
  })

  it('63 octets of label, 255 of domain', () => {
    assert.ok(parseDomainName(label63))
    assert.equal(parseDomainName(`${label63}b`), undefined)
    assert.equal(parseDomainName(domainOf(255))?.length, 255)
    assert.equal(parseDomainName(`${domainOf(255)}.b`), undefined)
    // Soft hyphens vanish on the way to ASCII; the limit is of what was written too.
    assert.equal(parseDomainName(`${'\u00ad'.repeat(200)}b.example`), 'b.example')
    assert.equal(parseDomainName(`${'\u00ad'.repeat(250)}b.example`), undefined)
  })

  it('256 octets of path, with or without brackets', () => {
    const fits = `${local64}@${domainOf(189)}`
    assert.ok(parseForwardPath(`<${fits}>`).ok && parseMailbox(fits).ok)
    assert.equal(faultOf(parseForwardPath(`<${fits}b>`)), 'path-too-long')
    assert.equal(faultOf(parseMailbox(`${fits}b`)), 'path-too-long')
    assert.ok(parseForwardPath(`<@a.example,@b.example:${fits}>`).ok)
  })

  it('256 octets of path as we would write it: A-labels are longer than what they stand for', () => {
    const ulabel = 'a'.repeat(40).concat('\u00e9')
    const text = `${local64}@${[ulabel, ulabel, ulabel, ulabel].join('.')}`
    assert.ok(Buffer.byteLength(text) <= 254)
    assert.equal(faultOf(parseMailbox(text)), 'path-too-long')
    assert.ok(parseMailbox(text.slice(40)).ok)
  })

  it('bombs cost nothing', () => {
    const started = performance.now()
    for (const piece of ['a', '.', '"', '\\', '@', '<', '[', 'a.', '@a,', '\u00fc', '(', '@a:', '\u3002', '[IPv6:']) {
      const bomb = piece.repeat(200_000)
      for (const text of [bomb, `"${bomb}`, `a@${bomb}`, `a@[${bomb}`]) {
        assert.ok(!parseMailbox(text).ok)
        assert.ok(!parseForwardPath(`<${text}>`).ok)
      }
    }
    // A parser that is not linear takes minutes here.
    assert.ok(performance.now() - started < 20_000)
  })
})

describe('the grammar', () => {
  it('says what is wrong, and where', () => {
    const cases: [string, AddressFault, number][] = [
      ['a@b.example', 'no-opening-bracket', 0],
      ['<a@b.example', 'no-closing-bracket', 12],
      ['<a@b.example x>', 'no-closing-bracket', 12],
      ['<@a@b.example>', 'source-route', 1],
      ['<@a.example:>', 'empty-path', 12],
      ['<a>', 'no-at-sign', 2],
      ['<a..b@c>', 'local-part', 3],
      ['<"a@b>', 'quoted-string', 6],
      ['<a@>', 'domain', 3],
      ['<a@-b>', 'domain', 3],
      ['<a@b..c>', 'domain', 3],
      ['<a@[300.1.1.1]>', 'address-literal', 3],
      ['<a@[fe80::1]>', 'address-literal', 3],
    ]
    for (const [text, kind, at] of cases) {
      assert.deepEqual(parseForwardPath(text), { ok: false, fault: kind, at }, text)
    }
    assert.equal(faultOf(parseForwardPath('<>')), 'empty-path')
    assert.deepEqual(parseReversePath('<> X'), { ok: true, value: { kind: 'null' }, end: 2 })
    assert.equal(faultOf(parseMailbox('a@b.example ')), 'trailing-characters')
  })

  it('half a surrogate pair, a C1 control and the replacement character are no characters', () => {
    for (const c of ['\ud800', '\udc00', '\u0085', '\u009b', '\ufffd']) {
      for (const text of [`a${c}@b.example`, `"a${c}"@b.example`, `a@b${c}.example`]) {
        assert.equal(parseMailbox(text).ok, false, JSON.stringify(text))
      }
    }
    assert.ok(mailbox('\ud83d\ude06@b.example').internationalized)
  })

  it('a quoted local part means what stands between its quotes', () => {
    assert.equal(mailbox('"anna"@b.example').localPart, 'anna')
    assert.equal(mailboxText(mailbox('"\\a\\"\\\\ @"@b.example')), '"a\\"\\\\ @"@b.example')
    assert.equal(mailboxText(mailbox('""@b.example')), '""@b.example')
  })
})

describe('domains', () => {
  const literal = (inside: string) => parseAddressLiteral(inside)
  it('are kept as A-labels in lower case, and a domain in Unicode does not make a mailbox need SMTPUTF8', () => {
    const utf8: Mailbox = mailbox('a@B\u00dccher.Example')
    assert.equal(mailboxText(utf8), 'a@xn--bcher-kva.example')
    assert.equal(utf8.internationalized, false)
    assert.equal(domainForReading(utf8.domain), 'b\u00fccher.example')
  })

  it('characters that turn into others on the way to ASCII do not smuggle any in', () => {
    for (const c of ['\uff20', '\u2100', '\uff0f', '\uff1e', '\u2488', '\uff3b']) {
      assert.equal(parseDomainName(`a${c}b.example`), undefined, c)
    }
  })

  it('for reading: no U-label that would not lead back', () => {
    for (const ascii of ['xn--a', 'xn--0-', 'xn--zzzzzzz99999', 'xn--a.example', 'bakery.example']) {
      assert.equal(domainForReading({ kind: 'name', ascii }), ascii)
    }
  })

  it('one IPv6 address is one literal, however it is written', () => {
    const texts = ['IPv6:2001:DB8:0:0:0:0:0:1', 'ipv6:2001:db8::1', 'IPV6:2001:0db8::0001']
    for (const text of texts) assert.deepEqual(literal(text), literal('IPv6:2001:db8::1'))
    for (const text of ['IPv6:fe80::1%eth0', 'IPv6:1.2.3.4', '01.2.3.4', '1.2.3', 'IPv6:', 'tag:x']) {
      assert.equal(literal(text), undefined, text)
    }
  })
})

it('a key is the same for all spellings of a mailbox, and for no other', () => {
  const same = ['Anna@Bakery.Example', '"anna"@bakery.example', '"\\anna"@BAKERY.example', 'ANNA@bakery.example']
  assert.equal(new Set(same.map((text) => mailboxKey(mailbox(text)))).size, 1)
  assert.equal(mailboxKey(mailbox('jose\u0301@b.example')), mailboxKey(mailbox('jos\u00e9@b.example')))
  const other = ['anna.@bakery', '"anna "@bakery.example', 'anna+x@bakery.example', 'anna@sub.bakery.example']
  for (const text of other) {
    const parsed = parseMailbox(text)
    if (parsed.ok) assert.notEqual(mailboxKey(parsed.value), 'anna@bakery.example')
  }
})
