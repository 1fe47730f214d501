/** What the program and its verifying thread say to each other. Everything is plain data. */
import type { Answer, RecordType } from '#sys/dns/answer.ts'

/** A message as it came, and what SPF asks of the session. */
export interface Evidence {
  /** `anna@sender.example`, with A-labels. */
  readonly reversePath: string
  /** The domain of that path, A-labels. */
  readonly domain: string
  readonly clientAddress: string
  readonly greetingName: string
}

/** What vouches for the reverse-path. `none`: nothing does, for certain or not; only a pass is a proof. */
export type Verified = 'spf-pass' | 'aligned-dkim' | 'none'

export type ToThread =
  | { readonly kind: 'verify'; readonly job: number; readonly evidence: Evidence; readonly octets: Uint8Array }
  | { readonly kind: 'dns'; readonly question: number; readonly answer: Answer<RecordType> }

export type FromThread =
  | { readonly kind: 'verified'; readonly job: number; readonly verified: Verified }
  /** It could not be found out. */
  | { readonly kind: 'failed'; readonly job: number; readonly text: string }
  | {
      readonly kind: 'lookup'
      readonly job: number
      readonly question: number
      readonly name: string
      readonly type: RecordType
    }
