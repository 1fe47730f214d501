/** What 7-Zip opens for us: samples that 7-Zip made (a text of one line), whole, locked, damaged, and too large. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { kindsOf, lookInto, textsOf } from './testing.ts'

const TEXT = 'harmless text, again and again, again and again'
const sample = (base64: string) => Buffer.from(base64, 'base64')
const WHOLE = {
  '7z': sample(
    'N3q8ryccAATwgJLYKAAAAAAAAABSAAAAAAAAAHfU0RngAC4AIF0ANBhKq4+S6XxwhPnztrFbJZhBMDJ51rPC2F53UVv3YAAAAQQGAAEJKAAHCwEAASEhAQAMLwAICgEJ3vwZAAAFARkMAAAAAAAAAAAAAAAAEQ0AYQAuAHQAeAB0AAAAFAoBAOC/diRGfN0BFQYBACCAtoEAAA==',
  ),
  bzip2: sample('QlpoOTFBWSZTWXDDNSUAAA4RgEAEJuccQCAAMUwAAJU9TQGEIYcmr5DgI6xGegyCaqzCT16L/F3JFOFCQcMM1JQ='),
  xz: sample(
    '/Td6WFoAAAFpIt42AgAhAQAAAAA3J5fW4AAuACBdADQYSquPkul8cIT587axWyWYQTAyedazwthed1Fb92AAAAne/BkAATgviTTInJBCmQ0BAAAAAAFZWg==',
  ),
}
const LOCKED = sample(
  'N3q8ryccAATrFCvxMAAAAAAAAABiAAAAAAAAAGaXWPahAacjSi2g80G7Jx/TS81QJO94Mu8/AqI46dFYEEz3uCHUy/uIATxgePcJYupAQY4BBAYAAQkwAAcLAQACJAbxBwESUw8aOUjdCPGxBhAWsfv8CDbcISEBAAEADCgvAAgKAQne/BkAAAUBGQEAEQ0AYQAuAHQAeAB0AAAAFAoBAMALBCVGfN0BFQYBACCAtoEAAA==',
)
const SEALED = sample(
  'N3q8ryccAASAmhhAoAAAAAAAAAAuAAAAAAAAAFSiH8Sw4OIyirAIMs1hmD+1KTzxBV0Jg8T8qgfHwi5IU34ppIdrqnGwrevLB7CJ10LJ2HZhyAqkfhgeLI/oPOjmwb8pWfLdJe+/jZkCopGKapZV25kotsRubhei6Sb5cIA1gVzNlY1WoGb7pz+k5/1+u+VETboGSUjjTaFEOGKSWYCOBb/qCsIIvn/RFmw6y8f2r+ogAwN33CNK2aG3QesJPHKBFwYwAQlwAAcLAQABJAbxBwESUw/bgzUsxKRVxZTsaJ2kO6xfDGIKAfZDl6QAAA==',
)
/** Each run starts the module anew, some milliseconds. */
const RUNS = 20

describe('7-Zip', () => {
  it('gives what is in an archive, and names', async () => {
    for (const [extension, octets] of Object.entries(WHOLE)) {
      const found = await lookInto(octets, { name: `a.txt.${extension}` })
      assert.deepEqual(textsOf(found), [TEXT], extension)
      assert.deepEqual(found.objects[1]?.names, ['a.txt'], extension)
      assert.deepEqual(found.facts, [], extension)
    }
  })

  it('says encrypted, with the names or without', async () => {
    const locked = await lookInto(LOCKED)
    assert.deepEqual(kindsOf(locked), ['encrypted'])
    assert.deepEqual(locked.objects[1]?.names, ['a.txt'])
    assert.ok(kindsOf(await lookInto(SEALED)).includes('encrypted'))
  })

  it('says broken', async () => {
    for (const octets of Object.values(WHOLE))
      assert.deepEqual(kindsOf(await lookInto(octets.subarray(0, octets.length - 6))), ['broken'])
  })

  it('stops at the limit of octets', async () => {
    const { facts } = await lookInto(WHOLE.xz, { limits: { octetsMax: 20 } })
    assert.ok(facts.some((fact) => fact.kind === 'over-limit' && fact.limit === 'octets'))
  })

  it('leaves the exit code of the process alone', async () => {
    const before = process.exitCode
    await lookInto(LOCKED)
    assert.equal(process.exitCode, before)
  })

  it('never breaks the one who called it', async () => {
    const damage = fc.tuple(fc.constantFrom(...Object.values(WHOLE), LOCKED), fc.nat(400), fc.nat(255))
    await fc.assert(
      fc.asyncProperty(damage, async ([whole, at, value]) => {
        const octets = Buffer.from(whole)
        octets[8 + (at % (octets.length - 8))] = value
        await lookInto(octets)
      }),
      { numRuns: RUNS },
    )
  })
})
