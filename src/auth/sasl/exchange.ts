/**
 * SASL as a server sees it (RFC 4422): an exchange of messages that ends with a proof, or with nothing. Mechanisms are
 * machines without I/O; whoever drives them knows the passwords.
 *
 * Limits: a message has `MESSAGE_OCTETS_MAX` octets, a login and a password have theirs. What a mechanism cannot read is
 * `malformed`, never an exception.
 */
import type { ScramKeys } from '../credentials.ts'

/** RFC 4954 §4 allows lines of 12,288 characters of base64. */
export const MESSAGE_OCTETS_MAX = 9_216
/** RFC 4616 §2 has no limit; RFC 5321 gives an address 256. */
export const LOGIN_OCTETS_MAX = 512
export const PASSWORD_OCTETS_MAX = 1_024

export type Step =
  /** Send this to the client; its next message is for `receive`. */
  | { readonly kind: 'challenge'; readonly challenge: Buffer }
  /** Is this the password of this login? The exchange is over. */
  | { readonly kind: 'password'; readonly login: string; readonly password: string }
  /** Give the keys of this login to `keys`; nothing else goes on without them. */
  | { readonly kind: 'keys'; readonly login: string }
  /** The client has proved that it knows the password of this login; one empty message may follow first. */
  | { readonly kind: 'proved'; readonly login: string }
  /** It does not know it. */
  | { readonly kind: 'wrong'; readonly login: string }
  | { readonly kind: 'malformed'; readonly text: string }

export interface Exchange {
  receive(message: Buffer): Step
  keys?(keys: ScramKeys): Step
}

export const malformed = (text: string): Step => ({ kind: 'malformed', text })

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Undefined: not UTF-8, or longer than allowed. */
export function textOf(octets: Uint8Array, octetsMax: number): string | undefined {
  if (octets.length > octetsMax) return undefined
  try {
    return utf8.decode(octets)
  } catch {
    return undefined
  }
}
