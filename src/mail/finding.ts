/**
 * A finding: what live traffic showed about one of the prerequisites R1 to R7 at one of a tenant's servers. Counted by day,
 * with the newest evidence; conformance reads them.
 */
import type { TraceId } from './trace-id.ts'

export type Prerequisite = 'R1' | 'R2' | 'R3' | 'R4' | 'R5' | 'R6' | 'R7'

/** Short, stable, kebab-case. */
export type FindingSymbol =
  /** A recipient was refused after custody, though we held it for known: the list is behind, or the server changed its mind. */
  | 'refused-after-custody'
  /** The server takes every address, so that it must stay silent about those that do not exist. */
  | 'takes-every-address'
  /** A content was refused at the dot. */
  | 'content-refused'
  /** Greylisting or another delay met our relay. */
  | 'delayed'
  /** Mail waited until its lifetime ended. */
  | 'expired'

export interface Finding {
  readonly tenant: string
  /** `tenant/name` */
  readonly route: string
  readonly prerequisite: Prerequisite
  readonly symbol: FindingSymbol
  /** What was seen: the server's own words where there are any. One line. */
  readonly evidence: string
  /** Of the message; absent where none was involved. */
  readonly id?: TraceId
}
