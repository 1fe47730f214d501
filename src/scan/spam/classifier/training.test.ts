import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readMessage } from '../message.ts'
import { Classifier } from './classifier.ts'
import { featuresOf } from './features.ts'
import { type Taught, TENANT_BITS, train } from './training.ts'

const mail = (subject: string, body: string, head = ''): Buffer =>
  Buffer.from(`From: Anna <anna@shop.example>\r\nSubject: ${subject}\r\n${head}\r\n${body}\r\n`)
const seen = (octets: Buffer) => featuresOf(readMessage(octets), octets)

const HAM = ['the minutes of our meeting', 'your train leaves at nine', 'pictures of the garden', 'the draft, remarked']
const SPAM = ['cheap watches for you', 'you have won a prize', 'cheap pills, free', 'work from home and get rich']
const taught = (octets: Buffer, isSpam: boolean, weight = 1): Taught => ({ features: seen(octets), isSpam, weight })
const LESSONS = Array.from({ length: 3 }, () => [
  ...HAM.map((text) => taught(mail(text, `Hello Bernd, ${text}. Anna`), false)),
  ...SPAM.map((text) => taught(mail(text, `Dear customer, ${text}! Click now`), true)),
]).flat()

const score = (octets: Buffer, ...lessons: readonly Taught[]): number =>
  new Classifier([train(lessons, TENANT_BITS)]).score(seen(octets))

test('who has learned nothing says nothing', () => {
  assert.equal(new Classifier([]).score(seen(mail('cheap watches', 'cheap'))), 0)
  assert.equal(score(mail('cheap watches', 'cheap')), 0)
})

test('it tells what is like the one from what is like the other, in words that it has not seen together', () => {
  assert.ok(score(mail('a cheap prize', 'Dear customer, free pills and watches! Click'), ...LESSONS) > 1)
  assert.ok(score(mail('remarks on the minutes', 'Hello Bernd, the pictures of our garden. Anna'), ...LESSONS) < -1)
  const { ham, spam } = train(LESSONS, TENANT_BITS)
  assert.deepEqual([ham, spam], [12, 12])
})

test('a lesson of no weight teaches nothing and does not count', () => {
  const one = mail('quarterly figures', 'please see the figures')
  const idle = train([...LESSONS, taught(one, true, 0)], TENANT_BITS)
  assert.deepEqual(idle, train(LESSONS, TENANT_BITS))
  assert.ok(score(one, ...LESSONS, taught(one, true)) > score(one, ...LESSONS))
})

test('the same lessons make the same layer, to the bit', () => {
  assert.deepEqual(train(LESSONS, TENANT_BITS), train(LESSONS, TENANT_BITS))
})

test('what it is sure of it does not learn again: a flood of the same message moves it no further', () => {
  const flood = mail('cheap watches for you', 'Dear customer, cheap watches for you! Click now')
  const times = (n: number) => Array.from({ length: n }, () => taught(flood, true))
  assert.ok(Math.abs(score(flood, ...LESSONS, ...times(400)) - score(flood, ...LESSONS, ...times(200))) < 0.5)
})

test('a layer learns what those below it get wrong, and nothing where they are right', () => {
  const below = train(LESSONS, TENANT_BITS)
  const newsletter = mail('cheap watches for you', 'Hello Bernd, cheap watches: our garden club has a sale. Anna')
  const above = train([taught(newsletter, false)], TENANT_BITS, [below])
  const [before, after] = [new Classifier([below]), new Classifier([below, above])]
  assert.ok(after.score(seen(newsletter)) < before.score(seen(newsletter)))
  const known = train([taught(mail(SPAM[0]!, `Dear customer, ${SPAM[0]}! Click now`), true)], TENANT_BITS, [below])
  const other = seen(mail('unrelated', 'nothing of this was taught'))
  assert.ok(Math.abs(new Classifier([below, known]).score(other) - before.score(other)) < 0.7)
})
