/**
 * The catalogue of places where readers of mail disagree: whatever one of them would get to see is among the readings.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DoubtSymbol, NESTING_MAX, PARTS_MAX } from './contract.ts'
import { readEveryWay } from './readings.ts'

const PAYLOAD =
  'the octets that a scanner must get to see, whoever reads the mail: 0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ!'
const BASE64 = Buffer.from(PAYLOAD).toString('base64')
const WRAPPED = BASE64.replace(/.{60}/g, '$&\r\n')

const read = (text: string) => readEveryWay(Buffer.from(text.replace(/\r?\n/g, '\r\n'), 'latin1'))
const sees = (text: string): boolean => readsRaw(text.replace(/\r?\n/g, '\r\n'))
const readsRaw = (text: string): boolean =>
  readEveryWay(Buffer.from(text, 'latin1')).readings.some(({ octets }) => octets.toString('latin1').startsWith(PAYLOAD))

const multipart = (
  inside: string,
  { field = 'Content-Type: multipart/mixed; boundary="b1"', after = '--b1--' } = {},
): string => `From: a@example.org\n${field}\n\n--b1\n${inside}\n${after}\n`
const file = (fields: string, body = WRAPPED): string => `${fields}\n\n${body}`
const PLAIN_FILE = file('Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64')

const CATALOGUE: Readonly<Record<string, string>> = {
  'a plain attachment': multipart(PLAIN_FILE),
  'a message that is one file': `From: a@example.org\n${PLAIN_FILE}\n`,
  'Content-Type twice, the multipart first': `Content-Type: multipart/mixed; boundary=b1\nContent-Type: text/plain\n\n--b1\n${PLAIN_FILE}\n--b1--\n`,
  'Content-Type twice, the multipart last': `Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=b1\n\n--b1\n${PLAIN_FILE}\n--b1--\n`,
  'two boundaries in one field': multipart(PLAIN_FILE, {
    field: 'Content-Type: multipart/mixed; boundary=no; boundary=b1',
  }),
  'two boundaries, the other way round': multipart(PLAIN_FILE, {
    field: 'Content-Type: multipart/mixed; boundary=b1; boundary=no',
  }),
  'a boundary in pieces (RFC 2231)': multipart(PLAIN_FILE, {
    field: 'Content-Type: multipart/mixed; boundary*0="b"; boundary*1="1"',
  }),
  'a boundary in pieces, out of order': multipart(PLAIN_FILE, {
    field: 'Content-Type: multipart/mixed; boundary*1="1"; boundary*0="b"',
  }),
  'a boundary that is percent-encoded': multipart(PLAIN_FILE, {
    field: "Content-Type: multipart/mixed; boundary*=us-ascii'en'%621",
  }),
  'a comment in the boundary parameter': multipart(PLAIN_FILE, {
    field: 'Content-Type: multipart/mixed; boundary=(x)b1',
  }),
  'a comment in the type': multipart(PLAIN_FILE, { field: 'Content-Type: (text/plain;) multipart/mixed; boundary=b1' }),
  'a boundary whose quote does not close': multipart(PLAIN_FILE, {
    field: 'Content-Type: multipart/mixed; boundary="b1',
  }),
  'a boundary with an escaped character': multipart(PLAIN_FILE, {
    field: 'Content-Type: multipart/mixed; boundary="\\b1"',
  }),
  'blanks around the equals sign': multipart(PLAIN_FILE, { field: 'Content-Type: multipart/mixed; boundary = b1' }),
  'no semicolon before the boundary': multipart(PLAIN_FILE, { field: 'Content-Type: multipart/mixed boundary=b1' }),
  'a boundary folded over two lines': multipart(PLAIN_FILE, {
    field: 'Content-Type: multipart/mixed;\n\tboundary="b1"',
  }),
  'no boundary at all': multipart(PLAIN_FILE, { field: 'Content-Type: multipart/mixed' }),
  'an empty boundary': multipart(PLAIN_FILE, { field: 'Content-Type: multipart/mixed; boundary=""' }),
  'a boundary that does not occur': multipart(PLAIN_FILE, { field: 'Content-Type: multipart/mixed; boundary="other"' }),
  'a type that is only "multipart"': multipart(PLAIN_FILE, { field: 'Content-Type: multipart; boundary=b1' }),
  'an unknown kind of multipart': multipart(PLAIN_FILE, { field: 'Content-Type: multipart/x-unheard; boundary=b1' }),
  'blanks behind the delimiter': `Content-Type: multipart/mixed; boundary=b1\n\n--b1  \t\n${PLAIN_FILE}\n--b1--\n`,
  'something behind the delimiter': `Content-Type: multipart/mixed; boundary=b1\n\n--b1 here it comes\n${PLAIN_FILE}\n--b1--\n`,
  'no end': multipart(PLAIN_FILE, { after: '' }),
  'a part behind the end': `Content-Type: multipart/mixed; boundary=b1\n\n--b1\n\nhello\n--b1--\n--b1\n${PLAIN_FILE}\n`,
  'a part behind the end without a delimiter': `Content-Type: multipart/mixed; boundary=b1\n\n--b1\n\nhello\n--b1--\n${PLAIN_FILE}\n`,
  'the inner boundary is the outer one': multipart(
    `Content-Type: multipart/mixed; boundary="b1"\n\n--b1\n${PLAIN_FILE}`,
  ),
  'the inner boundary begins with the outer one': multipart(
    `Content-Type: multipart/mixed; boundary="b1x"\n\n--b1x\n${PLAIN_FILE}\n--b1x--`,
  ),
  'an inner part behind an outer delimiter': multipart(
    `Content-Type: multipart/mixed; boundary="i"\n\n--i\n\nhello\n--b1\n\nnothing\n--i\n${PLAIN_FILE}\n--i--`,
  ),
  'a file that goes on behind another delimiter': multipart(
    `Content-Type: multipart/mixed; boundary="i"\n\n--i\n\nhi\n--i--\n--b1\n${file('Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64', `${BASE64.slice(0, 40)}\n--i\n${BASE64.slice(40)}`)}`,
  ),
  'transfer encoding twice, base64 first': multipart(
    file('Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: 7bit'),
  ),
  'transfer encoding twice, base64 last': multipart(
    file('Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64'),
  ),
  'transfer encoding with a comment': multipart(file('Content-Transfer-Encoding: (really) base64')),
  'transfer encoding in quotes': multipart(file('Content-Transfer-Encoding: "base64"')),
  'transfer encoding with more behind it': multipart(file('Content-Transfer-Encoding: base64; x=y')),
  'transfer encoding in capitals': multipart(file('CONTENT-TRANSFER-ENCODING: BASE64')),
  'an unknown transfer encoding': multipart(file('Content-Transfer-Encoding: x-base-64')),
  'blanks before the colon': multipart(file('Content-Transfer-Encoding : base64')),
  'a NUL in the name of the field': multipart(file('Content-Transfer\0-Encoding: base64')),
  'a line of blanks ends the header': multipart(`Content-Transfer-Encoding: base64\n \n${WRAPPED}`),
  'a line of blanks does not end the header': multipart(file('X-A: b\n \nContent-Transfer-Encoding: base64')),
  'a line that is no field': multipart(file('X-A: b\nthis is no field\nContent-Transfer-Encoding: base64')),
  'a line that is no field begins the body': multipart(`Content-Transfer-Encoding: base64\n${WRAPPED}`),
  'a field begins with a blank': multipart(file(' Content-Transfer-Encoding: base64')),
  'junk between the letters': multipart(file('Content-Transfer-Encoding: base64', BASE64.replace(/.{7}/g, '$&!*\n'))),
  'padding in the middle': multipart(
    file(
      'Content-Transfer-Encoding: base64',
      `${Buffer.from(PAYLOAD.slice(0, 20)).toString('base64')}\n${Buffer.from(PAYLOAD.slice(20)).toString('base64')}`,
    ),
  ),
  'padding that means nothing': multipart(
    file('Content-Transfer-Encoding: base64', `${BASE64.slice(0, 10)}=${BASE64.slice(10)}`),
  ),
  'base64 with more text behind the padding': multipart(
    file('Content-Transfer-Encoding: base64', `${Buffer.from(`${PAYLOAD}1`).toString('base64')}\nTHIS IS JUNK`),
  ),
  'letters of URLs': multipart(
    file('Content-Transfer-Encoding: base64', `${Buffer.from(`${PAYLOAD}ûïþÿ`, 'latin1').toString('base64url')}`),
  ),
  'no base64 though it says so': multipart(file('Content-Transfer-Encoding: base64', PAYLOAD)),
  'quoted-printable': multipart(
    file(
      'Content-Transfer-Encoding: quoted-printable',
      [...Buffer.from(PAYLOAD)]
        .map((o) => `=${o.toString(16).toUpperCase()}`)
        .join('')
        .replace(/.{72}/g, '$&=\n'),
    ),
  ),
  'quoted-printable with small digits': multipart(
    file(
      'Content-Transfer-Encoding: quoted-printable',
      [...Buffer.from(PAYLOAD)]
        .map((o) => `=${o.toString(16)}`)
        .join('')
        .replace(/.{72}/g, '$&= \n'),
    ),
  ),
  'uuencode in a text': `Subject: x\n\nhello\n\n${uuencode()}\nbye\n`,
  'uuencode before the first part': `Content-Type: multipart/mixed; boundary=b1\n\n${uuencode()}\n--b1\n\nhi\n--b1--\n`,
  'uuencode behind the last part': multipart('\nhi', { after: `--b1--\n${uuencode()}` }),
  'uuencode as transfer encoding': multipart(file('Content-Transfer-Encoding: x-uuencode', uuencode())),
  'uuencode without an end': `Subject: x\n\n${uuencode().replace('end', '')}`,
  'uuencode in quoted-printable': `Content-Transfer-Encoding: quoted-printable\n\n${uuencode().replaceAll('=', '=3D')}`,
  'uuencode in base64': `Subject: x\n\nbegin-base64 644 a.exe\n${WRAPPED}\n====\n`,
  yEnc: `Subject: x\n\n=ybegin line=128 size=${PAYLOAD.length} name=a.exe\n${yEnc()}\n=yend size=${PAYLOAD.length}\n`,
  'a message in the message': multipart(`Content-Type: message/rfc822\n\nSubject: inner\n${PLAIN_FILE}`),
  'a message in the message, in base64': multipart(
    `Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n${Buffer.from(`Subject: inner\r\n${PLAIN_FILE.replaceAll('\n', '\r\n')}`).toString('base64')}`,
  ),
  'a multipart in base64': multipart(
    `Content-Type: multipart/mixed; boundary=i\nContent-Transfer-Encoding: base64\n\n${Buffer.from(`--i\r\n${PLAIN_FILE}\r\n--i--`).toString('base64')}`,
  ),
  'a part of a digest': `Content-Type: multipart/digest; boundary=b1\n\n--b1\n\nSubject: inner\n${PLAIN_FILE}\n--b1--\n`,
  'a piece of a message': `Content-Type: message/partial; id=a; number=1; total=2\n\nSubject: inner\n${PLAIN_FILE}\n`,
  'a text before the first part': `Content-Type: multipart/mixed; boundary=b1\n\n${PAYLOAD}\n--b1\n\nhi\n--b1--\n`,
}

function uuencode(): string {
  const octets = Buffer.from(PAYLOAD)
  let text = 'begin 644 a.exe\n'
  const letter = (six: number): string => (six === 0 ? '`' : String.fromCharCode(six + 32))
  for (let at = 0; at < octets.length; at += 45) {
    const line = octets.subarray(at, at + 45)
    text += letter(line.length)
    for (let i = 0; i < line.length; i += 3) {
      const n = (line[i]! << 16) | ((line[i + 1] ?? 0) << 8) | (line[i + 2] ?? 0)
      text += letter(n >> 18) + letter((n >> 12) & 63) + letter((n >> 6) & 63) + letter(n & 63)
    }
    text += '\n'
  }
  return `${text}\`\nend\n`
}

function yEnc(): string {
  const out = [...Buffer.from(PAYLOAD)].map((octet) => {
    const c = (octet + 42) & 0xff
    return c === 0 || c === 10 || c === 13 || c === 61
      ? `=${String.fromCharCode((c + 64) & 0xff)}`
      : String.fromCharCode(c)
  })
  return out.join('')
}

for (const [name, text] of Object.entries(CATALOGUE)) {
  test(`is seen: ${name}`, () => {
    assert.ok(sees(text), name)
  })
}

test('is seen with every kind of line end', () => {
  const text = multipart(PLAIN_FILE)
  for (const end of ['\n', '\r\n']) assert.ok(readsRaw(text.replaceAll('\n', end)), JSON.stringify(end))
  assert.ok(readsRaw(`X: a\rContent-Transfer-Encoding: base64\r\n\r\n${BASE64}\r\n`), 'a lone CR ends a field for some')
})

test('a straightforward message has one reading for each part, and no doubt', () => {
  const { readings, doubts } = read(multipart(`Content-Type: text/plain\n\nhello\n--b1\n${PLAIN_FILE}`))
  assert.deepEqual(
    readings.map(({ where, way, isPlain }) => [where, way, isPlain]),
    [
      ['part 1', 'as it stands', true],
      ['part 2', 'base64', true],
    ],
  )
  assert.equal(readings[0]!.octets.toString(), 'hello', 'the line end before a delimiter belongs to the delimiter')
  assert.deepEqual(doubts, [])
})

test('what only some readers see is not plain', () => {
  for (const name of [
    'transfer encoding twice, base64 first',
    'a part behind the end without a delimiter',
    'junk between the letters',
  ]) {
    const seen = read(CATALOGUE[name]!).readings.find(({ octets }) => octets.toString('latin1').startsWith(PAYLOAD))
    assert.equal(seen?.isPlain, false, name)
  }
  // Also what is plain in itself, inside of what only some readers see.
  const inner = multipart(PLAIN_FILE)
  for (const around of [
    `Content-Type: multipart/mixed; boundary="b2\n\n--b2\n${inner}\n--b2--\n`,
    `Content-Type: multipart/mixed; boundary=x; boundary=b2\n\n--b2\n${inner}\n--b2--\n`,
    `Content-Type: multipart/mixed; boundary=b2\nContent-Type: text/plain\n\n--b2\n${inner}\n--b2--\n`,
    `Content-Type: multipart/mixed\n\n--b2\n${inner}\n--b2--\n`,
    `Content-Type: message/rfc822\nContent-Type: text/plain\n\n${inner}`,
    `Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n${Buffer.from(inner).toString('base64')}\n`,
  ]) {
    const all = read(around).readings.filter(({ octets }) => octets.toString('latin1').startsWith(PAYLOAD))
    assert.ok(all.length > 0 && all.every(({ isPlain }) => !isPlain), around.slice(0, 60))
  }
})

const namesOf = (fields: string): readonly string[] =>
  read(multipart(file(fields))).readings.flatMap(({ names }) => names)

test('a file has every name that some reader gives it', () => {
  const cases: [string, string][] = [
    ['Content-Disposition: attachment; filename="a.exe"', 'a.exe'],
    ['Content-Disposition: attachment; filename=a.txt; filename=a.exe', 'a.exe'],
    ['Content-Disposition: attachment; filename=a.exe; filename=a.txt', 'a.exe'],
    ['Content-Type: application/x; name=a.exe\nContent-Disposition: attachment; filename=a.txt', 'a.exe'],
    ["Content-Disposition: attachment; filename*=utf-8''%61.exe; filename=a.txt", 'a.exe'],
    ['Content-Disposition: attachment; filename*0=a.; filename*1=exe', 'a.exe'],
    ["Content-Disposition: attachment; filename*0*=utf-8''a%2E; filename*1=exe", 'a.exe'],
    ['Content-Disposition: attachment; filename="=?utf-8?B?YS5leGU=?="', 'a.exe'],
    ['Content-Disposition: attachment; filename==?utf-8?Q?a=2Eexe?=', 'a.exe'],
    ['Content-Disposition: attachment; filename=a file.exe', 'a file.exe'],
    ['Content-Disposition: attachment; filename="a.exe. . "', 'a.exe'],
    ['Content-Disposition: attachment; filename="c:\\\\temp\\\\a.exe"', 'a.exe'],
    ['Content-Disposition: attachment; filename="a.exe', 'a.exe'],
    ['Content-Disposition: attachment; filename="a";.exe', 'a'],
  ]
  for (const [fields, name] of cases)
    assert.ok(namesOf(fields).includes(name), `${fields} → ${namesOf(fields).join(' | ')}`)
})

test('what cannot be looked at is a doubt', () => {
  const deep = (levels: number): string => {
    let inner = `Subject: x\r\n\r\n${PAYLOAD}\r\n`
    for (let i = 0; i < levels; i++)
      inner = `Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(inner).toString('base64')}\r\n`
    return inner
  }
  const cases: [string, DoubtSymbol][] = [
    ['Content-Type: message/partial; id=a; number=2; total=2\n\nabc\n', 'partial-message'],
    ['Content-Type: message/external-body; access-type=URL\n\n\n', 'external-body'],
    ['Content-Transfer-Encoding: x-secret\n\nabc\n', 'unknown-encoding'],
    [multipart('\nx\n--b1\n'.repeat(PARTS_MAX + 5)), 'too-many-parts'],
    [
      multipart(
        Array.from({ length: 80 }, (_, i) => `Content-Type: multipart/mixed; boundary=x${i}\n\n--b1\n`).join(''),
      ),
      'too-many-boundaries',
    ],
    [deep(NESTING_MAX + 2), 'nested-too-deep'],
  ]
  for (const [text, symbol] of cases)
    assert.ok(
      read(text).doubts.some((doubt) => doubt.symbol === symbol),
      `${symbol}: ${JSON.stringify(read(text).doubts)}`,
    )
})
