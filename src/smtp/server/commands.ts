/**
 * The protocol as a table (RFC 5321 §4.1.1, §4.3.2): each command with the phases in which it is allowed, the check of
 * its argument and its action. What is not allowed is refused, counted, and changes nothing.
 *
 * 500 unknown, 501 bad argument, 502 known but not offered here, 503 not now, 530 not before TLS (RFC 3207 §4).
 */
import type { EtrnAnswer } from '#mail/decisions.ts'
import { type NegativeReply, type PermanentReply, permanent } from '#mail/reply.ts'
import type { Gate } from '#mail/verdict.ts'
import { auth } from './auth-commands.ts'
import { bdat, bdatRefused, data, isChunk } from './content-commands.ts'
import { hasForwardPath, hasReversePath, mail, rcpt } from './envelope-commands.ts'
import { ehlo, helo, isGreetingName } from './greeting.ts'
import type { LineFault, LineReader } from './line-reader.ts'
import type { Phase, SessionState } from './session-state.ts'

type Check = (argument: string) => boolean
/** Does what the command asks, and answers why not if it does not. */
type Action = (state: SessionState, argument: string) => NegativeReply | undefined

interface Command {
  readonly phases: readonly Phase[]
  readonly check: Check
  readonly action: Action
  readonly badArgument: PermanentReply
}

const ALWAYS: readonly Phase[] = ['greeted', 'ready', 'mail', 'rcpt', 'chunks', 'failed']
/** After EHLO or HELO. */
const INTRODUCED: readonly Phase[] = ['ready', 'mail', 'rcpt', 'chunks', 'failed']

const none: Check = (argument) => argument === ''
const some: Check = (argument) => argument !== ''
const any: Check = () => true

const NOT_OFFERED = permanent(502, '5.5.1', 'Command not implemented')
const notOffered: Action = () => NOT_OFFERED

// RSET, DATA, QUIT (RFC 5321 §4.1.1) and STARTTLS (RFC 3207 §4) take no argument, and one that is given is refused.
const COMMANDS: ReadonlyMap<string, Command> = new Map([
  command('EHLO', ALWAYS, isGreetingName, ehlo, 'hostname'),
  command('HELO', ALWAYS, isGreetingName, helo, 'hostname'),
  command('STARTTLS', INTRODUCED, none, startTls, ''),
  command('AUTH', ['ready'], any, authOffered, 'mechanism'),
  command('MAIL', ['ready'], hasReversePath, mail, 'FROM:<reverse-path> [parameters]'),
  command('RCPT', ['mail', 'rcpt'], hasForwardPath, rcpt, 'TO:<forward-path> [parameters]'),
  command('DATA', ['mail', 'rcpt'], none, data, ''),
  command('BDAT', ['rcpt', 'chunks'], isChunk, bdat, 'octets [LAST]'),
  command('RSET', ALWAYS, none, rset, ''),
  command('NOOP', ALWAYS, any, noop, ''),
  command('VRFY', ALWAYS, some, vrfy, 'mailbox'),
  command('EXPN', ALWAYS, any, notOffered, ''),
  command('HELP', ALWAYS, any, help, ''),
  command('ETRN', ['ready'], any, etrn, 'domain'),
  command('QUIT', ALWAYS, none, quit, ''),
  // RFC 5321 appendix F.1 and F.6: once standard, known, never offered.
  command('TURN', ALWAYS, any, notOffered, ''),
  command('SEND', ALWAYS, any, notOffered, ''),
  command('SOML', ALWAYS, any, notOffered, ''),
  command('SAML', ALWAYS, any, notOffered, ''),
])

/** RFC 3207 §4: all that may be said before TLS where TLS is required. */
const BEFORE_TLS: ReadonlySet<string> = new Set(['EHLO', 'STARTTLS', 'NOOP', 'QUIT'])

function command(verb: string, phases: readonly Phase[], check: Check, action: Action, syntax: string) {
  const badArgument = permanent(501, '5.5.4', `Syntax: ${verb} ${syntax}`.trimEnd())
  return [verb, { phases, check, action, badArgument }] as const
}

const UNKNOWN = permanent(500, '5.5.2', 'Command not recognized')
const NEEDS_TLS = permanent(530, '5.7.0', 'Must issue a STARTTLS command first')
const NOT_SMTP = permanent(554, '5.5.1', 'This is an SMTP server')

const LINE_FAULTS: Record<LineFault, PermanentReply> = {
  'too-long': permanent(500, '5.5.2', 'Command line too long'),
  control: permanent(500, '5.5.2', 'Bare carriage return, line feed or NUL in command line'),
  'not-utf8': permanent(501, '5.5.2', 'Command line is not valid UTF-8'),
}

/** Executes one line, or refuses it. */
export function execute(state: SessionState, line: LineReader): void {
  const refusal = line.fault === undefined ? executeText(state, line.text) : LINE_FAULTS[line.fault]
  if (refusal !== undefined) state.refuse(refusal)
}

