/** The virus wall as a step: what goes on, what is refused and with which words, and what the events say. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { content } from '#mail/content.ts'
import type { PathEvent } from '#mail/event.ts'
import type { ScanFact } from '#mail/scan.ts'
import { transaction } from '#mail/testing.ts'
import type { Engine } from '#scan/contract.ts'
import { Wall } from '#scan/wall.ts'
import { type VirusPolicyLayer, virusPolicy } from '#tenant/virus-policy.ts'
import { Scanning } from './scanning.ts'
import { served } from './testing.ts'

const clock = { monotonic: () => 0 }
const engine = (name: string, ...facts: ScanFact[]): Engine => ({ name, look: async () => facts })
const broken: Engine = {
  name: 'broken',
  look: () => {
    throw new Error('a defect')
  },
}
const MALWARE: ScanFact = { kind: 'malware', engine: 'clamd', name: 'Eicar\r\nX: y', where: 'part 1 › ä.exe' }
const MAIL = content([Buffer.from('Subject: x\r\n\r\nhello\r\n')])

async function scan(engines: readonly Engine[], layer: VirusPolicyLayer = {}) {
  const events: PathEvent[] = []
  const wall = new Wall(engines, clock)
  const scanning = new Scanning({ wall: () => wall, report: (event) => void events.push(event) })
  const one = transaction(['anna@bakery.test'])
  const answer = await scanning.scan(one, served({ virus: virusPolicy(layer) }), MAIL, 0)
  return { answer, events, id: one.id, wall }
}

test('clean goes on as it is', async () => {
  const { answer, events } = await scan([engine('one'), engine('two')])
  assert.ok(answer.kind === 'scanned' && answer.content === MAIL && !answer.tagged)
  assert.ok(events[0]?.kind === 'scanned' && events[0].decision === 'clean')
  assert.deepEqual(events[0].cleanBy, ['one', 'two'])
})

test('malware is refused with the trace id, and what an engine writes begins no line', async () => {
  const { answer, id } = await scan([engine('one'), engine('two', MALWARE)])
  assert.ok(answer.kind === 'reject')
  assert.equal(answer.reply.code, 550)
  assert.equal(answer.reply.status, '5.7.1')
  assert.ok(String(answer.reply.text).endsWith(`; trace ${id}`))
  assert.doesNotMatch(String(answer.reply.text), /[\r\n]/)
})

test('what is to be kept says under which name and for which facts, what decided first', async () => {
  const tagged: ScanFact = { kind: 'encrypted', container: 'zip', where: 'part 1' }
  const kinds: readonly (readonly [ScanFact, string])[] = [
    [MALWARE, 'malware'],
    [{ kind: 'file', names: ['a.exe'], type: 'x', class: 'executable', where: 'part 1' }, 'forbidden-file'],
    [{ kind: 'suspicious', symbol: 'x', where: 'part 1', text: 'x' }, 'suspicious'],
    [{ kind: 'macro', dialect: 'vba', autoRun: true, where: 'part 1' }, 'suspicious'],
    [{ kind: 'broken', container: 'zip', where: 'part 1', text: 'x' }, 'unchecked'],
  ]
  const keep = 'quarantine'
  const layer = { malware: keep, files: keep, suspicious: keep, autoRunMacros: keep, broken: keep } as const
  for (const [fact, wanted] of kinds) {
    const { answer, events } = await scan([engine('one', tagged, fact)], layer)
    assert.ok(answer.kind === 'quarantine')
    assert.deepEqual([answer.class, answer.by, answer.facts], [wanted, 'virus', [fact, tagged]])
    assert.doesNotMatch(answer.text, /[^ -~]/)
    assert.ok(events[0]?.kind === 'scanned' && events[0].decision === 'quarantine')
  }
})

test('a tag is a field before all others, in lines of ASCII', async () => {
  const facts = Array.from({ length: 30 }, () => MALWARE)
  const { answer } = await scan([engine('one', ...facts)], { malware: 'tag' })
  assert.ok(answer.kind === 'scanned' && answer.tagged)
  const text = Buffer.concat(answer.content.chunks).toString('latin1')
  assert.match(text, /^X-Vorposten-Scan: malware Eicar\?\?X: y in part 1 > \?\.exe \(clamd\);\r\n\tmalware /)
  assert.ok(text.endsWith('Subject: x\r\n\r\nhello\r\n'))
  for (const line of text.split('\r\n')) assert.match(line, /^[\t\x20-\x7e]{0,998}$/)
})

test('an engine that throws is silent: 451, and its state says so until it answers', async () => {
  const { answer, wall } = await scan([engine('one'), broken])
  assert.ok(answer.kind === 'defer')
  assert.equal(answer.reply.code, 451)
  assert.deepEqual(wall.states(), [{ name: 'one' }, { name: 'broken', silent: 'crashed: a defect' }])
  assert.equal((await scan([engine('one'), broken], { engineSilent: 'other-engines' })).answer.kind, 'scanned')
  broken.look = async () => []
  assert.deepEqual(await wall.check(), [{ name: 'one' }, { name: 'broken' }])
})

test('a policy that does not scan asks nobody', async () => {
  const { answer, events } = await scan([engine('one', MALWARE)], { scan: false })
  assert.ok(answer.kind === 'scanned' && answer.content === MAIL)
  assert.equal(events.length, 0)
})
