/** The seed of all tests with random input: fixed, a number in `TEST_SEED`, or with `TEST_SEED=random` a new one each time. */
import fc from 'fast-check'

const FIXED = 20_261_124

/** Undefined if each run is to draw its own. */
export function testSeed(): number | undefined {
  const given = process.env['TEST_SEED'] ?? ''
  if (given === 'random') return undefined
  const seed = given === '' ? FIXED : Number(given)
  if (!Number.isSafeInteger(seed)) throw new Error(`TEST_SEED is a whole number or random, not ${given}`)
  return seed
}

const seed = testSeed()
if (seed !== undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed })
