import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode, encode, type Packet, type Answer as WireRecord } from 'dns-packet'
import fc from 'fast-check'
import { ALIASES_MAX, encodeQuestion, RECORDS_MAX, readAnswer, UDP_OCTETS_MAX } from './message.ts'
import { a, cname, mx, soa } from './testing.ts'

const ID = 4711
const NXDOMAIN = 3
const question = { name: 'bakery.example', type: 'MX' } as const

function answer(parts: Partial<Packet> & { rcode?: number } = {}): Buffer {
  const { rcode = 0, flags = 0, ...others } = parts
  const questions = [{ name: 'bakery.example', type: 'MX' as const, class: 'IN' as const }]
  return encode({ type: 'response', id: ID, questions, ...others, flags: 0x8180 | flags | rcode })
}
const read = (octets: Buffer) => readAnswer(octets, ID, question)

test('a question asks for recursion, DNSSEC and answers that fit into a datagram', () => {
  const octets = encodeQuestion(ID, question)
  const { id, questions, additionals = [] } = decode(octets)
  assert.equal(id, ID)
  assert.deepEqual(questions, [{ name: 'bakery.example', type: 'MX', class: 'IN' }])
  assert.equal(octets.readUInt16BE(2), 0x0120)
  const [opt] = additionals
  assert.ok(opt?.type === 'OPT')
  assert.deepEqual([opt.udpPayloadSize, opt.ednsVersion, opt.flag_do], [UDP_OCTETS_MAX, 0, true])
})

test('records come in plain form, in the case of the wire or not', () => {
  const answers = [mx('Bakery.Example', 10, 'MX.Bakery.Example', 300), mx('bakery.example', 20, '.', 200)]
  assert.deepEqual(read(answer({ answers })), {
    kind: 'records',
    records: [
      { preference: 10, exchange: 'mx.bakery.example' },
      { preference: 20, exchange: '' },
    ],
    noName: false,
    name: 'bakery.example',
    unfinished: false,
    authentic: false,
    ttl: 200,
  })
})

test('all types that are asked for', () => {
  const name = 'x.example'
  const records: [WireRecord, unknown][] = [
    [a(name, '192.0.2.1'), '192.0.2.1'],
    [{ type: 'AAAA', name, ttl: 60, data: '2001:db8::1' }, '2001:db8::1'],
    [{ type: 'TXT', name, ttl: 60, data: ['v=spf1 ', Buffer.from([0xe9])] }, 'v=spf1 é'],
    [{ type: 'PTR', name, ttl: 60, data: 'Mail.Example' }, 'mail.example'],
    [cname(name, 'Other.Example'), 'other.example'],
    [soa(name, 77), { mname: 'ns.x.example', rname: 'hostmaster.x.example', minimum: 77 }],
    [
      {
        type: 'TLSA',
        name,
        ttl: 60,
        data: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.from('ab') },
      },
      { usage: 3, selector: 1, matchingType: 1, data: Uint8Array.from(Buffer.from('ab')) },
    ],
  ]
  for (const [record, data] of records) {
    const type = record.type as 'A'
    const octets = encode({ type: 'response', id: 1, questions: [{ name, type }], answers: [record], flags: 0x8180 })
    const reading = readAnswer(octets, 1, { name, type })
    assert.ok(reading.kind === 'records', type)
    assert.deepEqual(reading.records, [data])
  }
})

test('an answer to another id, name, type or to no question is foreign', () => {
  const good = answer({ answers: [mx('bakery.example', 10, 'mx.example')] })
  assert.equal(read(good).kind, 'records')
  assert.equal(readAnswer(good, ID + 1, question).kind, 'foreign')
  assert.equal(readAnswer(good, ID, { name: 'brewery.example', type: 'MX' }).kind, 'foreign')
  assert.equal(readAnswer(good, ID, { name: 'bakery.example', type: 'A' }).kind, 'foreign')
  assert.equal(read(encode({ type: 'response', id: ID, flags: 0x8180 })).kind, 'foreign')
  assert.equal(read(encode({ type: 'query', id: ID, questions: [question] })).kind, 'foreign')
})

test('records of other names and classes, and strangers’ sections, are no answer', () => {
  const answers: WireRecord[] = [
    mx('evil.example', 1, 'evil.example'),
    { type: 'MX', name: 'bakery.example', class: 'CH', data: { preference: 1, exchange: 'evil.example' } },
  ]
  const additionals = [mx('bakery.example', 1, 'evil.example')]
  const reading = read(answer({ answers, additionals }))
  assert.ok(reading.kind === 'records')
  assert.deepEqual([reading.records, reading.ttl], [[], undefined])
})

