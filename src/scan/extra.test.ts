/** What engines beside us are given beside the message: every reading that a straightforward reader does not make, bounded. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { content } from '#mail/content.ts'
import { readEveryWay } from '#mime/readings/readings.ts'
import { systemClock } from '#sys/clock.ts'
import type { ScanObject } from './contract.ts'
import { Embedded } from './embedded.ts'
import { EXTRA_OBJECTS_MAX, EXTRA_OCTETS_FREE, extraOf, pack, unpacked } from './extra.ts'
import { createBudget, UNPACK_LIMITS } from './unpack/budget.ts'

const crlf = (text: string) => Buffer.from(text.replace(/\n/g, '\r\n'), 'latin1')
const PLAIN = crlf('Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n--b--\n')
const TWO_WAYS = crlf(
  `Subject: x\nContent-Type: text/plain\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Transfer-Encoding: base64\n\n${Buffer.from('seen by some').toString('base64')}\n--b--\n`,
)
const budget = () => createBudget(UNPACK_LIMITS, () => 0)
const extra = (octets: Buffer) => extraOf(readEveryWay(octets).readings, octets.length, budget())
const texts = (objects: readonly ScanObject[]) => objects.map(({ octets }) => octets.toString('latin1'))
const uuencoded = (count: number) =>
  crlf(`Subject: x\n\n${Array.from({ length: count }, (_, i) => `begin 644 f${i}\n#${uu(i)}\n\`\nend\n`).join('')}`)
const uu = (i: number) => Buffer.from([0x21 + (i >> 6), 0x21 + (i & 0x3f), 0x21, 0x21]).toString('latin1')

test('a straightforward message has none; what only some read is there once, with where it stands', async () => {
  assert.deepEqual(await extra(PLAIN), { objects: [], facts: [] })
  const { objects, facts } = await extra(TWO_WAYS)
  assert.deepEqual(facts, [])
  const at = objects.filter(({ octets }) => octets.toString('latin1') === 'seen by some')
  assert.deepEqual(
    at.map(({ where }) => where),
    ['part 1'],
  )
})

test('the same octets are given once, and not at all if they are there for all to see', async () => {
  const { objects } = readEveryWayOf(2)
  const [one, two] = [objects[0]!, objects[1]!]
  const given = async (...readings: Parameters<typeof extraOf>[0]) =>
    texts((await extraOf(readings, 100, budget())).objects)
  assert.deepEqual(await given(one, { ...one, where: 'part 9' }, two), ['object 0', 'object 1'])
  assert.deepEqual(await given(one, two, { ...one, where: 'part 9', isPlain: true }), ['object 1'])
})

test('what is over the limits is a fact, and no silence', async () => {
  const few = await extra(uuencoded(EXTRA_OBJECTS_MAX - 1))
  assert.deepEqual([few.objects.length, few.facts], [EXTRA_OBJECTS_MAX - 1, []])
  const { objects } = readEveryWayOf(EXTRA_OBJECTS_MAX + 1)
  const many = await extraOf(objects, 10_000, budget())
  assert.equal(many.objects.length, EXTRA_OBJECTS_MAX)
  assert.deepEqual(
    many.facts.map((fact) => (fact.kind === 'cannot-tell' ? fact.symbol : fact.kind)),
    ['too-many-readings'],
  )
  const large = { ...readEveryWayOf(1).objects[0]!, octets: Buffer.alloc(EXTRA_OCTETS_FREE + 1) }
  const tooLarge = await extraOf([large], 100, budget())
  assert.deepEqual(tooLarge.objects, [])
  assert.equal(tooLarge.facts[0]?.kind === 'cannot-tell' && tooLarge.facts[0].symbol, 'decoded-too-large')
})
const readEveryWayOf = (count: number) => ({
  objects: Array.from({ length: count }, (_, i) => ({
    ...{ where: `part ${i}`, names: [], way: 'uuencode', isPlain: false },
    octets: Buffer.from(`object ${i}`),
  })),
})

test('packed and unpacked, nothing changes', async () => {
  const { objects } = await extra(TWO_WAYS)
  assert.deepEqual(unpacked(pack(objects)), objects)
})

test('the threads make them, also where they look for nothing themselves', async () => {
  for (const examines of [true, false]) {
    const threads = new Embedded(systemClock, { examines })
    const reading = threads.read(content([TWO_WAYS]), true)
    const objects = await reading.extra
    assert.ok(texts(objects ?? []).includes('seen by some'))
    assert.deepEqual(await reading.facts, [])
    assert.equal(await threads.read(content([TWO_WAYS]), false).extra, undefined)
    await threads.close()
  }
})

test('doubts are told, also where the threads look for nothing themselves', async () => {
  const threads = new Embedded(systemClock, { examines: false })
  const [fact] = await threads.read(content([crlf('Content-Type: message/partial\n\nx\n')]), true).facts
  assert.equal(fact?.kind === 'cannot-tell' && fact.symbol, 'partial-message')
  await threads.close()
})

test('a thread that dies before has made none; one that dies after has made all', async () => {
  const dying = async (script: string) => {
    const thread = new URL(`data:text/javascript,${encodeURIComponent(script)}`)
    const threads = new Embedded(systemClock, { examines: false, thread })
    const { extra: made, facts } = threads.read(content([PLAIN]), true)
    const answer = [await made, (await facts).map((fact) => fact.kind === 'not-looked' && [fact.engine, fact.why])]
    await threads.close()
    return answer
  }
  const on = (what: string) =>
    `import { parentPort as port } from 'node:worker_threads'; port.on('message', ({ job }) => { ${what} })`
  assert.deepEqual(await dying(on('process.exit(0)')), [undefined, [['readings', 'crashed']]])
  const says =
    'port.postMessage({ job, extra: { octets: new Uint8Array(0), objects: [] } }); setTimeout(() => process.exit(0), 50)'
  assert.deepEqual(await dying(on(says)), [[], [['readings', 'crashed']]])
})
