/** Which parts can be taken out of a message, what goes with them, and that nothing else is touched. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { content } from '#mail/content.ts'
import { partsOf } from './parts.ts'
import { rangeOf, removeParts } from './remove.ts'

const NOTICE = 'Content-Type: text/plain\r\n\r\nremoved'
const leaf = (body: string, fields = 'Content-Type: text/plain') => `${fields}\r\n\r\n${body}`
const many = (kind: string, boundary: string, ...parts: string[]) =>
  `Content-Type: multipart/${kind}; boundary=${boundary}\r\n\r\n${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`
const mail = (entity: string) => `Subject: x\r\nMIME-Version: 1.0\r\n${entity}`

/** Takes out every part whose octets contain `BAD`; the message before and after, or why not. */
function stripped(text: string, chunkOctets = text.length): string {
  const octets = Buffer.from(text, 'latin1')
  const found = partsOf(octets)
  if (found.kind === 'disputed') return `disputed: ${found.text}`
  const chunks: Buffer[] = []
  for (let at = 0; at < octets.length; at += chunkOctets) chunks.push(octets.subarray(at, at + chunkOctets))
  const whole = content(chunks)
  const isBad = (part: (typeof found.parts)[number]) =>
    Buffer.concat(rangeOf(whole, part, Buffer.alloc(0)).chunks).includes('BAD')
  const removed = removeParts(whole, found.parts, isBad, () => Buffer.from(NOTICE))
  if (removed.kind === 'impossible') return `impossible: ${removed.text}`
  const after = Buffer.concat(removed.content.chunks)
  assert.equal(after.length, removed.content.octets)
  return after.toString('latin1')
}

describe('a part is replaced in place', () => {
  const letter = leaf('hello')
  const bad = leaf('BAD', 'Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: 8bit')
  const expect = (before: string, after: string) => {
    for (const octets of [before.length, 1, 7, 64]) assert.equal(stripped(mail(before), octets), mail(after))
  }

  it('a file beside a text, several files, and one without a field', () => {
    expect(many('mixed', 'b', letter, bad), many('mixed', 'b', letter, NOTICE))
    expect(many('mixed', 'b', bad, letter, bad), many('mixed', 'b', NOTICE, letter, NOTICE))
    expect(many('x-unknown', 'b', letter, '\r\nBAD'), many('x-unknown', 'b', letter, NOTICE))
    const around = (entity: string) => `${entity.replace('\r\n--b', '\r\npreamble\r\n--b')}epilogue`
    expect(around(many('mixed', 'b', letter, bad)), around(many('mixed', 'b', letter, NOTICE)))
  })

  it('of an attached message all of it, also of one that is encoded, and in a digest', () => {
    const inner = `Subject: y\r\n${many('mixed', 'c', letter, bad)}`
    expect(many('mixed', 'b', letter, leaf(inner, 'Content-Type: message/rfc822')), many('mixed', 'b', letter, NOTICE))
    const digest = many('digest', 'b', '\r\nSubject: z\r\n\r\nBAD', '\r\nSubject: z\r\n\r\nhello')
    expect(digest, many('digest', 'b', NOTICE, '\r\nSubject: z\r\n\r\nhello'))
  })

  it('of alternatives one, and what is left is shown one after the other', () => {
    const html = leaf('BAD', 'Content-Type: text/html')
    expect(many('alternative', 'b', letter, html), many('mixed', 'b', letter, NOTICE))
    expect(
      many('mixed', 'b', many('Alternative', 'c', letter, html), letter),
      many('mixed', 'b', many('mixed', 'c', letter, NOTICE), letter),
    )
    const related = many('related', 'c', leaf('BAD', 'Content-Type: text/html'), leaf('picture'))
    expect(many('alternative', 'b', letter, related), many('mixed', 'b', letter, NOTICE))
    // A file in the last alternative is no alternative.
    expect(
      many('alternative', 'b', letter, many('mixed', 'c', letter, bad)),
      many('alternative', 'b', letter, many('mixed', 'c', letter, NOTICE)),
    )
  })

  it('of related parts the page takes all with it, and a picture goes alone', () => {
    const page = leaf('<img src="cid:1">', 'Content-Type: text/html')
    expect(
      many('mixed', 'b', letter, many('related', 'c', page, bad)),
      many('mixed', 'b', letter, many('related', 'c', page, NOTICE)),
    )
    const badPage = many(
      'related',
      'c',
      many('alternative', 'd', letter, leaf('BAD', 'Content-Type: text/html')),
      letter,
    )
    expect(many('mixed', 'b', letter, badPage), many('mixed', 'b', letter, NOTICE))
    const second = many('alternative', 'd', letter, leaf('BAD', 'Content-Type: text/html'))
    expect(many('mixed', 'b', letter, many('related', 'c', bad, second)), many('mixed', 'b', letter, NOTICE))
    const started = many('related; start="<1>"', 'c', page, bad)
    expect(many('mixed', 'b', letter, started), many('mixed', 'b', letter, NOTICE))
  })

  it('of an Apple file both halves; of a report the message that it returns', () => {
    expect(many('mixed', 'b', letter, many('appledouble', 'c', letter, bad)), many('mixed', 'b', letter, NOTICE))
    const status = leaf('Status: 5.0.0', 'Content-Type: message/delivery-status')
    const returned = leaf('Subject: x\r\n\r\nBAD', 'Content-Type: message/rfc822')
    expect(
      many('report; report-type=delivery-status', 'b', letter, status, returned),
      many('report; report-type=delivery-status', 'b', letter, status, NOTICE),
    )
  })
})

describe('nothing is taken out', () => {
  const bad = leaf('BAD')
  const why = (entity: string) => stripped(mail(entity)).split('\r\n', 1)[0]!

  it('where nothing would be left', () => {
    for (const entity of [
      bad,
      many('mixed', 'b', bad),
      many('mixed', 'b', bad, bad),
      many('related', 'b', bad, leaf('x')),
    ])
      assert.equal(why(entity), 'impossible: nothing would be left of it')
  })

  it('of what is signed, encrypted or a report', () => {
    for (const kind of ['signed; protocol="application/pgp-signature"', 'encrypted'])
      assert.match(why(many('mixed', 'a', leaf('hello'), many(kind, 'b', bad, leaf('x')))), /^impossible: it is signed/)
    const sealed = leaf('BAD', 'Content-Type: application/pkcs7-mime')
    assert.match(why(many('mixed', 'a', leaf('hello'), sealed)), /^impossible: it is signed/)
    const text = many('alternative', 'c', leaf('x'), bad)
    assert.match(why(many('report', 'b', text, leaf('x'), leaf('y'))), /^impossible: it is what a report/)
    const strange = 'Content-Type: multipart/alternative; boundary=b; x="multipart/alternative"'
    assert.match(why(many('alternative', 'b', leaf('x'), bad).replace(/^[^\r]*/, strange)), /^impossible: its type/)
  })

  it('where readers would not agree what is a part', () => {
    const two = many('mixed', 'b', leaf('hello'), bad)
    const inner = many('mixed', 'c', leaf('x'), bad)
    const nested = many('mixed', 'b', leaf('hello'), inner)
    const cases: Readonly<Record<string, string>> = {
      'two types': two.replace('multipart', 'text/plain\r\nContent-Type: multipart'),
      'two boundaries': two.replace('boundary=b', 'boundary=b; boundary=c'),
      'two types of a part': two.replace('text/plain', 'text/plain\r\nContent-Type: text/html'),
      'two encodings of a part': two.replace(
        'text/plain',
        'text/plain\r\nContent-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit',
      ),
      'unknown encoding': two.replace('boundary=b', 'boundary=b\r\nContent-Transfer-Encoding: x-none'),
      'encoded multipart': two.replace('boundary=b', 'boundary=b\r\nContent-Transfer-Encoding: base64'),
      'no boundary': two.replace('; boundary=b', ''),
      'no such boundary': two.replace('boundary=b', 'boundary=z'),
      'no end': two.replace('--b--\r\n', ''),
      'two ends': two + two.slice(two.indexOf('--b')),
      'behind the end': `${two}\r\n--b\r\n${bad}`,
      'looks like a part behind the end': `${two}Content-Type: text/html\r\n\r\nBAD`,
      'more behind the boundary': two.replace('--b\r\n', '--b x\r\n'),
      'inner is outer': many('mixed', 'b', leaf('hello'), many('mixed', 'b', leaf('x'), bad)),
      'inner begins like outer': many('mixed', 'b', leaf('hello'), many('mixed', 'b2', leaf('x'), bad)),
      'inner outside of inner': `${nested.slice(0, -7)}\r\n--c\r\n\r\nBAD\r\n--b--\r\n`,
      'ends in its neighbour': many(
        'mixed',
        'b',
        'Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx',
        `${bad}\r\n--c--`,
      ),
      'a line of blanks': two.replace('\r\n\r\nhello', '\r\n \r\n\r\nhello'),
      'a stray line': two.replace('\r\n\r\nhello', '\r\nstray\r\n\r\nhello'),
      'a lone CR': two.replace('hello\r\n--b', 'hello\r--b'),
      'a part of nothing': two.replace('--b\r\n', '--b\r\n--b\r\n'),
    }
    assert.match(why(two), /^Subject/)
    assert.match(why(nested), /^Subject/)
    for (const [name, entity] of Object.entries(cases)) assert.match(why(entity), /^disputed: /, name)
  })

  it('of more parts, or deeper ones, than anybody writes', () => {
    assert.match(why(many('mixed', 'b', ...Array.from({ length: 1001 }, () => leaf('x')))), /^disputed: the delimiters/)
    let deep = bad
    for (let i = 0; i < 22; i++) deep = many('mixed', `x${String.fromCharCode(97 + i)}y`, leaf('x'), deep)
    assert.match(why(deep), /^disputed: its parts are nested/)
  })
})
