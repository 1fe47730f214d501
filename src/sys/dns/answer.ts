/**
 * What a question to DNS comes to. "There is none" is only said where a server said so for certain (NXDOMAIN, NODATA);
 * everything else is `unknown`, to be asked again later (law 4, RFC 5321 §5.1).
 */

export interface MailExchanger {
  readonly preference: number
  /** Lower case, no dot at the end; the root, of a null MX (RFC 7505), is the empty text. */
  readonly exchange: string
}

export interface TlsaRecord {
  readonly usage: number
  readonly selector: number
  readonly matchingType: number
  readonly data: Uint8Array
}

export interface StartOfAuthority {
  readonly mname: string
  readonly rname: string
  readonly minimum: number
}

/** What the records of each type look like. Names are lower case, without the dot at the end. */
export interface RecordData {
  readonly A: string
  readonly AAAA: string
  readonly MX: MailExchanger
  /** One record: its strings put together (RFC 7208 §3.3), one character for each octet. */
  readonly TXT: string
  readonly TLSA: TlsaRecord
  readonly PTR: string
  readonly SOA: StartOfAuthority
  readonly CNAME: string
}
export type RecordType = keyof RecordData

export type Answer<T extends RecordType> =
  | {
      readonly kind: 'found'
      /** At least one. */
      readonly records: readonly RecordData[T][]
      /** Where the aliases lead to; the name itself if it is none. */
      readonly name: string
      /** A server on this machine has verified it with DNSSEC (AD). RFC 7672 §2.1.1: trust no other's word for it. */
      readonly secure: boolean
      /** For so long it may be used. */
      readonly ttlMs: number
    }
  /** For certain. `no-name`: nothing at all has this name (NXDOMAIN). `no-record`: the name has none of this type. */
  | {
      readonly kind: 'none'
      readonly why: 'no-name' | 'no-record'
      readonly name: string
      readonly secure: boolean
      readonly ttlMs: number
    }
  /** Nobody could say now; for the log. */
  | { readonly kind: 'unknown'; readonly text: string }

export interface Dns {
  /** `name`: A-labels. Never rejects. */
  lookup<T extends RecordType>(name: string, type: T): Promise<Answer<T>>
}
