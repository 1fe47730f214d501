/**
 * MAIL and RCPT with their parameters, as command lines without CRLF. A parameter is only sent where its extension is
 * offered: SIZE (RFC 1870), BODY (RFC 6152, RFC 3030), SMTPUTF8 (RFC 6531), DSN (RFC 3461 §5), REQUIRETLS (RFC 8689).
 */
import { pathText } from '#mail/address.ts'
import type { Envelope, Recipient } from '#mail/envelope.ts'
import type { Capabilities } from './capabilities.ts'

export interface MailParameters {
  readonly octets: number
  readonly smtpUtf8: boolean
}

export function mailCommand(envelope: Envelope, offered: Capabilities, { octets, smtpUtf8 }: MailParameters): string {
  let line = `MAIL FROM:${pathText(envelope.reversePath)}`
  if (offered.size) line += ` SIZE=${octets}`
  if (envelope.body === 'binarymime') line += ' BODY=BINARYMIME'
  else if (envelope.body === '8bitmime' && offered.eightBitMime) line += ' BODY=8BITMIME'
  if (smtpUtf8) line += ' SMTPUTF8'
  if (offered.dsn) {
    if (envelope.ret) line += ` RET=${envelope.ret.toUpperCase()}`
    if (isParameterValue(envelope.envid)) line += ` ENVID=${envelope.envid}`
  }
  if (envelope.requireTls) line += ' REQUIRETLS'
  return line
}

export function rcptCommand({ forwardPath, notify, orcpt }: Recipient, offered: Capabilities): string {
  let line = `RCPT TO:${pathText(forwardPath)}`
  if (!offered.dsn) return line
  if (notify !== undefined) line += ` NOTIFY=${notify === 'never' ? 'NEVER' : notify.join(',').toUpperCase()}`
  if (isParameterValue(orcpt)) line += ` ORCPT=${orcpt}`
  return line
}

// xtext came from a client that we checked. Were it otherwise, a space or CRLF here would be another parameter or command.
const isParameterValue = (value: string | undefined): value is string =>
  value !== undefined && /^[\x21-\x7e]+$/.test(value)

/** What must never be in a command line: a control character would end it, or hide something from a reader. */
export const isCommandText = (text: string): boolean => !/[\x00-\x1f\x7f]/.test(text)
