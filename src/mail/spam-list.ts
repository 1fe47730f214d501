/**
 * A DNS list as the operator describes it: what it is asked about, where, and what its answers are worth. Plain data.
 *
 * An answer is an address in 127.0.0.0/8, the code (RFC 5782 §2.3). Lists mean different things by it: a number, numbers in
 * several octets (DNSWL), or a bit for each of several lists (SURBL, URIBL).
 */

/**
 * `client`: addresses that connect. `sender`: domains of reverse-path, author and greeting. `link`: domains and addresses in
 * links.
 */
export type SpamListKind = 'client' | 'sender' | 'link'

export interface SpamListCode {
  /** As the configuration has it: `127.0.0.2`, `127.0.0.0/24`, `127.0.*.3`, `bit-8`. */
  readonly written: string
  /** It is meant if `(code & mask) === value`; both unsigned, 32 bits. */
  readonly mask: number
  readonly value: number
  readonly weight: number
  /** In the operator's words: `phishing`. */
  readonly meaning?: string
}

export interface SpamListSettings {
  readonly name: string
  /** At least one. */
  readonly kinds: readonly SpamListKind[]
  /** Lower case, A-labels, no dot at the end. */
  readonly zone: string
  /** A label in front of the zone that says who asks. Not to be shown. */
  readonly accessKey?: string
  /** Who is listed is good: weights count against spam. Of clients only. */
  readonly welcome: boolean
  /** Log odds, not negative, of a code that `codes` does not have; absent: such a code says nothing. */
  readonly weight?: number
  /** The first that is meant counts. */
  readonly codes: readonly SpamListCode[]
  /** What it must list; absent: 127.0.0.2 and TEST (RFC 5782 §5). `none`: it has no such entry. */
  readonly testEntry?: string
}
