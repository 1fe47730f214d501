import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mailboxText } from '#mail/address.ts'
import { PLACES_MAX, placeOf, placeText, RECORD_CHARACTERS_MAX, reportPlaces } from './record.ts'

const read = (...records: string[]) =>
  reportPlaces(records)?.map((place) => (place.kind === 'mail' ? mailboxText(place.mailbox) : place.url.href))

test('what a record names', () => {
  assert.deepEqual(read('v=TLSRPTv1; rua=mailto:tls@a.example'), ['tls@a.example'])
  assert.deepEqual(read('v=TLSRPTv1;rua=mailto:tls@a.example,https://r.example/v1?x=1;'), [
    'tls@a.example',
    'https://r.example/v1?x=1',
  ])
  assert.deepEqual(
    read(
      'v=spf1 -all',
      'v=TLSRPTv1 ; new=1;\trua=MAILTO:a%2Bb@a.example?subject=x , ftp://x ,mailto:a+b@a.example; x-1_2.3=y;',
    ),
    ['a+b@a.example'],
  )
  const many = Array.from({ length: 50 }, (_, i) => `mailto:${i}@a.example`).join()
  assert.equal(read(`v=TLSRPTv1; rua=${many}`)?.length, PLACES_MAX)
})

test('what is no record, or names nobody', () => {
  const none = [
    '',
    'v=TLSRPTv1',
    'v=TLSRPTv2; rua=mailto:a@b.example',
    'rua=mailto:a@b.example; v=TLSRPTv1;',
    'v=TLSRPTv1; rua=',
    'v=TLSRPTv1; rua=mailto:',
    'v=TLSRPTv1; rua=mailto:a@[127.0.0.1]',
    'v=TLSRPTv1; rua=mailto:%0d%0aBcc:x@b.example',
    'v=TLSRPTv1; rua=mailto:a%ZZ@b.example',
    'v=TLSRPTv1; rua=http://r.example/',
    'v=TLSRPTv1; rua=https://me:secret@r.example/',
    'v=TLSRPTv1; rua=mailto:a@b.example; rua=mailto:c@b.example',
    ' v=TLSRPTv1; rua=mailto:a@b.example',
    'V=TLSRPTv1; rua=mailto:a@b.example',
    'v=TLSRPTv1; RUA=mailto:a@b.example',
    'v=TLSRPTv1; rua =mailto:a@b.example',
    'v=TLSRPTv1; rua= mailto:a@b.example',
    'v=TLSRPTv1; rua=mailto:a@b.example; new',
    'v=TLSRPTv1; rua=mailto:a@b.example; new=',
    'v=TLSRPTv1; rua=mailto:a@b.example; new=a=b',
    'v=TLSRPTv1; rua=mailto:a@b.example; -new=a',
    `v=TLSRPTv1; rua=mailto:a@b.example; ${'n'.repeat(33)}=a`,
    'v=TLSRPTv1; rua=mailto:a@b.example;;',
    `v=TLSRPTv1; rua=mailto:a@b.example; x=${'y'.repeat(RECORD_CHARACTERS_MAX)}`,
  ]
  for (const text of none) assert.equal(read(text), undefined, text)
  assert.equal(read('v=TLSRPTv1; rua=mailto:a@b.example', 'v=TLSRPTv1; rua=mailto:a@b.example'), undefined)
})

test('fuzz: never an exception, never a place that is none', () => {
  const piece = fc.oneof(
    fc.constantFrom('v=TLSRPTv1;', 'rua=', 'mailto:', 'https://', 'a@b.example', ',', ';', '%0a', '?', ' ', '\n', '@'),
    fc.string({ unit: 'binary', maxLength: 8 }),
  )
  const record = fc.array(piece, { maxLength: 20 }).map((pieces) => `v=TLSRPTv1;rua=${pieces.join('')}`)
  fc.assert(
    fc.property(fc.array(fc.oneof(record, fc.string()), { maxLength: 3 }), (records) => {
      const places = reportPlaces(records) ?? []
      assert.ok(places.length <= PLACES_MAX)
      for (const place of places) {
        if (place.kind === 'https') assert.ok(place.url.protocol === 'https:' && place.url.username === '')
        else assert.equal(placeText(placeOf(placeText(place))!), placeText(place))
        if (place.kind === 'mail') assert.match(mailboxText(place.mailbox), /^[^\x00-\x1f\x7f]+@[^\s@]+$/)
      }
    }),
  )
})
