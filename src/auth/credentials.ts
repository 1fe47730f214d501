/**
 * Who may submit mail, and how he proves it: what the path asks of those who keep credentials. Passwords are never kept, only
 * what a check needs (argon2id, RFC 9106; the keys of SCRAM, RFC 5802 §3).
 *
 * A login is unique in the whole relay, since a client names no tenant: an address, or another name without white space,
 * compared in lower case.
 */

/** What a login may do. Plain data. */
export interface Credential {
  readonly tenant: string
  readonly login: string
  /** Clients must have one of these addresses: `10.0.0.0/8`, `2001:db8::/32`. Empty: any. */
  readonly networks: readonly string[]
  /**
   * Reverse-paths and authors: `anna@bakery.example`, or `@bakery.example` for all of a domain. Empty: every domain of the
   * tenant's.
   */
  readonly senders: readonly string[]
}

/** RFC 5802 §3, for SHA-256 (RFC 7677). */
export interface ScramKeys {
  readonly salt: Uint8Array
  readonly iterations: number
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}

export type PasswordAnswer =
  | { readonly kind: 'right'; readonly credential: Credential }
  /** The login does not exist, or the password is another: nobody outside learns which. */
  | { readonly kind: 'wrong' }
  /** The password is right, and the login may not be used: locked, or disabled. For the owner, what to do. */
  | { readonly kind: 'locked'; readonly credential: Credential; readonly text: string }
  /** Nobody can say now. */
  | { readonly kind: 'unknown'; readonly text: string }

export interface Credentials {
  /** As long for a login that does not exist as for one that does. Never rejects. */
  check(login: string, password: string): Promise<PasswordAnswer>
  /**
   * For SCRAM. A login that does not exist has keys too, made from its name, that no password fits. Throws when the store
   * cannot be read.
   */
  scramKeys(login: string): ScramKeys
  /** After SCRAM has proved the password. */
  proved(login: string): PasswordAnswer
}

/** May a password be tried now? Guesses are counted for the client and its network, never so that the owner is locked out. */
export type Admission =
  | { readonly kind: 'go' }
  /** First wait so long. */
  | { readonly kind: 'wait'; readonly waitMs: number }
  /** Not even looked at. */
  | { readonly kind: 'refuse'; readonly text: string }

export interface Guesses {
  /** Rejects when nobody can count. After a `wait` the attempt is admitted, and not asked for again. */
  admit(login: string, clientAddress: string): Promise<Admission>
  /**
   * What became of an attempt that was admitted. Undefined: nobody looked (`unknown`), or the password was right and the
   * login may not be used (`locked`). One that is never ended counts as wrong after some minutes. Never throws.
   */
  ended(login: string, clientAddress: string, right: boolean | undefined): void
}
