/**
 * Every opener against containers that were damaged at random: it ends, it throws nothing, no object is larger than the
 * budget allows. What was once found stands in `FOUND`, and is tried first.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { compoundFile, lookInto, tarEntry, zipFile } from './testing.ts'

/** Cases that once broke an opener, in base64, by the name of the sample they came from. */
const FOUND: Readonly<Record<string, readonly string[]>> = {}
const RUNS = 300
const OCTETS_MAX = 100_000
/** Values at which arithmetic of sizes goes wrong. */
const EDGES = [0, 1, 0x7f, 0x80, 0xfe, 0xff]

const data = Buffer.from('harmless text, again and again. '.repeat(30))
const packed = deflateSync(data)
const ppt = Buffer.concat([Buffer.from('100011100000000000000000', 'hex'), packed])
ppt.writeUInt32LE(packed.length + 4, 4)

const SAMPLES: Readonly<Record<string, Buffer>> = {
  zip: zipFile([
    { name: 'a', data },
    { name: 'b', data, method: 0, descriptor: true },
    { name: 'c.zip', data: zipFile([{ name: 'd', data }]), method: 0 },
  ]),
  gzip: Buffer.concat([gzipSync(data), gzipSync(data)]),
  zstd: zstdCompressSync(data),
  tar: Buffer.concat([
    tarEntry('long', Buffer.from('name\0'), { type: 'L' }),
    tarEntry('pax', Buffer.from('16 path=pax.exe\n'), { type: 'x' }),
    tarEntry('a', data),
  ]),
  ole: compoundFile(
    [
      { name: 'Workbook', data },
      { name: '\x01Ole10Native', data },
      { name: 'Module', data },
    ],
    'VBA',
  ),
  presentation: compoundFile([
    { name: 'PowerPoint Document', data: ppt },
    { name: 'WordDocument', data },
  ]),
}

async function survives(octets: Buffer): Promise<void> {
  const found = await lookInto(octets, { limits: { octetsMax: OCTETS_MAX, objectsMax: 200, depthMax: 8 } })
  for (const object of found.objects.slice(1)) assert.ok(object.octets.length <= OCTETS_MAX, object.where)
}

const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  value: fc.oneof(fc.constantFrom(...EDGES), fc.nat(255)),
  length: fc.integer({ min: 1, max: 8 }),
})
const damage = fc.record({
  edits: fc.array(edit, { minLength: 1, maxLength: 6 }),
  end: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
})

for (const [name, sample] of Object.entries(SAMPLES))
  describe(`a damaged ${name}`, () => {
    it('never breaks the one who opens it', async () => {
      for (const found of FOUND[name] ?? []) await survives(Buffer.from(found, 'base64'))
      await fc.assert(
        fc.asyncProperty(damage, async ({ edits, end }) => {
          const octets = Buffer.from(sample)
          for (const { at, value, length } of edits) {
            const from = Math.floor(at * (octets.length - 1))
            octets.fill(value, from, Math.min(octets.length, from + length))
          }
          await survives(end === null ? octets : octets.subarray(0, Math.floor(end * octets.length)))
        }),
        { numRuns: RUNS },
      )
    })
  })
