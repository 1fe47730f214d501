/**
 * SpamAssassin's daemon: `SYMBOLS SPAMC/1.5`, the message, and back a score, a threshold and the names of the rules that hit.
 *
 * The protocol has no envelope. SpamAssassin reads it where a server that delivers would have written it, so that is put before
 * the message: `X-Envelope-From` and `X-Envelope-To`, and a Received field about the session, from which its tests of client,
 * SPF and lists take the address. It is said of this relay, nobody else sees it, and the message is delivered without it.
 *
 * | spamd | for us |
 * |---|---|
 * | `SPAMD/1.1 0 EX_OK`, `Spam: True ; 7.9 / 5.0` | a weight (weight.ts), and the names |
 * | `79`: its own time is over | timed-out |
 * | `69`, `75`: not now | busy |
 * | another code; a word that contradicts its numbers | garbled |
 */
import { type Content, withTrace } from '#mail/content.ts'
import { dateTime } from '#mime/trace-fields.ts'
import type { Failure } from '../../servers.ts'
import { pieces, talk } from '../../talk.ts'
import type { AskEngine, EngineAbout, EngineSaid } from './contract.ts'
import { type AnswerReader, countedConversation, notAnAnswer } from './counted-answer.ts'
import { SPAMD_LINE, weightOf } from './weight.ts'

export interface SpamdSettings {
  /** Of this relay. */
  readonly hostname: string
  /** Whose preferences hold; its own default if absent. */
  readonly user?: string
}

/** Recipients that it is told of. */
const RECIPIENTS_MAX = 100
const SHOWN_MAX = 8
const SERVER = 'spamd'

export function spamd(settings: SpamdSettings): AskEngine {
  return ({ content, about }, to, limits, clock) => {
    const fields = envelopeFields(about, settings.hostname, clock.wall())
    const send = question(withTrace(Buffer.from(fields), content), settings.user)
    return talk<EngineSaid | Failure>(to, countedConversation(send, SPAMD_READER), limits, clock)
  }
}

function* question({ chunks, octets }: Content, user: string | undefined): Generator<readonly Buffer[]> {
  const whose = user === undefined ? '' : `User: ${plain(user)}\r\n`
  yield [Buffer.from(`SYMBOLS SPAMC/1.5\r\nContent-length: ${octets}\r\n${whose}\r\n`)]
  for (const piece of pieces(chunks)) yield [piece]
}

/** Empty if nothing is known of a session. */
export function envelopeFields(about: EngineAbout, hostname: string, wallMs: number): string {
  const { session, reversePath, recipients = [], id, user } = about
  const lines: string[] = []
  if (reversePath !== undefined) lines.push(`X-Envelope-From: <${addressOf(reversePath)}>`)
  for (const recipient of recipients.slice(0, RECIPIENTS_MAX)) lines.push(`X-Envelope-To: <${addressOf(recipient)}>`)
  if (session !== undefined) {
    const { client, greetingName, clientName, tls } = session
    const name = clientName?.kind === 'confirmed' ? `${word(clientName.name)} ` : ''
    const protocol = `ESMTP${tls ? 'S' : ''}${user === undefined ? '' : 'A'}`
    lines.push(
      `Received: from ${word(greetingName ?? 'unknown')} (${name}[${client}])`,
      `\tby ${hostname} (Vorposten) with ${protocol}${id === undefined ? '' : ` id ${word(id)}`}`,
      ...(reversePath === undefined ? [] : [`\t(envelope-from <${addressOf(reversePath)}>)`]),
    )
    lines.push(`${lines.pop()};`, `\t${dateTime(wallMs)}`)
  }
  return lines.map((line) => `${line}\r\n`).join('')
}

const plain = (text: string): string => text.replace(/[\0-\x1f\x7f]/g, ' ')
/** Without the brackets of `<>`, and with nothing that ends the field, a comment or a path. */
const addressOf = (text: string): string => plain(text).replace(/[<>()]/g, '')
const word = (text: string): string => text.replace(/[^\w.:[\]-]/g, '?').slice(0, 255) || 'unknown'

// sysexits(3), in spamd's own words; 79 is its invention.
const CODES: Readonly<Record<string, 'timed-out' | 'busy'>> = { 69: 'busy', 75: 'busy', 79: 'timed-out' }

export const SPAMD_READER: AnswerReader<EngineSaid> = {
  server: SERVER,
  first(line) {
    const [, code] = /^SPAMD\/1\.\d (\d{1,3}) [ -~]{1,200}$/.exec(line) ?? []
    if (code === '0') return undefined
    const kind = code === undefined ? undefined : CODES[code]
    return kind === undefined ? notAnAnswer(SERVER, line) : { kind, text: line }
  },
  read(fields, body) {
    const said = fields.get('spam') ?? ''
    const [, word, score, threshold] = /^(True|False) ; (-?\d{1,7}\.\d{1,3}) \/ (-?\d{1,7}\.\d{1,3})$/.exec(said) ?? []
    const isSpam = Number(score) >= Number(threshold)
    if (word === undefined || isSpam !== (word === 'True')) return notAnAnswer(SERVER, said)
    return judged(Number(score), Number(threshold), body.toString('latin1'))
  },
}

function judged(score: number, threshold: number, names: string): EngineSaid {
  const shown = names.split(',', SHOWN_MAX).flatMap((name) => name.trim() || [])
  const text = `${score} of ${threshold}`
  return {
    kind: 'judged',
    // With a threshold that everything passes there is nothing to be on the way to.
    weight: weightOf(SPAMD_LINE, score, threshold > 0 ? threshold : THRESHOLD),
    text: shown.length === 0 ? text : `${text}: ${shown.join(', ')}`,
    delays: false,
  }
}

/** SpamAssassin's default. */
const THRESHOLD = 5
