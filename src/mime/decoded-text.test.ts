import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fieldText, fromCharset, partText } from './decoded-text.ts'
import { readFields, readStructure } from './structure.ts'

function textOf(message: string): string {
  const { fields, bodyStart } = readFields(message, 0, message.length)
  const part = readStructure(message, fields, bodyStart).parts[0]
  assert.ok(part)
  return partText(message, part)
}
const part = (type: string, encoding: string, body: string): string =>
  textOf(`Content-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`)

describe('the text of a part', () => {
  it('in each transfer encoding and charset', () => {
    assert.equal(part('text/plain; charset=iso-8859-1', 'quoted-printable', 'K=FCche=\r\n!'), 'Küche!')
    assert.equal(part('text/plain; charset=UTF-8', 'Base64', Buffer.from('Küche').toString('base64')), 'Küche')
    assert.equal(part('text/plain; charset=iso-2022-jp', '7bit', '\x1b$B%a!<%k\x1b(B'), 'メール')
    assert.equal(part('text/plain', '7bit', '\x1b$B%a!<%k\x1b(B'), 'メール')
    assert.equal(part('text/plain; charset=nobody-knows', '8bit', 'K\xfcche'), 'Küche')
    assert.equal(part('text/plain', 'nonsense', 'a=20b'), 'a=20b')
  })

  it('of HTML is what stands between the tags', () => {
    const html = '<STYLE>p{}</STYLE><p>To: &lt;a@b.c&gt;<br>or <d@e.f>&nbsp;1 < 2</p>'
    assert.equal(part('text/html', '7bit', html), '\nTo: <a@b.c>\nor <d@e.f> 1 < 2\n')
  })
})

it('encoded words (RFC 2047)', () => {
  assert.equal(fieldText('=?utf-8?Q?K=C3=BC?= =?utf-8*de?b?Y2hl?= =?x'), 'Küche =?x')
  assert.equal(fieldText('plain = text'), 'plain = text')
  assert.equal(fieldText('K\xc3\xbcche'), 'Küche')
  assert.equal(fieldText('\xd3\xca\xbc\xfe', 'gb2312'), '邮件')
})

it('any octets in any charset are some text', () => {
  const octets = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
  const charset = fc.oneof(fc.constantFrom('utf-8', 'utf-16', 'iso-2022-jp', 'big5', 'utf-7', ''), fc.string())
  fc.assert(
    fc.property(octets, charset, (text, name) => {
      assert.equal(typeof fromCharset(text, name), 'string')
      assert.equal(typeof fieldText(text, name), 'string')
      assert.equal(typeof part('text/html', 'quoted-printable', text), 'string')
    }),
  )
})
