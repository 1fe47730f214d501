/** Which worker keeps which spool folder. Worker i owns `i`; folders of workers that are no more go to i mod n. */
import { join } from 'node:path'

/** `names`: what is in the spool's folder; anything that is not a plain number is not ours. Own folder first. */
export function spoolFoldersOf(spool: string, index: number, workers: number, names: readonly string[]): string[] {
  const adopted = names
    .filter((name) => /^(?:0|[1-9]\d{0,3})$/.test(name))
    .map(Number)
    .filter((number) => number >= workers && number % workers === index)
    .sort((a, b) => a - b)
  return [index, ...adopted].map((number) => join(spool, String(number)))
}
