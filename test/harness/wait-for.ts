/**
 * Waiting in tests: for a condition, never for a while. Every wait has an end and says what it waited for.
 */
import { setTimeout as sleep } from 'node:timers/promises'

/** Longer than anything takes on two busy cores; a test that needs it has failed. */
export const WAIT_MS_MAX = 20_000
const POLL_MS = 10

type Falsy = undefined | null | false | 0 | ''

/** The condition's first true value. Rejects after `msMax`, with `what` and whatever `context` shows then. */
export async function waitFor<T>(
  what: string,
  condition: () => T | Falsy | Promise<T | Falsy>,
  options: { readonly msMax?: number; readonly context?: () => string } = {},
): Promise<T> {
  const msMax = options.msMax ?? WAIT_MS_MAX
  const end = performance.now() + msMax
  for (;;) {
    const value = await condition()
    if (value) return value
    if (performance.now() > end) {
      throw new Error(`waited ${msMax} ms for ${what}, in vain\n${options.context?.() ?? ''}`.trimEnd())
    }
    await sleep(POLL_MS)
  }
}
