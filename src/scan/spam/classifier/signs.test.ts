import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lookAt } from '../look.ts'
import { readMessage } from '../message.ts'
import { Classifier } from './classifier.ts'
import { featuresOf } from './features.ts'
import { LESSONS_MIN } from './signs.ts'
import { type Taught, TENANT_BITS, train } from './training.ts'

const mail = (text: string): Buffer => Buffer.from(`From: a@b.example\r\nSubject: ${text}\r\n\r\n${text}\r\n`)
const said = (text: string, model = new Classifier([])) =>
  lookAt(mail(text), {}, { kind: 'learned', classifier: model }).signs.filter(({ symbol }) =>
    symbol.startsWith('CLASSIFIER_'),
  )

const taught = (text: string, isSpam: boolean): Taught => {
  const octets = mail(text)
  return { features: featuresOf(readMessage(octets), octets), isSpam, weight: 1 }
}

test('it is silent until it has learned enough of both kinds, then says how sure it is', () => {
  assert.deepEqual(said('cheap watches'), [{ symbol: 'CLASSIFIER_UNTRAINED', weight: 0 }])
  const lessons = (n: number) => [
    ...Array.from({ length: LESSONS_MIN }, () => taught('cheap watches', true)),
    ...Array.from({ length: n }, () => taught('the minutes of our meeting', false)),
  ]
  const few = new Classifier([train(lessons(LESSONS_MIN - 1), TENANT_BITS)])
  assert.deepEqual(said('cheap watches', few), [{ symbol: 'CLASSIFIER_UNTRAINED', weight: 0 }])
  const model = new Classifier([train(lessons(LESSONS_MIN), TENANT_BITS)])
  const [[spam], [ham]] = [said('cheap watches', model), said('the minutes of our meeting', model)]
  assert.equal(spam?.symbol, 'CLASSIFIER_SPAM')
  assert.ok(spam.weight > 2)
  assert.equal(ham?.symbol, 'CLASSIFIER_HAM')
  assert.ok(ham.weight < -2)
})
