/**
 * DNS for the authentication of one message: a budget of time and of questions for all of it. What is asked when it is used
 * up is `unknown`, at once, and so is what was asked before and has not been answered by then.
 */
import type { Clock } from '#sys/clock.ts'
import type { Answer, Dns, RecordType } from '#sys/dns/answer.ts'

/** SPF, DKIM, DMARC and ARC together. A sender waits 10 minutes for the reply (RFC 5321 §4.5.3.2.6), people do not. */
export const AUTHENTICATION_MS_MAX = 2_500
/** SPF needs some hundred at the worst (RFC 7208 §4.6.4), each signature one, each walk eight. */
export const QUESTIONS_MAX = 250

const OVER_TIME: Answer<RecordType> = { kind: 'unknown', text: 'no answer in the time for this message' }
const OVER_COUNT: Answer<RecordType> = { kind: 'unknown', text: 'too many questions for this message' }

export class Lookups implements Dns, Disposable {
  readonly #dns: Dns
  readonly #late: Promise<Answer<RecordType>>
  readonly #cancel: () => void
  #questions = 0
  #isLate = false

  constructor(dns: Dns, clock: Pick<Clock, 'after'>, budgetMs = AUTHENTICATION_MS_MAX) {
    this.#dns = dns
    const { promise, resolve } = Promise.withResolvers<Answer<RecordType>>()
    this.#late = promise
    this.#cancel = clock.after(budgetMs, () => {
      this.#isLate = true
      resolve(OVER_TIME)
    })
  }

  async lookup<T extends RecordType>(name: string, type: T): Promise<Answer<T>> {
    if (this.#isLate) return OVER_TIME as Answer<T>
    if (++this.#questions > QUESTIONS_MAX) return OVER_COUNT as Answer<T>
    return (await Promise.race([this.#dns.lookup(name, type), this.#late])) as Answer<T>
  }

  [Symbol.dispose](): void {
    this.#cancel()
  }
}
