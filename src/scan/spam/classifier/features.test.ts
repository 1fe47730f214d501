import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readMessage } from '../message.ts'
import { VIEWS } from './classifier.ts'
import { featuresOf } from './features.ts'

const mail = (head: string, body = 'at noon?'): Buffer =>
  Buffer.from(`From: Anna <anna@shop.example>\r\n${head}Subject: lunch\r\n\r\n${body}\r\n`)
const seen = (octets: Buffer) => featuresOf(readMessage(octets), octets)
const places = (octets: Buffer) => VIEWS.map((view) => [...seen(octets)[view].places].sort((a, b) => a - b))

test('neither the recipient nor what servers and filters wrote is a feature', () => {
  const written =
    'Received: from a by b;\r\n\tnow\r\nX-Spam-Flag: YES\r\nDelivered-To: x@y.example\r\nX-Vorposten-Scan: x\r\n'
  // Its size is a feature of its words.
  assert.deepEqual(places(mail(written)).slice(1), places(mail('')).slice(1))
  const to = (name: string) => places(mail(`To: ${name}@y.example\r\n`))
  assert.deepEqual(to('bernd'), to('carla'))
})

test('how a field is written is a feature of the header section', () => {
  const [, a] = places(mail('X-Mailer: P\r\n'))
  const [, b] = places(mail('X-mailer: P\r\n'))
  assert.notDeepEqual(a, b)
})

test('each counts once, and a long message no more than a short one', () => {
  const { words, body } = seen(mail('', 'free '.repeat(500)))
  for (const { places, scale } of [words, body]) {
    assert.equal(new Set(places).size, places.length)
    assert.ok(Math.abs(scale * scale * places.length - 1) < 1e-9)
  }
  assert.ok(body.places.length < 10)
})

test('a message of nothing has no length', () => {
  const { words, header, body } = seen(Buffer.alloc(0))
  for (const { places, scale } of [words, header, body]) assert.ok(places.length === 0 ? scale === 0 : scale > 0)
})
