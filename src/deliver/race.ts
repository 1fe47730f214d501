/**
 * A connection to the first of several addresses that answers (RFC 8305 §5): the next one is tried when the last has failed, or
 * has kept silent for a quarter of a second. Whoever answers later is hung up on. So a host whose IPv6 leads nowhere
 * costs a moment, not a time-out.
 */
import type { Clock } from '#sys/clock.ts'
import type { Wire } from '#sys/wire.ts'

/** RFC 8305 §8: the recommended delay between attempts. */
export const STAGGER_MS = 250

export interface Winner {
  readonly wire: Wire
  readonly address: string
}

/** Not empty: `addresses`. Rejects with the last error when every address has failed. */
export function raceTo(
  addresses: readonly string[],
  connect: (address: string) => Promise<Wire>,
  clock: Pick<Clock, 'after'>,
): Promise<Winner> {
  return new Promise((resolve, reject) => {
    let next = 0
    let running = 0
    let over = false
    let cancel = (): void => {}
    const begin = (): void => {
      cancel()
      const address = addresses[next++]!
      running++
      if (next < addresses.length) cancel = clock.after(STAGGER_MS, begin)
      connect(address).then(
        (wire) => {
          running--
          if (over) return wire.destroy()
          over = true
          cancel()
          resolve({ wire, address })
        },
        (error: unknown) => {
          running--
          if (over) return
          if (next < addresses.length) begin()
          else if (running === 0) reject(error)
        },
      )
    }
    begin()
  })
}
