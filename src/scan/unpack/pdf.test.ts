/** PDF: what its streams hold, however their filter is written, and what it says of itself. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { kindsOf, lookInto, textsOf } from './testing.ts'

const data = Buffer.from('harmless text, again and again')
const stream = (dictionary: string, octets: Buffer) =>
  Buffer.concat([Buffer.from(`1 0 obj\n<<${dictionary}>>\nstream\r\n`), octets, Buffer.from('\nendstream\nendobj\n')])
const file = (...parts: Buffer[]) => Buffer.concat([Buffer.from('%PDF-1.7\n'), ...parts, Buffer.from('%%EOF')])
const packed = deflateSync(data)
const RUNS = 300

describe('PDF', () => {
  it('gives its streams', async () => {
    for (const filter of ['/Filter/FlateDecode', '/Filter [ /Fl ]', '/F#69lter /Fl#61teDecode']) {
      const found = await lookInto(
        file(stream(filter, packed), stream('/Filter /DCTDecode', packed), stream(filter, packed)),
      )
      assert.deepEqual(textsOf(found), [data.toString(), data.toString()], filter)
      assert.deepEqual(found.facts, [])
    }
    assert.deepEqual(textsOf(await lookInto(file(stream('/Type/EmbeddedFile', data)))), [data.toString()])
    const withEnd = Buffer.from('see endstream in it\n')
    const long = file(stream(`/Length ${withEnd.length}`, withEnd))
    assert.deepEqual(textsOf(await lookInto(long))[0], withEnd.toString())
    const blanks = file(stream(`/Length ${data.length}`, Buffer.concat([data, Buffer.from('\r\n')])))
    assert.deepEqual(textsOf(await lookInto(blanks)), [data.toString()])
    const elsewhere = Buffer.from('9 0 obj 4 endobj')
    assert.deepEqual(textsOf(await lookInto(file(stream('/Length 9 0 R', data), elsewhere))), [data.toString()])
  })

  it('says encrypted and broken', async () => {
    assert.deepEqual(kindsOf(await lookInto(file(Buffer.from('trailer <</Encrypt 9 0 R>>')))), ['encrypted'])
    assert.deepEqual(kindsOf(await lookInto(file(stream('/Filter/FlateDecode', packed.subarray(0, 12))))), ['broken'])
  })

  it('says cannot-tell for a filter that nobody knows, or for too many', async () => {
    for (const filter of ['/Filter/Other', '/Filter[/A85 /Other]', '/Filter 7 0 R', `/Filter[${'/Fl'.repeat(17)}]`])
      assert.deepEqual(kindsOf(await lookInto(file(stream(filter, data)))), ['cannot-tell'], filter)
  })

  it('reads filters behind each other, by each name, and wherever they are named', async () => {
    const hex = Buffer.from(`${packed.toString('hex')}>`)
    for (const filter of [
      '/Filter[/ASCIIHexDecode/FlateDecode]',
      '/Filter [ /AHx /Fl ]',
      '/Filter/Other/Filter[/AHx/Fl]',
    ])
      assert.deepEqual(textsOf(await lookInto(file(stream(filter, hex)))).slice(0, 1), [data.toString()], filter)
    const elsewhere = Buffer.from('\n7 0 obj\n[/AHx/Fl]\nendobj\n')
    assert.deepEqual(textsOf(await lookInto(file(stream('/Filter 7 0 R', hex), elsewhere))), [data.toString()])
    assert.deepEqual(textsOf(await lookInto(file(stream('/X/DCT /Filter/AHx', hex)))), [packed.toString('latin1')])
    const picture = await lookInto(file(stream('/Filter[/AHx/DCT]', hex)))
    assert.deepEqual([textsOf(picture), picture.facts], [[packed.toString('latin1')], []])
  })

  it('says over-limit for a stream that makes more than it may', async () => {
    const bomb = stream('/Filter[/Fl/Fl]', deflateSync(deflateSync(Buffer.alloc(1_000_000))))
    assert.deepEqual(kindsOf(await lookInto(file(bomb), { limits: { octetsMax: 50_000 } })), ['over-limit'])
    const runs = stream('/Filter/RL', Buffer.alloc(2_000, Buffer.from([129, 65])))
    assert.deepEqual(kindsOf(await lookInto(file(runs), { limits: { octetsMax: 50_000 } })), ['over-limit'])
  })

  it('that is damaged never breaks the one who opens it', async () => {
    const whole = file(stream('/Filter/FlateDecode', packed), stream('', data))
    const edit = fc.tuple(fc.integer({ min: 8, max: whole.length - 1 }), fc.nat(255))
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 5 }), async (edits) => {
        const octets = Buffer.from(whole)
        for (const [at, value] of edits) octets[at] = value
        await lookInto(octets)
      }),
      { numRuns: RUNS },
    )
  })
})
