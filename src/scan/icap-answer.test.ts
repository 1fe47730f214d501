/** What an ICAP server may say, and the little of it that is a "clean". */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HEAD_OCTETS_MAX, type IcapAnswer, IcapAnswerReader, readOptions } from './icap-answer.ts'

const SENT = [Buffer.from('Subject: x\r\n\r\n'), Buffer.from('hello\r\n')]
const BODY = Buffer.concat(SENT).toString('latin1')
const http = 'HTTP/1.1 200 OK\r\nContent-Type: message/rfc822\r\n\r\n'
const chunked = (text: string, size = 7) =>
  `${(text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []).map((one) => `${one.length.toString(16)}\r\n${one}\r\n`).join('')}0\r\n\r\n`
const ok = (page: string, body: string, more = '') =>
  `ICAP/1.0 200 OK\r\n${more}Encapsulated: res-hdr=0, res-body=${page.length}\r\n\r\n${page}${body}`

interface Told {
  readonly has204?: boolean
  readonly sentAll?: boolean
  readonly preview?: boolean
}

/** In pieces of `size` octets, then the connection closes. */
function answer(
  text: string,
  { has204 = true, sentAll = true, preview = false }: Told = {},
  size = 5,
): IcapAnswer | undefined {
  let isAll = sentAll
  const goOn = () => {
    isAll = true
  }
  const reader = new IcapAnswerReader({ sent: SENT, has204, ...(preview && { goOn }) })
  const octets = Buffer.from(text, 'latin1')
  for (let at = 0; at < octets.length; at += size) {
    const said = reader.push(octets.subarray(at, at + size), isAll)
    if (said !== undefined) return said
  }
  return reader.closed()
}
const kind = (text: string, told: Told = {}): string | undefined => {
  const all = [1, 5, 10_000].map((size) => answer(text, told, size)?.kind)
  assert.equal(new Set(all).size, 1, `${JSON.stringify(text)}: ${all}`)
  return all[0]
}

test('204 is clean, after all octets and from who has heard more than a preview', () => {
  const text = 'ICAP/1.0 204 Unmodified\r\nISTag: "a"\r\n\r\n'
  assert.equal(kind(text), 'clean')
  assert.equal(kind(text, { sentAll: false }), 'garbled')
  assert.equal(kind(text, { sentAll: false, preview: true }), 'too-large')
  assert.deepEqual(answer(text), { kind: 'clean', tag: '"a"' })
  const after = 'ICAP/1.0 100 Continue\r\n\r\n'
  const reader = new IcapAnswerReader({ sent: SENT, has204: true, goOn: () => {} })
  assert.equal(reader.push(Buffer.from(after), false), undefined)
  assert.equal(reader.push(Buffer.from(text), true)?.kind, 'clean')
  assert.equal(kind(after), 'garbled')
  assert.equal(answer(`${after}${text}`, { sentAll: false, preview: true }, 10_000)?.kind, 'garbled')
})

test('the content given back is a clean only from a server that has no 204', () => {
  for (const size of [1, 7, 1000]) {
    const back = ok(http, chunked(BODY, size))
    assert.equal(kind(back), 'too-large')
    assert.equal(kind(back, { has204: false }), 'clean')
    assert.equal(kind(back, { has204: false, sentAll: false }), 'too-large')
  }
})

test('a page instead, another content, or none is a finding', () => {
  const refused = 'HTTP/1.0 403 Forbidden\r\n\r\n'
  assert.deepEqual(answer(ok(refused, '')), { kind: 'found', name: 'refused: 403', isLimit: false })
  for (const has204 of [true, false])
    for (const other of [`${BODY}!`, BODY.slice(1), BODY.slice(0, -1), '', BODY.replace('hello', 'hallo')])
      assert.equal(kind(ok(http, chunked(other)), { has204 }), 'found', other)
  assert.equal(kind(`ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, null-body=${http.length}\r\n\r\n${http}`), 'found')
})

