import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readMessage } from '../message.ts'
import { Classifier } from './classifier.ts'
import { featuresOf } from './features.ts'
import { type Lesson, SOURCE_FREE, SOURCE_SHARE_MAX, weighed } from './lessons.ts'
import { weightOf } from './signs.ts'
import { TENANT_BITS, train } from './training.ts'

const WANTED = 'invoice minutes meeting draft garden train ticket lunch budget report school holiday'.split(' ')
const UNWANTED = 'viagra casino prize lottery pills refinance crypto jackpot replica escort'.split(' ')
const some = (words: readonly string[], i: number): string =>
  Array.from({ length: 6 }, (_, k) => words[(Math.imul(i * 6 + k + 1, 0x9e3779b1) >>> 8) % words.length]!).join(' ')
const features = (text: string) => {
  const octets = Buffer.from(`From: a@b.example\r\nSubject: ${text.slice(0, 20)}\r\n\r\n${text}\r\n`)
  return featuresOf(readMessage(octets), octets)
}
const wanted = (i: number) => features(`Hello Bernd, about the ${some(WANTED, i)}, yours Anna`)
const unwanted = (i: number) => features(`Dear customer, click for ${some(UNWANTED, i)} now`)

const lesson = (seen: Lesson['features'], isSpam: boolean, source = 'admin', rest: Partial<Lesson> = {}): Lesson => ({
  hash: `${source} ${Math.imul(
    seen.words.places.reduce((sum, place) => (sum * 31 + place) | 0, 7),
    1,
  )}`,
  isSpam,
  teacher: source === 'admin' ? 'operator' : 'release',
  source,
  features: seen,
  ...rest,
})
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)
const HONEST = numbers(60).flatMap((i) => [lesson(wanted(i), false), lesson(unwanted(i), true)])
const NOTHING = new Classifier([])
const BASE = [train(weighed(HONEST, NOTHING), TENANT_BITS)]

/** What a message weighs for a tenant to whom these lessons were taught. */
function weight(seen: Lesson['features'], lessons: readonly Lesson[], below = BASE): number {
  const layer = train(weighed(lessons, new Classifier(below)), TENANT_BITS, below)
  return weightOf(new Classifier([...below, layer]), seen)
}
const sum = (lessons: readonly Lesson[], below: Classifier, source: string): number =>
  weighed(lessons, below).reduce((all, one, i) => all + (lessons[i]!.source === source ? one.weight : 0), 0)

test('the same message counts once, whoever repeats it', () => {
  const twice = [lesson(wanted(1), false, 'anna', { hash: 'x' }), lesson(wanted(1), false, 'carla', { hash: 'x' })]
  assert.deepEqual(
    weighed(twice, NOTHING).map((one) => one.weight),
    [1, 0],
  )
})

test('who teaches much has a share, and no more; the operator has all', () => {
  const lessons = [
    ...HONEST,
    ...numbers(400).map((i) => lesson(unwanted(i + 100), false, 'mallory', { hash: `m${i}` })),
  ]
  const all = weighed(lessons, NOTHING).reduce((total, one) => total + one.weight, 0)
  assert.ok(sum(lessons, NOTHING, 'mallory') <= SOURCE_SHARE_MAX * (120 + 400) + 1e-9)
  assert.equal(sum(lessons, NOTHING, 'admin'), new Set(HONEST.map(({ hash }) => hash)).size)
  assert.ok(all < 300)
  const few = lessons.filter((_, i) => i >= 120).slice(0, 400)
  assert.equal(sum(few.slice(0, SOURCE_FREE), NOTHING, 'mallory'), SOURCE_FREE)
})

test('what contradicts all that is known is doubted until somebody else says so too', () => {
  const below = new Classifier(BASE)
  assert.ok(weightOf(below, unwanted(3)) >= 4, `${weightOf(below, unwanted(3))}`)
  const alone = [lesson(unwanted(3), false, 'mallory')]
  const [doubted] = weighed(alone, below)
  assert.equal(doubted!.weight, 0.1)
  const both = weighed([...alone, lesson(unwanted(3), false, 'carla', { hash: 'another copy' })], below)
  assert.deepEqual(
    both.map((one) => one.weight),
    [1, 1],
  )
  // Not by himself under the same name, and not about something else.
  const again = weighed([...alone, lesson(unwanted(3), false, 'mallory', { hash: 'another copy' })], below)
  assert.deepEqual(
    again.map((one) => one.weight),
    [0.1, 0.1],
  )
  const other = weighed([...alone, lesson(wanted(3), false, 'carla')], below)
  assert.equal(other[0]!.weight, 0.1)
})

test('an attacker who releases his spam a hundred times does not make it ham', () => {
  const attack = numbers(100).map((i) => lesson(unwanted(i), false, 'mallory', { hash: `m${i}` }))
  const before = weight(unwanted(200), [])
  const after = weight(unwanted(200), attack)
  assert.ok(before > 3, `${before}`)
  assert.ok(after > 1, `${after}`)
  // An operator's hundred lessons would have turned it.
  const operators = numbers(100).map((i) => lesson(unwanted(i), false, 'admin', { hash: `o${i}` }))
  assert.ok(weight(unwanted(200), operators) < after - 2)
})

test('an attacker who reports what others want does not make it spam', () => {
  const attack = numbers(100).map((i) => lesson(wanted(i), true, 'mallory', { hash: `m${i}`, teacher: 'report' }))
  assert.ok(weight(wanted(200), []) < -3)
  assert.ok(weight(wanted(200), attack) < -1, `${weight(wanted(200), attack)}`)
})

test('without a source the layer is what it would be had it never taught', () => {
  const attack = numbers(40).map((i) => lesson(wanted(i), true, 'mallory', { hash: `m${i}` }))
  const mixed = HONEST.flatMap((one, i) => (attack[i] === undefined ? [one] : [one, attack[i]]))
  const undone = mixed.filter(({ source }) => source !== 'mallory')
  assert.deepEqual(train(weighed(undone, NOTHING), TENANT_BITS), BASE[0])
  assert.notDeepEqual(train(weighed(mixed, NOTHING), TENANT_BITS), BASE[0])
})
