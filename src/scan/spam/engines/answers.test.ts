/** What Rspamd and spamd answer, and what is made of it; a word that cannot be relied on is silence. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '#sys/clock.ts'
import { fake } from '../../testing.ts'
import { BODY_OCTETS_MAX } from './counted-answer.ts'
import { SpamEngines } from './engines.ts'
import { engineOf, http, isWhole, MAIL, saidBy, says, symbols, verdict } from './testing.ts'
import { RSPAMD_LINE, SPAMD_LINE, WEIGHT_MAX, weightOf } from './weight.ts'

async function said(kind: 'rspamd' | 'spamd', answer: string): Promise<string[]> {
  using server = await says(answer)
  // The server must outlive the question.
  return await saidBy(engineOf(kind, [server.address]))
}

test('Rspamd: its score and its heaviest symbols are one sign', async () => {
  const found = { A: { name: 'A', score: 0.1 }, B: { score: -2 }, C: { score: 8.14 }, D: { score: 0 }, E: {} }
  assert.deepEqual(await said('rspamd', http(verdict({ score: 6, action: 'add header', symbols: found }))), [
    'ENGINE_RSPAMD 5: rspamd: 6 of 15, add header: C 8.1, B -2, A 0.1',
  ])
  assert.deepEqual(await said('rspamd', http(verdict())), ['ENGINE_RSPAMD -2: rspamd: 0 of 15, no action'])
})

test('Rspamd: an action that no score explains has the last word', async () => {
  const weights = async (about: Record<string, unknown>) => (await said('rspamd', http(verdict(about)))).join('; ')
  assert.match(await weights({ action: 'reject', score: 0 }), /^ENGINE_RSPAMD 8: /)
  assert.match(await weights({ action: 'no action', score: 99 }), /^ENGINE_RSPAMD 2: /)
  assert.match(await weights({ action: 'no action', score: 2.4, required_score: 0.1 }), /^ENGINE_RSPAMD 2: /)
  assert.match(await weights({ action: 'my own', score: 99 }), /^ENGINE_RSPAMD 12: /)
  assert.match(await weights({ action: '__proto__', score: 99 }), /^ENGINE_RSPAMD 12: /)
  assert.match(await weights({ action: 'soft reject', score: -5 }), /^ENGINE_RSPAMD 0: .*; ENGINE_DELAYS 0.5: /)
  assert.match(await weights({ action: 'greylist', score: 4.05 }), /^ENGINE_RSPAMD 2: .*; ENGINE_DELAYS 0.5: /)
  // Nothing to be on the way to: its own default stands in.
  assert.match(await weights({ score: 0, required_score: 0 }), /^ENGINE_RSPAMD -2: rspamd: 0 of 15/)
})

test('Rspamd: exempt by its own settings is not "no spam", and its test pattern is', async () => {
  assert.deepEqual(await said('rspamd', http(verdict({ is_skipped: true }))), [
    'ENGINE_SKIPPED 0: rspamd: its settings exempt it',
  ])
  const gtube = { is_skipped: true, score: 15, action: 'reject', symbols: { GTUBE: { score: 0 } } }
  assert.deepEqual(await said('rspamd', http(verdict(gtube))), ['ENGINE_RSPAMD 10: rspamd: 15 of 15, reject'])
})

test('spamd: its score and its rules are one sign', async () => {
  assert.deepEqual(await said('spamd', symbols('True ; 10.0 / 5.0', 'GTUBE,NO_RELAYS')), [
    'ENGINE_SPAMD 8: spamd: 10 of 5: GTUBE, NO_RELAYS',
  ])
  assert.deepEqual(await said('spamd', symbols('False ; -0.0 / 5.0')), ['ENGINE_SPAMD -2: spamd: 0 of 5'])
  assert.match((await said('spamd', symbols('True ; 1004.2 / 5.0')))[0]!, /^ENGINE_SPAMD 12: /)
  assert.match((await said('spamd', symbols('True ; 0.0 / 0.0')))[0]!, /^ENGINE_SPAMD -2: /)
})

test('spamd: its own words for "not now"', async () => {
  const silent = async (line: string) => (await said('spamd', line)).join('; ')
  assert.match(await silent('SPAMD/1.0 79 Timeout: (300 second timeout)\r\n'), /^ENGINE_SILENT 0: spamd: timed-out, /)
  assert.match(await silent('SPAMD/1.0 69 Service Unavailable: x\r\n'), /: busy, .*; silent: spamd$/)
  assert.match(await silent('SPAMD/1.0 76 Bad header line: x\r\n'), /: garbled, /)
})

test('an answer that is none is silence', async () => {
  const good = symbols('False ; 1.0 / 5.0', 'A')
  const garbled = {
    spamd: [
      good.replace('False', 'True'),
      good.replace('1.0 /', 'nan /'),
      good.replace('EX_OK', 'EX_\0K'),
      good.replace('SPAMD', 'SPAMC'),
      good.replace('Content-length: 1', 'Content-length: 2'),
      good.replace('Content-length: 1\r\n', ''),
      good.replace('Content-length: 1', 'Content-length: 1\r\nContent-length: 1'),
      `${good}B`,
      http(verdict()),
    ],
    rspamd: [
      http('{'),
      http('[]'),
      http('null'),
      http(verdict({ action: 3 })),
      http(verdict({ score: '3' })),
      http(verdict({ required_score: null })),
      http(verdict({ is_skipped: 1 })),
      http(verdict({ symbols: [] })),
      http(`${verdict()}${' '.repeat(BODY_OCTETS_MAX)}`),
      http(verdict()).replace('200 OK', '403 Forbidden'),
      http(verdict()).replace('\r\nContent-Length', '\r\nTransfer-Encoding: chunked\r\nContent-Length'),
      `HTTP/1.1 200 OK\r\n${'x'.repeat(20_000)}`,
      good,
    ],
  }
  for (const kind of ['spamd', 'rspamd'] as const)
    for (const answer of garbled[kind]) {
      const [sign, silent] = await said(kind, answer)
      assert.match(sign!, new RegExp(`^ENGINE_SILENT 0: ${kind}: (?:garbled|reset), `), answer.slice(0, 200))
      assert.equal(silent, `silent: ${kind}`)
    }
})

test('a verdict before it has all of the message is none', async () => {
  for (const [kind, answer] of [
    ['rspamd', http(verdict())],
    ['spamd', symbols('False ; 0.0 / 5.0')],
  ] as const) {
    using early = await fake(
      () => {},
      (socket) => void socket.write(answer),
    )
    const large = { chunks: Array.from({ length: 400 }, () => Buffer.alloc(64 * 1024)), octets: 400 * 64 * 1024 }
    const [sign] = await saidBy(engineOf(kind, [early.address], { octetsMax: large.octets }), large)
    assert.match(sign!, /^ENGINE_SILENT 0: .*: garbled, /)
  }
})

test('any octets at all: a verdict is within its bounds, and all else is silence', async () => {
  let answer = ''
  using server = await fake((socket, heard) => void (isWhole(heard) && socket.end(Buffer.from(answer, 'latin1'))))
  const engines = (['rspamd', 'spamd'] as const).map(
    (kind) => new SpamEngines([engineOf(kind, [server.address])], systemClock),
  )
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.json().map((body) => http(body)),
    fc
      .record({ action: fc.string(), score: fc.double(), required_score: fc.double() })
      .map((one) => http(verdict(one))),
    fc.tuple(fc.string(), fc.string()).map(([spam, names]) => symbols(spam, names)),
  )
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      answer = text
      for (const one of engines) {
        const { signs, silent } = await one.ask(MAIL, {})
        assert.equal(silent.length, signs.some(({ symbol }) => symbol === 'ENGINE_SILENT') ? 1 : 0)
        for (const { weight, detail } of signs) {
          assert.ok(Math.abs(weight) <= WEIGHT_MAX)
          assert.ok(detail!.length <= 120 && !/[\r\n\0]/.test(detail!))
        }
      }
    }),
    { numRuns: 100 },
  )
})

test('more points never weigh less', () => {
  for (const line of [RSPAMD_LINE, SPAMD_LINE])
    for (let points = -20; points < 40; points += 0.25)
      assert.ok(weightOf(line, points, 7) <= weightOf(line, points + 0.25, 7), `${points}`)
})
