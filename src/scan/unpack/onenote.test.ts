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
