/**
 * AUTH (RFC 4954): the exchange of lines. What a mechanism says in them is the path's business (`Decisions.auth`); here
 * are base64, the limits, cancelling, and the order in which it may happen.
 *
 * Announced and taken under TLS only: without it 538, since a password in clear, and even a SCRAM exchange that anybody may
 * have begun, proves too little.
 */
import type { AuthAnswer, AuthStep } from '#mail/decisions.ts'
import { type NegativeReply, permanent } from '#mail/reply.ts'
import type { LineReader } from './line-reader.ts'
import type { SessionState } from './session-state.ts'

/** RFC 4954 §4: of one line of the exchange, with CRLF; no mechanism needs more. */
export const AUTH_LINE_OCTETS_MAX = 12_288 + 2

const NEEDS_EHLO = permanent(503, '5.5.1', 'AUTH needs EHLO')
const NEEDS_TLS = permanent(538, '5.7.11', 'Encryption required for authentication: use STARTTLS first')
const ALREADY = permanent(503, '5.5.1', 'Already authenticated')
const NO_SUCH = permanent(504, '5.5.4', 'Authentication mechanism not supported')
const SYNTAX = permanent(501, '5.5.4', 'Syntax: AUTH mechanism [initial-response]')
const NOT_BASE64 = permanent(501, '5.5.2', 'Cannot decode the response: it is not base64')
const TOO_LONG = permanent(500, '5.5.6', 'Authentication exchange line is too long')
const CANCELLED = permanent(501, '5.7.0', 'Authentication cancelled')

/** The mechanisms for this session as it is now. */
export function mechanismsNow({ settings, session }: SessionState): readonly string[] {
  if (session.tls === undefined) return []
  if (session.tls.channelBinding !== undefined) return settings.authMechanisms
  return settings.authMechanisms.filter((name) => !name.endsWith('-PLUS'))
}

export function auth(state: SessionState, argument: string): NegativeReply | undefined {
  const { session } = state
  if (!session.extended) return NEEDS_EHLO
  if (session.tls === undefined) return NEEDS_TLS
  if (session.authenticated !== undefined) return ALREADY
  const [mechanism = '', response, ...more] = argument.split(' ')
  if (mechanism === '' || more.length > 0) return SYNTAX
  const name = mechanism.toUpperCase()
  if (!mechanismsNow(state).includes(name)) return NO_SUCH
  // RFC 4954 §4: "=" is an initial response of no octets.
  const initial = response === undefined ? undefined : response === '=' ? NOTHING : decoded(response)
  if (response !== undefined && initial === undefined) return NOT_BASE64
  state.enter('auth')
  ask(state, { kind: 'start', mechanism: name, ...(initial !== undefined && { initial }) })
  return undefined
}

/** A line in answer to a 334. */
export function authLine(state: SessionState, line: LineReader): void {
  const response = line.fault === undefined && line.text !== '*' ? decoded(line.text) : undefined
  if (response !== undefined) {
    ask(state, { kind: 'response', response })
    return
  }
  state.enter('ready')
  if (line.fault === 'too-long') state.refuse(TOO_LONG)
  else state.refuse(line.text === '*' ? CANCELLED : NOT_BASE64)
}

export function authAnswered(state: SessionState, answer: AuthAnswer): void {
  if (answer.kind === 'challenge') {
    state.say({ code: 334, text: Buffer.from(answer.challenge).toString('base64') })
    return
  }
  state.enter('ready')
  if (answer.kind === 'authenticated') {
    state.session.authenticated = answer.as
    state.say({ code: 235, status: '2.7.0', text: 'Authentication succeeded' })
  } else if (answer.kind === 'reject') {
    // The path has told of it; it counts as an error, so that guessing ends the session.
    state.countError(answer.reply)
  } else state.decline(answer.reply)
}

const ask = (state: SessionState, step: AuthStep): void => state.ask({ kind: 'auth', step })

const NOTHING = Buffer.alloc(0)

function decoded(text: string): Buffer | undefined {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined
}