test('a name is found in each of the fields that servers use', () => {
  const found = (field: string, status = '200 OK') => answer(`ICAP/1.0 ${status}\r\n${field}\r\n\r\n`)
  const named = (name: string) => ({ kind: 'found', name, isLimit: false })
  assert.deepEqual(found('X-Infection-Found: Type=0; Resolution=2; Threat=Eicar Test;'), named('Eicar Test'))
  assert.deepEqual(found('X-Virus-ID: Eicar', '204 No'), named('Eicar'))
  assert.deepEqual(found('X-Violations-Found: 1\r\n\t-\r\n\tEicar\r\n\t0\r\n\t0'), named('Eicar'))
  assert.deepEqual(found('X-Infection-Found: Type=0; Threat=;'), named('unnamed'))
  assert.deepEqual(found('X-Infection-Found: Type=2; Resolution=0; Threat=Too deep;'), {
    ...named('Too deep'),
    isLimit: true,
  })
  assert.deepEqual(found('X-Virus-ID: a\x01\xe4b'), named('a??b'))
  for (const nothing of ['no threats', 'none', 'No virus found', '-', ''])
    assert.equal(found(`X-Virus-ID: ${nothing}`, '204 No')?.kind, 'clean', nothing)
})

test('what it cannot do now is said, and everything else is garbled', () => {
  const expected: Readonly<Record<string, string>> = {
    '404 Service not found': 'down',
    '500 Server error': 'down',
    '503 Overloaded': 'down',
    '408 Timeout': 'timed-out',
    '413 Too Large': 'too-large',
    '206 Partial': 'garbled',
    '304 Nothing': 'garbled',
  }
  for (const [line, what] of Object.entries(expected)) assert.equal(kind(`ICAP/1.0 ${line}\r\n\r\n`), what)
  for (const text of [
    'HTTP/1.1 204 No Content\r\n\r\n',
    'ICAP/1.0 204\r\n',
    'ICAP/1.0 2040 x\r\n\r\n',
    ' ICAP/1.0 204 x\r\n\r\n',
    'ICAP/1.0 200 OK\r\n\r\n',
    'ICAP/1.0 200 OK\r\nEncapsulated: req-hdr=0, req-body=3\r\n\r\n',
    'ICAP/1.0 204 OK\r\nno field\r\n\r\n',
    ok(http, 'no chunks'),
    ok(http, 'fffffffff\r\n'),
    ok(http, chunked(BODY).slice(0, -3)),
    ok('no page\r\n\r\n', chunked(BODY)),
    'x'.repeat(300_000),
  ])
    assert.equal(kind(text, { has204: false }), 'garbled', text.slice(0, 60))
  assert.equal(answer(''), undefined)
  const endless = new IcapAnswerReader({ sent: SENT, has204: true })
  assert.equal(endless.push(Buffer.alloc(HEAD_OCTETS_MAX + 1, 'x'), true)?.kind, 'garbled')
})

test('OPTIONS', () => {
  const text =
    'ICAP/1.0 200 OK\r\nMethods: RESPMOD, REQMOD\r\nAllow: 206, 204\r\nPreview: 1024\r\nISTag: "v1"\r\nMax-Connections: 5\r\nOptions-TTL: 30'
  assert.deepEqual(readOptions(text), {
    ...{ has204: true, previewOctets: 1024, connectionsMax: 5, tag: '"v1"', ttlMs: 30_000 },
  })
  assert.deepEqual(readOptions('ICAP/1.0 200 OK\r\nMax-Connections: many'), {
    ...{ has204: false, previewOctets: undefined, connectionsMax: undefined, tag: undefined, ttlMs: undefined },
  })
  const why = (one: string) => {
    const read = readOptions(one)
    return 'kind' in read ? read.kind : undefined
  }
  assert.equal(why('ICAP/1.0 200 OK\r\nMethods: REQMOD'), 'down')
  assert.equal(why('ICAP/1.0 404 No'), 'down')
  assert.equal(why('SSH-2.0-x'), 'garbled')
})
