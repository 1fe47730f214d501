import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lookAt } from '../look.ts'
import { Classifier } from './classifier.ts'
import { featuresOf } from './features.ts'
import { LESSONS_MIN } from './signs.ts'

const mail = (text: string): Buffer => Buffer.from(`From: a@b.example\r\nSubject: ${text}\r\n\r\n${text}\r\n`)
const said = (text: string, model?: Classifier) =>
  lookAt(mail(text), {}, model).signs.filter(({ symbol }) => symbol.startsWith('CLASSIFIER_'))

test('it is silent until it has learned enough of both kinds, then says how sure it is', () => {
  assert.deepEqual(said('cheap watches'), [{ symbol: 'CLASSIFIER_UNTRAINED', weight: 0 }])
  const model = new Classifier()
  for (let i = 0; i < LESSONS_MIN; i++) {
    model.learn(featuresOf(lookAt(mail('cheap watches'), {}).message), true)
    if (i > 0) model.learn(featuresOf(lookAt(mail('the minutes of our meeting'), {}).message), false)
  }
  assert.deepEqual(said('cheap watches', model), [{ symbol: 'CLASSIFIER_UNTRAINED', weight: 0 }])
  model.learn(featuresOf(lookAt(mail('the minutes of our meeting'), {}).message), false)
  const [[spam], [ham]] = [said('cheap watches', model), said('the minutes of our meeting', model)]
  assert.equal(spam?.symbol, 'CLASSIFIER_SPAM')
  assert.ok(spam.weight > 2)
  assert.equal(ham?.symbol, 'CLASSIFIER_HAM')
  assert.ok(ham.weight < -2)
})
