import assert from 'node:assert/strict'
import { test } from 'node:test'
import { content } from '#mail/content.ts'
import { FACTS_MAX, type ScanFact } from '#mail/scan.ts'
import type { Engine, Reader, ScanObject } from './contract.ts'
import { Wall } from './wall.ts'

const MESSAGE = content([Buffer.from('Subject: x\r\n\r\nhello\r\n')])
const MALWARE: ScanFact = { kind: 'malware', engine: 'one', name: 'Eicar', where: 'part 2' }
const FILE: ScanFact = { kind: 'file', names: ['a.txt'], type: 'text/plain', class: 'text', where: 'part 1' }
const silent = (why: 'down' | 'busy'): ScanFact => ({ kind: 'not-looked', engine: 'one', why, text: 'it says nothing' })

const saying = (name: string, ...answers: (readonly ScanFact[])[]): Engine => ({
  name,
  look: async () => (answers.length > 1 ? answers.shift()! : answers[0]!),
})
const wallOf = (...engines: readonly Engine[]): Wall => new Wall(engines, { monotonic: () => 0 })

test('what all engines say is put together; clean is who looked and found nothing but files', async () => {
  const { facts, cleanBy } = await wallOf(saying('two', [FILE]), saying('one', [MALWARE]), saying('three', [])).scan(
    MESSAGE,
  )
  assert.deepEqual(facts, [MALWARE, FILE])
  assert.deepEqual(cleanBy, ['two', 'three'])
})

test('an engine that throws has not looked, and is not clean', async () => {
  const broken: Engine = { name: 'one', look: () => Promise.reject(new Error('a defect')) }
  const { facts, cleanBy } = await wallOf(broken).scan(MESSAGE)
  assert.deepEqual(facts, [{ kind: 'not-looked', engine: 'one', why: 'crashed', text: 'a defect' }])
  assert.deepEqual(cleanBy, [])
})

test('a flood of facts hides neither malware nor silence', async () => {
  const flood = Array.from(
    { length: 3 * FACTS_MAX },
    (): ScanFact => ({ kind: 'broken', container: 'zip', where: 'a', text: 'b' }),
  )
  const { facts } = await wallOf(saying('one', [...flood, FILE, MALWARE]), saying('two', [silent('down')])).scan(
    MESSAGE,
  )
  assert.equal(facts.length, FACTS_MAX)
  assert.ok(facts.includes(MALWARE))
  assert.ok(facts.some(({ kind }) => kind === 'not-looked'))
  assert.ok(facts.some((fact) => fact.kind === 'over-limit' && fact.limit === 'facts'))
})

test('a silent engine is asked again, and is well again when it answers', async () => {
  const wall = wallOf(saying('one', [silent('down')], [silent('down')], []))
  await wall.scan(MESSAGE)
  assert.deepEqual(wall.states(), [{ name: 'one', silent: 'down: it says nothing' }])
  assert.deepEqual(await wall.check(), [{ name: 'one', silent: 'down: it says nothing' }])
  assert.deepEqual(await wall.check(), [{ name: 'one' }])
})

test('an engine that is only busy is not ill', async () => {
  const wall = wallOf(saying('one', [silent('busy')]))
  await wall.scan(MESSAGE)
  assert.deepEqual(wall.states(), [{ name: 'one' }])
})

test('the same content is remembered while the signatures of all engines are known and the same', async () => {
  const tags: (string | undefined)[] = ['v1', 'v1', undefined, 'v1', 'v2']
  let looks = 0
  const one: Engine = {
    name: 'one',
    signatures: () => tags.shift(),
    look: async () => {
      looks++
      return []
    },
  }
  const wall = wallOf(one, saying('two', [FILE]))
  const memories: (string | undefined)[] = []
  for (let i = 0; i < 5; i++) memories.push((await wall.scan(MESSAGE, { tenant: 'bakery', ownOctets: 0 })).memory)
  assert.deepEqual([memories, looks], [['miss', 'hit', undefined, 'hit', 'miss'], 3])
  assert.equal((await wall.scan(MESSAGE)).memory, undefined)
})

test('who was not given what only some readers see is not clean; threads that only read say nothing about malware', async () => {
  const reader = (examines: boolean, extra: readonly ScanObject[] | undefined, ...facts: ScanFact[]): Reader => ({
    name: examines ? 'embedded' : 'readings',
    examines,
    read: () => ({ extra: Promise.resolve(extra), facts: Promise.resolve(facts) }),
    parts: async () => ({ kind: 'not-said', text: '' }) as const,
    close: async () => {},
  })
  const cleanBy = async (one: Reader) =>
    (await new Wall([saying('one', [])], { monotonic: () => 0 }, one).scan(MESSAGE)).cleanBy
  assert.deepEqual(await cleanBy(reader(false, [])), ['one'])
  assert.deepEqual(await cleanBy(reader(true, [])), ['one', 'embedded'])
  assert.deepEqual(await cleanBy(reader(false, undefined, silent('down'))), [])
  assert.deepEqual(await cleanBy(reader(true, undefined, silent('down'))), [])
})

test('engines are given what the reader makes for them', async () => {
  const object: ScanObject = { where: 'part 2', names: [], octets: Buffer.from('x'), depth: 0 }
  const given: (readonly ScanObject[])[] = []
  const one: Engine = {
    name: 'one',
    look: async (_, extra) => {
      given.push(await extra)
      return []
    },
  }
  const reader: Reader = {
    name: 'readings',
    examines: false,
    read: (_, wantsExtra) => ({
      extra: Promise.resolve(wantsExtra ? [object] : undefined),
      facts: Promise.resolve([]),
    }),
    parts: async () => ({ kind: 'not-said', text: '' }) as const,
    close: async () => {},
  }
  await new Wall([one], { monotonic: () => 0 }, reader).scan(MESSAGE)
  await new Wall([one], { monotonic: () => 0 }).scan(MESSAGE)
  assert.deepEqual(given, [[object], []])
})
