/**
 * What the header says of TLS (RFC 8689 §3): `TLS-Required: No` asks that the message be delivered also where a policy of the
 * recipient's domain cannot be kept. It does not count beside REQUIRETLS (§4.1). Anything else that stands there, or two of
 * them, says nothing.
 */
import type { Transaction } from '#mail/session.ts'
import { type HeaderSection, unfolded } from '#mime/header-section.ts'
import { withEnvelope } from './outbound.ts'

export function withTlsRequired(transaction: Transaction, header: HeaderSection): Transaction {
  if (transaction.envelope.requireTls) return transaction
  const fields = header.fields.filter(({ name }) => name === 'tls-required')
  const isNo = fields.length === 1 && unfolded(fields[0]!).trim().toLowerCase() === 'no'
  return isNo ? withEnvelope(transaction, { tlsOptional: true }) : transaction
}
