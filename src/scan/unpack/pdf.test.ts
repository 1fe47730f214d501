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
    assert.deepEqual(textsOf(await lookInto(file(stream('/Type/EmbeddedFile', data)))), [`${data}\n`])
  })

  it('says encrypted and broken', async () => {
    assert.deepEqual(kindsOf(await lookInto(file(Buffer.from('trailer <</Encrypt 9 0 R>>')))), ['encrypted'])
    assert.deepEqual(kindsOf(await lookInto(file(stream('/Filter/FlateDecode', packed.subarray(0, 12))))), ['broken'])
  })

  it('says cannot-tell for a filter that it does not read, also behind the name of a picture', async () => {
    for (const filter of ['/Filter/LZWDecode', '/Filter[/A85 /Fl]', '/X/DCT /Filter/AHx', '/Filter 7 0 R'])
      assert.deepEqual(kindsOf(await lookInto(file(stream(filter, data)))), ['cannot-tell'], filter)
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
