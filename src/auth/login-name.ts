/**
 * A login as it is compared: an address, or another name without white space, in lower case and NFC. Limit:
 * `LOGIN_OCTETS_MAX`, that of an address with room for an address's longest domain.
 */

export const LOGIN_OCTETS_MAX = 320

// Nor anything that nobody sees: two logins that look alike would be two.
const REFUSED = /[\s\p{Cc}\p{Cn}\p{Co}\p{Cs}\p{Default_Ignorable_Code_Point}]/u

/** Undefined: no login is called so. */
export function foldLogin(typed: string): string | undefined {
  if (typed.length > LOGIN_OCTETS_MAX) return undefined
  const login = typed.normalize('NFC').toLowerCase()
  if (login === '' || REFUSED.test(login) || Buffer.byteLength(login) > LOGIN_OCTETS_MAX) return undefined
  return login
}
