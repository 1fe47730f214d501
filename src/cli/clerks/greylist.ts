/**
 * The clerk of the greylist: all workers ask it, since a server that comes again comes to another one. It is in memory; after
 * a restart strangers wait once more, which is what they are asked for.
 */
import type { Clerk } from '#cli/serve/desk.ts'
import { Greylist } from '#policy/greylist.ts'
import type { Clock } from '#sys/clock.ts'

/** What a worker asks: one of each recipient. */
export interface GreylistQuestions {
  'greylist/ask': { body: { keys: readonly string[] }; answer: 'wait' | 'pass' }
}

export class GreylistClerk<Settings = unknown> implements Clerk<Settings> {
  readonly subject = 'greylist'
  readonly #greylist: Greylist

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#greylist = new Greylist(() => clock.monotonic())
  }

  async answer(what: string, body: unknown): Promise<unknown> {
    if (what !== 'ask') throw new Error(`no question about the greylist: ${what}`)
    const { keys } = body as GreylistQuestions['greylist/ask']['body']
    // Each of them is written down, whatever the others hear.
    const answers = keys.map((key) => this.#greylist.asks(key))
    return answers.includes('wait') ? 'wait' : 'pass'
  }
}
