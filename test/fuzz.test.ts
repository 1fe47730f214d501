/**
 * A short run of every fuzzer, with the seed of all tests. What it prints is enough to find the same again; longer runs
 * are for `npm run fuzz`.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canaryDies, type Fuzzer, fuzzers, fuzzFor, newSeed } from '../fuzz/run.ts'
import { testSeed } from './seed.ts'

/** Of each fuzzer. */
const FUZZ_MS = 2_000

for (const fuzzer of await fuzzers()) {
  test(`fuzz: ${fuzzer.name}`, async (t) => {
    const seed = testSeed() ?? newSeed()
    t.diagnostic(`${fuzzer.name}: seed ${seed}`)
    await fuzzFor(fuzzer, seed, FUZZ_MS)
  })
  if (fuzzer.canary) {
    test(`the canary of ${fuzzer.name} dies`, async () => assert.equal(await canaryDies(fuzzer), true))
  }
}

test('a finding is reported with what replays it, and a canary that lives is seen', async () => {
  const fuzz = (seed: number) => assert.notEqual(seed, 9, 'nine')
  const planted: Fuzzer = { name: 'planted', fuzz, canary: () => {} }
  await assert.rejects(
    fuzzFor(planted, 7, 60_000),
    /replay it by: npm run fuzz -- --seed 9 --iterations 200 planted\nnine/,
  )
  assert.equal(await canaryDies(planted), false)
  await assert.rejects(fuzzers(['nobody']), /no such fuzzer: nobody/)
})
