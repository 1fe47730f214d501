/**
 * The envelope (RFC 5321 §2.3.1) with the parameters of DSN (RFC 3461), 8BITMIME (RFC 6152), BINARYMIME (RFC 3030),
 * SMTPUTF8 (RFC 6531) and REQUIRETLS (RFC 8689). Who sent it and when is in `Transaction`, not here.
 */
import type { ForwardPath, ReversePath } from './address.ts'

export type BodyType = '7bit' | '8bitmime' | 'binarymime'
export type NotifyOn = 'success' | 'failure' | 'delay'

export interface Recipient {
  readonly forwardPath: ForwardPath
  /** RFC 3461 §4.1: absent means the default (failure, perhaps delay); 'never' stands alone. */
  readonly notify?: 'never' | readonly NotifyOn[]
  /** RFC 3461 §4.2, as received: `addr-type;xtext`. */
  readonly orcpt?: string
}

export interface Envelope {
  readonly reversePath: ReversePath
  readonly recipients: readonly Recipient[]
  readonly body: BodyType
  readonly smtputf8: boolean
  /** RFC 1870: what the client declared, in octets. */
  readonly declaredOctets?: number
  /** RFC 3461 §4.3. */
  readonly ret?: 'full' | 'hdrs'
  /** RFC 3461 §4.4, as received, in xtext. */
  readonly envid?: string
  /** RFC 8689 §4.1: rather not delivered than to a server that did not prove who it is. */
  readonly requireTls?: boolean
  /** RFC 8689 §3, `TLS-Required: No`: rather delivered than protected by what the recipient's domain asks for. */
  readonly tlsOptional?: boolean
}