function executeText(state: SessionState, line: string): NegativeReply | undefined {
  // RFC 5321 §4.1.1: white space before CRLF is tolerated.
  const text = line.trimEnd()
  const space = text.indexOf(' ')
  const verb = (space < 0 ? text : text.slice(0, space)).toUpperCase()
  const argument = space < 0 ? '' : text.slice(space + 1)
  const known = COMMANDS.get(verb)
  if (known === undefined) return unknown(state, verb)
  const refusal = refusalFor(state, verb, known, argument)
  if (refusal === undefined) return known.action(state, argument)
  return verb === 'BDAT' ? bdatRefused(state, argument, refusal) : refusal
}

function refusalFor(state: SessionState, verb: string, known: Command, argument: string): PermanentReply | undefined {
  const { settings, session, phase } = state
  if (settings.requireTls && session.tls === undefined && !BEFORE_TLS.has(verb)) return NEEDS_TLS
  if (!known.phases.includes(phase)) return OUT_OF_ORDER[phase]
  return known.check(argument) ? undefined : known.badArgument
}

const badSequence = (text: string) => permanent(503, '5.5.1', `Bad sequence of commands: ${text}`)
// By what was expected, which helps the person at the other side more than by what came.
const OUT_OF_ORDER: Record<Phase, PermanentReply> = {
  connected: badSequence('wait for the greeting'),
  greeted: badSequence('EHLO first'),
  ready: badSequence('MAIL first'),
  mail: badSequence('a transaction is open, without recipients'),
  rcpt: badSequence('a transaction is open'),
  auth: badSequence('an answer to the challenge is expected'),
  data: badSequence('content is expected'),
  chunks: badSequence('BDAT expected'),
  failed: badSequence('the transaction has failed, RSET expected'),
  securing: badSequence('TLS expected'),
  closed: badSequence('the session is closed'),
}

const HTTP_METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'CONNECT',
  'OPTIONS',
  'PATCH',
  'DELETE',
])
/** A word that is the name of a header field with its colon (RFC 5322 §2.2): no command and no mistyped one is. */
const FIELD_NAME = /^[!-9;-~]+:$/

// A browser that was made to talk to us, or content that its sender took for commands: nothing good can follow, and its
// body could hold commands. A mistyped command is only refused (RFC 5321 §4.2.4).
function unknown(state: SessionState, verb: string): PermanentReply | undefined {
  if (!HTTP_METHODS.has(verb) && !FIELD_NAME.test(verb)) return UNKNOWN
  state.closeWith(NOT_SMTP, 'error')
  return undefined
}

function rset(state: SessionState): undefined {
  state.abandon()
  if (state.phase !== 'greeted') state.enter('ready')
  state.say({ code: 250, status: '2.0.0', text: 'Ok' })
}

function noop(state: SessionState): undefined {
  state.say({ code: 250, status: '2.0.0', text: 'Ok' })
}

// RFC 5321 §3.5.3, §7.3: tells nothing about any mailbox.
function vrfy(state: SessionState): undefined {
  state.say({ code: 252, status: '2.0.0', text: 'Cannot verify; send some mail and see' })
}

function help(state: SessionState): undefined {
  state.say({ code: 214, status: '2.0.0', text: 'See RFC 5321; the postmaster of this host helps' })
}

function quit(state: SessionState): undefined {
  state.closeWith({ code: 221, status: '2.0.0', text: 'Bye' }, 'quit')
}

/** RFC 3207. What was sent behind the command in clear is thrown away by the machine (§4.2). */
function startTls(state: SessionState): PermanentReply | undefined {
  if (!state.settings.startTls) return NOT_OFFERED
  if (state.session.tls !== undefined) return permanent(503, '5.5.1', 'TLS is already active')
  if (!state.session.extended) return permanent(503, '5.5.1', 'STARTTLS needs EHLO')
  state.abandon()
  state.say({ code: 220, status: '2.0.0', text: 'Ready to start TLS' })
  state.startTls()
  return undefined
}

function authOffered(state: SessionState, argument: string): NegativeReply | undefined {
  return state.settings.authMechanisms.length === 0 ? NOT_OFFERED : auth(state, argument)
}

/** RFC 1985. Who may ask is the path's decision. */
function etrn(state: SessionState, argument: string): PermanentReply | undefined {
  if (!state.settings.etrn) return NOT_OFFERED
  if (argument === '') return permanent(501, '5.5.4', 'Syntax: ETRN domain')
  state.ask({ kind: 'etrn', argument })
  return undefined
}

export function etrnAnswered(state: SessionState, answer: Gate | EtrnAnswer): void {
  if (answer.kind !== 'accept') state.decline(answer.reply)
  else state.say('reply' in answer ? answer.reply : { code: 250, status: '2.0.0', text: 'OK, queuing started' })
}
