/**
 * EHLO and HELO (RFC 5321 §4.1.1.1, §4.1.4) and what EHLO announces. Both abandon an open transaction.
 *
 * The argument should be a domain or an address literal. What else the field sends is taken, since the name proves
 * nothing and refusing it costs mail: names of one label (`localhost`, `WIN-ABC123`), underscores, a dot at the end, IPv6
 * addresses without brackets or without the `IPv6:` tag. Anything else is 501: empty, several words, control
 * characters, other punctuation, more than 255 octets.
 */
import { isIP } from 'node:net'
import { DOMAIN_OCTETS_MAX, parseAddressLiteral, parseDomainName } from '#mail/domain.ts'
import { mechanismsNow } from './auth-commands.ts'
import type { SessionState } from './session-state.ts'

/** Is this a name that a client may give itself? */
export function isGreetingName(argument: string): boolean {
  // No character is shorter than an octet: what has more of them cannot fit, and is not worth reading.
  if (argument === '' || argument.length > DOMAIN_OCTETS_MAX) return false
  if (argument.startsWith('[') && argument.endsWith(']')) {
    const inside = argument.slice(1, -1)
    return parseAddressLiteral(inside) !== undefined || isIP(inside) !== 0
  }
  if (isIP(argument) !== 0) return true
  return parseDomainName(argument.endsWith('.') ? argument.slice(0, -1) : argument) !== undefined
}

export function ehlo(state: SessionState, argument: string): undefined {
  begin(state, argument, true)
  state.say({ code: 250, text: [state.settings.hostname, ...extensions(state)] })
}

export function helo(state: SessionState, argument: string): undefined {
  begin(state, argument, false)
  state.say({ code: 250, text: state.settings.hostname })
}

function begin(state: SessionState, argument: string, extended: boolean): void {
  state.abandon()
  state.enter('ready')
  state.session.greetingName = argument
  state.session.extended = extended
}

function extensions(state: SessionState): string[] {
  const { limits, startTls, etrn } = state.settings
  const mechanisms = mechanismsNow(state)
  const lines = [
    'PIPELINING',
    `SIZE ${limits.contentOctetsMax}`,
    '8BITMIME',
    'SMTPUTF8',
    'ENHANCEDSTATUSCODES',
    'DSN',
    'CHUNKING',
    'BINARYMIME',
  ]
  // RFC 3207 §4.2: not announced again once TLS is up.
  if (startTls && state.session.tls === undefined) lines.push('STARTTLS')
  if (mechanisms.length > 0) lines.push(`AUTH ${mechanisms.join(' ')}`)
  // RFC 8689 §2: it may be asked for only in a session that is itself encrypted.
  if (state.session.tls !== undefined) lines.push('REQUIRETLS')
  if (etrn) lines.push('ETRN')
  // Last, since nobody needs it: there are clients that find STARTTLS and AUTH only behind a hyphen.
  lines.push(`LIMITS RCPTMAX=${limits.recipientsMax} MAILMAX=${limits.transactionsMax}`)
  return lines
}
