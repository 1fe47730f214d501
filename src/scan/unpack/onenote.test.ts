/** OneNote: the files in a section, and damage. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { kindsOf, lookInto, textsOf } from './testing.ts'

const section = (...files: string[]) => {
  const parts = files.map((file) => {
    const head = Buffer.alloc(36)
    head.write('e716e3bd65261145a4c48d4d0b7a9eac', 'hex')
    head.writeBigUInt64LE(BigInt(file.length), 16)
    return Buffer.concat([head, Buffer.from(file, 'latin1'), Buffer.alloc(16)])
  })
  return Buffer.concat([Buffer.from('e4525c7b8cd8a74daeb15378d02996d3', 'hex'), Buffer.alloc(64), ...parts])
}
const RUNS = 200

describe('OneNote', () => {
  it('gives the files in it', async () => {
    const found = await lookInto(section('first', 'second file'))
    assert.deepEqual(textsOf(found), ['first', 'second file'])
    assert.deepEqual(found.facts, [])
  })

  it('gives files of sections that Office on the web wrote', async () => {
    const blob = (data: Buffer) => {
      const own = Buffer.alloc(data.length < 128 ? 1 : 3)
      own.writeUIntLE(data.length < 128 ? data.length * 2 + 1 : data.length * 8 + 4, 0, own.length)
      const length = own.length + data.length
      if (length < 128) return Buffer.concat([Buffer.from([0x10, length << 1]), own, data])
      const head = Buffer.alloc(4)
      head.writeUInt32LE((0x12 | (Math.min(length, 0x7fff) << 17)) >>> 0)
      const large = Buffer.alloc(4)
      large.writeUInt32LE(length * 16 + 8)
      return Buffer.concat([head, length < 0x7fff ? Buffer.alloc(0) : large, own, data])
    }
    const files = ['a small file in it', 'medium '.repeat(100), 'large '.repeat(10_000)].map((text) =>
      Buffer.from(text),
    )
    const whole = Buffer.concat([Buffer.from(section()), ...files.map(blob), Buffer.alloc(16)])
    assert.deepEqual(textsOf(await lookInto(whole)), files.map(String))
    const wrong = blob(files[1]!)
    wrong[2]! ^= 2
    assert.deepEqual(textsOf(await lookInto(Buffer.concat([section(), wrong, Buffer.alloc(16)]))), [])
  })

  it('says broken for what is cut', async () => {
    assert.deepEqual(kindsOf(await lookInto(section('a file that is cut').subarray(0, -20))), ['broken'])
    assert.deepEqual(kindsOf(await lookInto(section('').subarray(0, -30))), ['broken'])
  })

  it('that is damaged never breaks the one who opens it', async () => {
    const whole = section('first', 'second')
    const edit = fc.tuple(fc.integer({ min: 16, max: whole.length - 1 }), fc.nat(255))
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
