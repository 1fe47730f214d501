/**
 * A password as it is compared: two ways to type the same text give the same octets. The OpaqueString profile of
 * RFC 8265 §4.2: spaces of every script become U+0020, then NFC; case, width and everything else stay as they are.
 *
 * Stricter in one thing: joiners (U+200C, U+200D), which RFC 8264 §4.3 allows in some neighbourhoods, are refused like
 * every other character that nobody sees. Limit: `PASSWORD_OCTETS_MAX`.
 */

/** No password that people type, or that a program makes, is longer; whatever is costs us work. */
export const PASSWORD_OCTETS_MAX = 1024

export type PreparedPassword =
  | { readonly ok: true; readonly password: string }
  | { readonly ok: false; readonly why: string }

// RFC 8264 §9.6: also the no-break space and the ideographic one.
const SPACES = /\p{Zs}/gu
const SURROGATE = /\p{Cs}/u
// RFC 8264 §4.3.3: controls; old Hangul jamo; what is ignored in display; private use; what Unicode has not assigned.
const DISALLOWED = /[\p{Cc}\p{Cn}\p{Co}\p{Default_Ignorable_Code_Point}\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb]/u

export function preparePassword(typed: string): PreparedPassword {
  if (typed === '') return { ok: false, why: 'it is empty' }
  // Before it is normalised, which takes time too.
  if (typed.length > PASSWORD_OCTETS_MAX) return tooLong
  if (SURROGATE.test(typed)) return { ok: false, why: 'it is not valid UTF-8' }
  const password = typed.replace(SPACES, ' ').normalize('NFC')
  const unseen = DISALLOWED.exec(password)?.[0]
  if (unseen !== undefined) return { ok: false, why: `it holds ${codePoint(unseen)}, which cannot be typed or seen` }
  return Buffer.byteLength(password) > PASSWORD_OCTETS_MAX ? tooLong : { ok: true, password }
}

const tooLong: PreparedPassword = { ok: false, why: `it is longer than ${PASSWORD_OCTETS_MAX} octets` }

const codePoint = (text: string): string => `U+${text.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`
