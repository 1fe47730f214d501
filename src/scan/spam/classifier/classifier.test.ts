import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readMessage } from '../message.ts'
import { Classifier } from './classifier.ts'
import { featuresOf } from './features.ts'

const mail = (subject: string, body: string, head = ''): Buffer =>
  Buffer.from(`From: Anna <anna@shop.example>\r\nSubject: ${subject}\r\n${head}\r\n${body}\r\n`)
const seen = (octets: Buffer) => featuresOf(readMessage(octets))

const HAM = [
  'the minutes of our meeting',
  'your train leaves at nine',
  'pictures of the garden',
  'the draft with my remarks',
]
const SPAM = ['cheap watches for you', 'you have won a prize', 'cheap pills, free', 'work from home and get rich']

function trained(): Classifier {
  const model = new Classifier()
  for (let round = 0; round < 3; round++) {
    for (const text of HAM) model.learn(seen(mail(text, `Hello Bernd, ${text}. Anna`)), false)
    for (const text of SPAM) model.learn(seen(mail(text, `Dear customer, ${text}! Click now`)), true)
  }
  return model
}

test('who has learned nothing says nothing', () => {
  assert.equal(new Classifier().score(seen(mail('cheap watches', 'cheap'))), 0)
})

test('it tells what is like the one from what is like the other, in words that it has not seen together', () => {
  const model = trained()
  assert.ok(model.score(seen(mail('a cheap prize', 'Dear customer, free pills and watches! Click'))) > 1)
  assert.ok(model.score(seen(mail('remarks on the minutes', 'Hello Bernd, the pictures of our garden. Anna'))) < -1)
  assert.deepEqual([model.ham, model.spam], [12, 12])
})

test('a lesson of no weight teaches nothing', () => {
  const model = trained()
  const one = seen(mail('quarterly figures', 'please see the figures'))
  const before = model.score(one)
  model.learn(one, true, 0)
  assert.equal(model.score(one), before)
  model.learn(one, true)
  assert.ok(model.score(one) > before)
})

test('what it is sure of it does not learn again: a flood of the same message moves it no further', () => {
  const model = trained()
  const flood = seen(mail('cheap watches for you', 'Dear customer, cheap watches for you! Click now'))
  for (let i = 0; i < 200; i++) model.learn(flood, true)
  const after = model.score(flood)
  for (let i = 0; i < 200; i++) model.learn(flood, true)
  assert.equal(model.score(flood), after)
  assert.ok(after < 20)
})

test('neither the recipient nor what servers and filters wrote is a feature', () => {
  const plain = seen(mail('lunch', 'at noon?'))
  const dressed = seen(
    mail(
      'lunch',
      'at noon?',
      'Received: from a by b; now\r\nX-Spam-Flag: YES\r\nDelivered-To: x@y.example\r\nX-Vorposten-Scan: x\r\n',
    ),
  )
  const hashes = ({ words, header, text }: typeof plain) =>
    [words, header, text].map(({ hashes }) => [...hashes].sort())
  // Its size is a feature, and these are few octets.
  assert.deepEqual(hashes(dressed).slice(1), hashes(plain).slice(1))
  const to = (name: string) => hashes(seen(mail('lunch', 'at noon?', `To: ${name}@y.example\r\n`)))
  assert.deepEqual(to('bernd'), to('carla'))
})

test('a message of nothing has no length', () => {
  const { words, header, text } = seen(Buffer.alloc(0))
  for (const { hashes, scale } of [words, header, text]) assert.ok(hashes.length === 0 ? scale === 0 : scale > 0)
})
