/**
 * The one name of a transaction: in the reply to the sender, in the log, in the spool, in the Received field.
 *
 * 15 characters of Crockford's base32 (no I, L, O, U; upper case): 9 for the milliseconds since 1970, 2 for the worker,
 * 4 for a counter that starts at random, so that a restarted worker does not repeat itself. They sort by time.
 */
declare const traceId: unique symbol
export type TraceId = string & { readonly [traceId]: true }

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const COUNTER_MAX = 32 ** 4
const TRACE_ID = /^[0-9A-HJKMNP-TV-Z]{15}$/

function base32(value: number, digits: number): string {
  let text = ''
  for (let rest = value, i = 0; i < digits; i++) {
    text = ALPHABET[rest % 32] + text
    rest = Math.floor(rest / 32)
  }
  return text
}

/** A source of ids for one worker (0 to 1023). `random` in [0, 1) sets the counter's start. */
export function traceIds(worker: number, now: () => number, random: () => number): () => TraceId {
  const workerText = base32(worker % 1024, 2)
  let counter = Math.floor(random() * COUNTER_MAX)
  let lastMs = -1
  let lastText = ''
  return () => {
    const ms = now()
    if (ms !== lastMs) {
      lastMs = ms
      lastText = base32(ms, 9) + workerText
    }
    counter = (counter + 1) % COUNTER_MAX
    return (lastText + base32(counter, 4)) as TraceId
  }
}

/** Reads an id as a person or a file gives it; undefined if it is not one. */
export function parseTraceId(text: string): TraceId | undefined {
  const upper = text.toUpperCase()
  return TRACE_ID.test(upper) ? (upper as TraceId) : undefined
}