test('no such name, and no such record, for as long as the SOA says', () => {
  const nothing = read(answer({ rcode: NXDOMAIN, authorities: [soa('example', 120)] }))
  assert.ok(nothing.kind === 'records' && nothing.noName)
  assert.equal(nothing.ttl, 120)
  const other = read(answer({ authorities: [soa('example', 9000)] }))
  assert.ok(other.kind === 'records' && !other.noName)
  assert.equal(other.ttl, 3600)
})

test('failures are none of both', () => {
  for (const [rcode, name] of [
    [1, 'FORMERR'],
    [2, 'SERVFAIL'],
    [4, 'NOTIMP'],
    [5, 'REFUSED'],
  ] as const) {
    assert.deepEqual(read(answer({ rcode })), { kind: 'failure', rcode: name })
  }
  const badVersion = { type: 'OPT', name: '.', extendedRcode: 1, ednsVersion: 0, flags: 0, options: [] } as never
  assert.equal(read(answer({ additionals: [badVersion] })).kind, 'failure')
})

test('aliases are followed, to a bound, and the shortest life counts', () => {
  const chain = (links: number) => {
    const names = ['bakery.example', ...Array.from({ length: links }, (_, i) => `alias${i}.example`)]
    return names.slice(1).map((name, i) => cname(names[i]!, name, 50 - i))
  }
  const followed = read(answer({ answers: [...chain(3), mx('alias2.example', 10, 'mx.example')] }))
  assert.ok(followed.kind === 'records')
  assert.deepEqual([followed.name, followed.ttl, followed.records.length], ['alias2.example', 48, 1])
  assert.equal(read(answer({ answers: chain(ALIASES_MAX) })).kind, 'records')
  assert.equal(read(answer({ answers: chain(ALIASES_MAX + 1) })).kind, 'malformed')
  const circle = [cname('bakery.example', 'x.example'), cname('x.example', 'bakery.example')]
  assert.equal(read(answer({ answers: circle })).kind, 'malformed')
})

test('an alias without its end is unfinished, unless the end is known not to be there', () => {
  const answers = [cname('bakery.example', 'far.example')]
  const open = read(answer({ answers }))
  assert.ok(open.kind === 'records' && open.unfinished)
  const closed = read(answer({ answers, authorities: [soa('example', 60)] }))
  assert.ok(closed.kind === 'records' && !closed.unfinished)
})

test('of very many records some are kept: of MX the best', () => {
  const many = Array.from({ length: 500 }, (_, i) => mx('bakery.example', 500 - i, `mx${i}.example`))
  const reading = read(answer({ answers: many }))
  assert.ok(reading.kind === 'records')
  assert.deepEqual([reading.records.length, reading.records[0]?.preference], [RECORDS_MAX, 1])
})

test('truncated: as the flag says, wherever it ends', () => {
  const octets = answer({ answers: [mx('bakery.example', 10, 'mx.example')], flags: 1 << 9 })
  for (let end = 12; end <= octets.length; end++) {
    const { kind } = read(octets.subarray(0, end))
    assert.ok(kind === 'truncated' || kind === 'foreign', `${kind} at ${end}`)
  }
})

test('a name that points to itself or forward, lengths that lie, cut answers: malformed', () => {
  const octets = answer({ answers: [mx('bakery.example', 10, 'mx.example')] })
  // The owner of the answer, and the exchange in it.
  for (const at of [32, octets.length - 12]) {
    for (const target of [at, at + 2]) {
      const loop = Buffer.from(octets)
      loop.writeUInt16BE(0xc000 | target, at)
      assert.equal(read(loop).kind, 'malformed')
    }
  }
  for (let end = 0; end < octets.length; end++) assert.notEqual(read(octets.subarray(0, end)).kind, 'records')
  assert.equal(read(Buffer.concat([octets, Buffer.alloc(1)])).kind, 'malformed')
})

test('whatever the octets, reading ends and never throws', () => {
  const octets = answer({
    answers: [cname('bakery.example', 'x.example'), mx('x.example', 10, 'mx.example')],
    authorities: [soa('example', 60)],
  })
  const flips = fc.array(fc.tuple(fc.nat(octets.length - 1), fc.nat(255)), { maxLength: 8 })
  fc.assert(
    fc.property(flips, fc.nat(octets.length), (changes, end) => {
      const damaged = Buffer.from(octets)
      for (const [at, value] of changes) damaged[at] = value
      read(damaged)
      read(damaged.subarray(0, end))
    }),
    { numRuns: 2_000 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (noise) => {
      read(Buffer.from(noise))
      read(Buffer.concat([octets.subarray(0, 32), noise]))
    }),
    { numRuns: 2_000 },
  )
})
