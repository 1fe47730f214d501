import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { readHeaderSection } from '#mime/header-section.ts'
import { prepare, signatureField } from './signature.ts'
import { BOTH, inPieces, judged, key, signed, someMessage } from './testing.ts'

const LETTER = [
  'Received: from a by b; Mon, 1 Jan 2029 00:00:00 +0000',
  'From: Anna <anna@bakery.test>',
  'To: bob@elsewhere.test,',
  '\teve@far.test',
  'Subject:   bread \t and\r\n   butter ',
  'Date: Mon, 1 Jan 2029 00:00:00 +0000',
  'Message-ID: <1@bakery.test>',
  '',
  'Hello  \t Bob, ',
  '',
  '  three   rolls.\t',
  '',
  '',
  '',
].join('\r\n')

const BODIES: Record<string, string> = {
  'no body': '',
  'one line': 'x\r\n',
  'no line end at the end': 'x',
  'only line ends': '\r\n\r\n\r\n',
  'only white space': ' \t\r\n\t\r\n  ',
  'white space before the end': 'x \t',
  'trailing empty lines with white space': 'x\r\n\r\n \r\n\t\r\n',
  'eight bits': 'Br\xf6tchen \xa0 \xa0\r\n\xa0\r\n\x0b \x0c\r\n\0\r\n',
  'long line': `${'x y\t'.repeat(20_000)}\r\n`,
  'many empty lines inside': `a${'\r\n'.repeat(30_000)}b\r\n`,
}

describe('a signature', () => {
  it('is good for mailauth, with both algorithms, however the content is cut', async () => {
    for (const octets of [1, 2, 3, 7, 64, Number.POSITIVE_INFINITY]) {
      assert.deepEqual(await judged((await signed(inPieces(LETTER, octets)))!), ['pass', 'pass'], `${octets}`)
    }
  })

  for (const [what, text] of Object.entries(BODIES)) {
    it(`is good over a body: ${what}`, async () => {
      const whole = `From: anna@bakery.test\r\n\r\n${text}`
      for (const octets of [1, 5, 16 * 1024 - 1, Number.POSITIVE_INFINITY]) {
        assert.deepEqual(await judged((await signed(inPieces(whole, octets)))!), ['pass', 'pass'], `${octets}`)
      }
    })
  }

  it('is good over anything', async () => {
    const property = fc.asyncProperty(someMessage, fc.integer({ min: 1, max: 200 }), async (text, octets) => {
      assert.deepEqual(await judged((await signed(inPieces(text, octets), [key('ed25519-sha256')]))!), ['pass'])
    })
    await fc.assert(property, { numRuns: 400 })
  })

  it('is good over the messages of the fixtures', async () => {
    let count = 0
    for (const folder of ['messages', 'automatic', 'notices']) {
      const at = new URL(`../../../fixtures/${folder}/`, import.meta.url)
      for (const name of readdirSync(at).filter((file) => file.endsWith('.eml'))) {
        const text = readFileSync(new URL(name, at), 'latin1').replace(/\r?\n/g, '\r\n')
        const whole = await signed(inPieces(text), [key('ed25519-sha256')])
        if (whole === undefined) continue
        count++
        assert.equal((await judged(whole))[0], 'pass', `${folder}/${name}`)
      }
    }
    assert.ok(count > 40, `${count} signed`)
  })

  it('breaks when what it covers is changed, or added', async () => {
    const whole = Buffer.concat((await signed(inPieces(LETTER)))!.chunks).toString('latin1')
    const changes: readonly (readonly [string, string])[] = [
      ['three', 'four'],
      ['Anna', 'Eve'],
      ['Hello  \t Bob', 'HelloBob'],
      ['\r\n\r\nHello', '\r\n\r\n\r\nHello'],
    ]
    for (const [from, to] of changes) {
      assert.ok(whole.includes(from))
      assert.doesNotMatch((await judged(whole.replace(from, to))).join(), /pass/, from)
    }
    const added = ['From: eve@far.test', 'Subject: else', 'Cc: x@far.test', 'Reply-To: eve@far.test', 'Date: now']
    for (const field of added) assert.doesNotMatch((await judged(`${field}\r\n${whole}`)).join(), /pass/, field)
    // What a list and the next relays add by right.
    for (const field of ['Received: from x', 'List-Id: <l.test>', 'MIME-Version: 1.0']) {
      assert.deepEqual(await judged(`${field}\r\n${whole}`), ['pass', 'pass'], field)
    }
  })

  it('has short lines, times, no l= and no i=', async () => {
    const of = inPieces(LETTER)
    const prepared = prepare(of, readHeaderSection(of))
    assert.ok(prepared.ok)
    for (const one of BOTH) {
      const field = await signatureField(prepared, one, { signedSeconds: 1_800_000_000, expiresSeconds: 1_900_000_000 })
      for (const line of field.split('\r\n')) assert.ok(line.length <= 78, line)
      assert.match(field, /^DKIM-Signature: v=1; a=(rsa|ed25519)-sha256; c=relaxed\/relaxed;\r\n\td=bakery\.test;/)
      assert.match(field, /t=1800000000; x=1900000000;/)
      assert.doesNotMatch(field, /[\s;][li]=/)
      const names = /h=([^;]+)/.exec(field)![1]!.replace(/\s+/g, '').split(':')
      const expected = 'from:from:to:to:cc:subject:subject:reply-to:date:date:message-id:message-id'
      assert.equal(names.join(':'), expected)
    }
  })
})

describe('a message', () => {
  const faultOf = (text: string) => {
    const of = inPieces(text)
    const prepared = prepare(of, readHeaderSection(of))
    return prepared.ok ? undefined : prepared.fault
  }

  it('gets no signature that others would understand differently', () => {
    assert.equal(faultOf('Subject: x\r\n\r\nFrom: anna@bakery.test\r\n'), 'no-author')
    assert.equal(faultOf('From: a@bakery.test\r\nFrom: b@bakery.test\r\n\r\nx\r\n'), 'malformed')
    assert.equal(faultOf('From: a@bakery.test\r\nno field\r\nSubject: x\r\n\r\nx\r\n'), 'malformed')
    assert.equal(faultOf(`From: a@bakery.test\r\n${'To: b@far.test\r\n'.repeat(200)}\r\nx\r\n`), 'malformed')
    assert.equal(faultOf(`From: a@bakery.test\r\n${'To: b@far.test\r\n'.repeat(199)}\r\nx\r\n`), undefined)
    assert.equal(faultOf('From: a@bakery.test\r\n'), undefined)
    for (const body of ['a\rb\r\n', 'a\nb\r\n', '\n', 'a\r', 'a\r\r\n', 'a\r b\r\n']) {
      for (const octets of [1, 100]) {
        const of = inPieces(`From: a@bakery.test\r\n\r\n${body}`, octets)
        assert.equal(prepare(of, readHeaderSection(of)).ok, false, JSON.stringify(body))
      }
    }
  })
})
