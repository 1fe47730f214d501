/** What the command line of the bench says, for all scenarios. */
import type { Pace } from './load-session.ts'
import type { Commit } from './relay-under-test.ts'

export interface BenchOptions {
  readonly commits: readonly Commit[]
  readonly sizes: readonly number[]
  readonly sessions: readonly number[]
  /** `single`: one message per connection. */
  readonly modes: readonly ('single' | 'multi')[]
  readonly pace: Pace
  /** Length of the load of one cell. */
  readonly seconds: number
  readonly repetitions: number
  /** Messages in the queue, for `queue` and `restart`. */
  readonly queued: number
  readonly idle: number
  /** Messages for the black hole. */
  readonly blackHole: number
  readonly told: (line: string) => void
}

/** More than any cell sends; the sink counts numbers one by one up to 2^24. */
export const MESSAGES_MAX = 1_000_000
export const MANY_PER_SESSION = 1_000_000
/** No arrival for so long: what is missing is taken for lost. */
export const QUIET_MS_MAX = 20_000
export const MEGABYTE = 1024 * 1024

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

export const sizeText = (octets: number): string => `${Math.round(octets / 1024)}k`
