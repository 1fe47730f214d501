/**
 * TXT records of a name, asked of DNS each time: for an operator who has just changed them, not for the path of mail. Nothing
 * that was said before is kept, also no "there is none". Whether there are none for certain, or nobody could say, are two
 * answers (law 4).
 */
import type { Endpoint } from '#mail/session.ts'
import type { Clock } from './clock.ts'
import { systemDns } from './resolver.ts'

export type TxtAnswer =
  /** Each record with its strings joined. */
  | { readonly kind: 'found'; readonly records: readonly string[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly text: string }

export type LookUpTxt = (name: string) => Promise<TxtAnswer>

/** `servers`: undefined: those of the machine. */
export function txtLookup(clock: Clock, servers: readonly Endpoint[] | undefined): LookUpTxt {
  return (name) => systemDns(clock, () => servers).lookup(name, 'TXT')
}
