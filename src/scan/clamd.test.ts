/** clamd as it lies: every way in which a server can fail to look, and that none of them is a "clean". */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { content } from '#mail/content.ts'
import { systemClock } from '#sys/clock.ts'
import { Clamd, type ClamdSettings } from './clamd.ts'
import { fake } from './testing.ts'

const isWhole = (heard: Buffer) => heard.subarray(-4).equals(Buffer.alloc(4))
const says = (answer: string) =>
  fake((socket, heard) => void (isWhole(heard) && socket.end(Buffer.from(answer, 'latin1'))))
const MAIL = content([Buffer.from('Subject: x\r\n\r\nhello\r\n')])
const engine = (servers: ClamdSettings['servers'], more: Partial<ClamdSettings> = {}) =>
  new Clamd({ name: 'clamd', servers, connectionsMax: 2, connectMsMax: 2_000, timeMsMax: 5_000, ...more }, systemClock)
const look = (to: Clamd, mail = MAIL) => to.look(mail, Promise.resolve([]))
/** Why it did not look, or the facts. */
async function why(servers: ClamdSettings['servers'], more: Partial<ClamdSettings> = {}, mail = MAIL) {
  const facts = await look(engine(servers, more), mail)
  return facts.map((fact) => (fact.kind === 'not-looked' ? fact.why : fact.kind)).join()
}

test('only the exact words, after all octets, are a clean', async () => {
  using clean = await says('stream: OK\0')
  assert.equal(await why([clean.address]), '')
  for (const answer of [
    'stream: OK',
    'stream: OK\n',
    'OK\0',
    ' stream: OK\0',
    'stream: OK\0stream: X FOUND\0',
    'stream: \0',
    'PONG\0',
    'UNKNOWN COMMAND\0',
    `${'x'.repeat(10_000)}stream: OK\0`,
  ]) {
    using server = await says(answer)
    assert.equal(await why([server.address]), 'garbled', JSON.stringify(answer))
  }
})

test('an OK before it has all octets is none', async () => {
  using early = await fake(
    () => {},
    (socket) => void socket.write('stream: OK\0'),
  )
  const large = content(Array.from({ length: 400 }, () => Buffer.alloc(64 * 1024)))
  assert.equal(await why([early.address], {}, large), 'garbled')
})

test('any octets at all: no other answer is clean', async () => {
  let answer = ''
  using server = await fake((socket, heard) => void (isWhole(heard) && socket.end(Buffer.from(answer, 'latin1'))))
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc
      .constantFrom('stream: OK', 'stream: X FOUND', 'ERROR', '\0')
      .chain((words) => fc.string({ maxLength: 3 }).map((rest) => words + rest)),
  )
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      answer = Buffer.from(text, 'latin1').toString('latin1')
      const facts = await look(engine([server.address]))
      assert.equal(facts.length === 0, answer === 'stream: OK\0')
    }),
    { numRuns: 100 },
  )
})

test('what it finds has its name, and its heuristics are facts of their own', async () => {
  const facts = async (answer: string) => {
    using server = await says(answer)
    return (await look(engine([server.address])))[0]
  }
  const where = 'message'
  assert.deepEqual(await facts('stream: Eicar-Test-Signature FOUND\0'), {
    kind: 'malware',
    engine: 'clamd',
    name: 'Eicar-Test-Signature',
    where,
  })
  assert.deepEqual(await facts('stream: Heuristics.Encrypted.Zip FOUND\0'), {
    kind: 'encrypted',
    container: 'zip',
    where,
  })
  assert.equal((await facts('stream: Heuristics.Broken.Executable FOUND\0'))?.kind, 'broken')
  const limit = await facts('stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0')
  assert.ok(limit?.kind === 'not-looked' && limit.why === 'too-large')
})

test('silence is a time-out, nobody there is down, going away at the end a crash', async () => {
  using silent = await fake(() => {})
  assert.equal(await why([silent.address], { timeMsMax: 100 }), 'timed-out')
  assert.equal(await why([{ kind: 'local', path: '/nonexistent/clamd.socket' }]), 'down')
  using dies = await fake((socket, heard) => void (isWhole(heard) && socket.destroy()))
  assert.equal(await why([dies.address]), 'crashed')
})

test('its size limit, said or shown by a reset, is too-large', async () => {
  using says3 = await says('INSTREAM size limit exceeded. ERROR\0')
  assert.equal(await why([says3.address]), 'too-large')
  using resets = await fake((socket) => void socket.resetAndDestroy())
  const large = content(Array.from({ length: 400 }, () => Buffer.alloc(64 * 1024)))
  assert.equal(await why([resets.address], {}, large), 'too-large')
})

test('a server that fails hands over to the next, and rests', async () => {
  let asked = 0
  using bad = await fake((socket, heard) => {
    if (!isWhole(heard)) return
    asked++
    socket.end('nonsense\0')
  })
  using good = await says('stream: OK\0')
  const both = engine([bad.address, good.address])
  for (let i = 0; i < 6; i++) assert.deepEqual(await look(both), [])
  assert.equal(asked, 1)
})

test('connections are limited: the next content waits for one', async () => {
  const waiting: Socket[] = []
  let most = 0
  // It answers two at a time: with one connection nobody would ever have an answer.
  using server = await fake((socket, heard) => {
    if (!isWhole(heard)) return
    most = Math.max(most, waiting.push(socket))
    if (waiting.length >= 2) for (const one of waiting.splice(0)) one.end('stream: OK\0')
  })
  const two = engine([server.address])
  const all = await Promise.all(Array.from({ length: 20 }, () => look(two)))
  assert.ok(all.every((facts) => facts.length === 0))
  assert.equal(most, 2)
})

test('too many wait: busy, and nobody is forgotten', async () => {
  using silent = await fake(() => {})
  const one = engine([silent.address], { connectionsMax: 1, timeMsMax: 300 })
  const all = await Promise.all(Array.from({ length: 102 }, () => look(one)))
  const busy = all.filter(([fact]) => fact?.kind === 'not-looked' && fact.why === 'busy')
  assert.ok(busy.length > 0)
  assert.ok(all.every(([fact]) => fact?.kind === 'not-looked'))
})
