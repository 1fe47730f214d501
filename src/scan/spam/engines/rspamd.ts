/**
 * Rspamd: `POST /checkv2` with the envelope in fields, and a verdict in JSON. HTTP/1.0, because a server must not answer that
 * in chunks, whoever stands between (RFC 9112 §6.1). A connection serves one message: Rspamd closes each.
 *
 * | Rspamd | for us |
 * |---|---|
 * | an action, a score, symbols | a weight (weight.ts), and the heaviest symbols for a person |
 * | `soft reject`, `greylist` | also: it would see it again later |
 * | `is_skipped` with `no action` | it did not look |
 * | another status than 200; JSON that is none, or lacks one of them | garbled |
 */
import type { Content } from '#mail/content.ts'
import type { Failure } from '../../servers.ts'
import { pieces, talk } from '../../talk.ts'
import type { AskEngine, EngineAbout, EngineSaid } from './contract.ts'
import { type AnswerReader, countedConversation, notAnAnswer } from './counted-answer.ts'
import { RSPAMD_LINE, weightOf } from './weight.ts'

export interface RspamdSettings {
  /** Of this relay. */
  readonly hostname: string
  /** Which of its own settings hold (its module `settings`). */
  readonly settingsId?: string
  /** Of a controller, or of a proxy that wants one; asked for at each message, so that it may change. Rejects: unknown. */
  readonly password?: () => Promise<string>
}

/** Recipients that it is told of; a message to more is judged by the first. */
const RECIPIENTS_MAX = 100
/** What it compares with if it does not say: its own default for `reject`. */
const REQUIRED_SCORE = 15
/** Symbols that a person is shown; the detail of a sign holds no more. */
const SHOWN_MAX = 5
const SERVER = 'Rspamd'

export function rspamd(settings: RspamdSettings): AskEngine {
  return async ({ content, about }, to, limits, clock) => {
    let password: string | undefined
    try {
      password = await settings.password?.()
    } catch (error) {
      return { kind: 'down', text: (error as Error).message }
    }
    const head = Buffer.from(rspamdHead(content, about, settings, password))
    return talk<EngineSaid | Failure>(to, countedConversation(question(head, content), RSPAMD_READER), limits, clock)
  }
}

function* question(head: Buffer, content: Content): Generator<readonly Buffer[]> {
  yield [head]
  for (const piece of pieces(content.chunks)) yield [piece]
}

export function rspamdHead(
  { octets }: Content,
  about: EngineAbout,
  { hostname, settingsId }: RspamdSettings,
  password?: string,
): string {
  const { session, reversePath, recipients = [], id, user } = about
  const fields: [string, string | undefined][] = [
    ['Host', hostname],
    ['Content-Length', String(octets)],
    ['MTA-Name', hostname],
    ['Queue-Id', id],
    ['IP', session?.client],
    ['Helo', session?.greetingName],
    // Without one it takes it that the address has none: so it is only given a name that leads back.
    ['Hostname', session?.clientName?.kind === 'confirmed' ? session.clientName.name : undefined],
    ['User', user],
    ['From', reversePath],
    ...recipients.slice(0, RECIPIENTS_MAX).map((recipient): [string, string] => ['Rcpt', recipient]),
    ['Settings-ID', settingsId],
    ['Password', password],
  ]
  const lines = fields.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${plain(value)}\r\n`]))
  return `POST /checkv2 HTTP/1.0\r\n${lines.join('')}\r\n`
}

/** A line end in an address must not begin a field. */
const plain = (value: string): string => value.replace(/[\0-\x1f\x7f]/g, ' ')

export const RSPAMD_READER: AnswerReader<EngineSaid> = {
  server: SERVER,
  first: (line) => (/^HTTP\/1\.[01] 200(?: |$)/.test(line) ? undefined : notAnAnswer(SERVER, line)),
  read: (_, body) => readVerdict(body.toString()),
}

interface Verdict {
  readonly action: string
  readonly score: number
  readonly required: number
  readonly skipped: boolean
  readonly symbols: readonly (readonly [name: string, score: number])[]
}

function readVerdict(body: string): EngineSaid | Failure {
  const verdict = verdictOf(body)
  if (verdict === undefined) return notAnAnswer(SERVER, body)
  const { action, score, required, skipped } = verdict
  if (skipped && action === 'no action') return { kind: 'skipped', text: 'its settings exempt it' }
  return {
    kind: 'judged',
    weight: weightOf(RSPAMD_LINE, score, required, action),
    text: textOf(verdict),
    delays: action === 'soft reject' || action === 'greylist',
  }
}

function verdictOf(body: string): Verdict | undefined {
  let said: unknown
  try {
    said = JSON.parse(body)
  } catch {
    return undefined
  }
  if (!isRecord(said) || !isRecord(said['symbols'])) return undefined
  const { action, score, required_score: required = REQUIRED_SCORE, is_skipped: skipped = false } = said
  if (typeof action !== 'string' || !isNumber(score) || typeof skipped !== 'boolean') return undefined
  // A threshold of 0 or below is somebody's joke: there is nothing to be on the way to.
  if (!isNumber(required)) return undefined
  const symbols = Object.entries(said['symbols']).map(([name, about]) => [name, scoreOf(about)] as const)
  return { action, score, required: required > 0 ? required : REQUIRED_SCORE, skipped, symbols }
}

const scoreOf = (about: unknown): number => (isRecord(about) && isNumber(about['score']) ? about['score'] : 0)

function textOf({ action, score, required, symbols }: Verdict): string {
  const heaviest = symbols
    .filter(([, points]) => points !== 0)
    .sort(([, a], [, b]) => Math.abs(b) - Math.abs(a))
    .slice(0, SHOWN_MAX)
    .map(([name, points]) => `${name} ${rounded(points)}`)
  const verdict = `${rounded(score)} of ${rounded(required)}, ${action}`
  return heaviest.length === 0 ? verdict : `${verdict}: ${heaviest.join(', ')}`
}

const rounded = (points: number): number => Math.round(points * 10) / 10
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
