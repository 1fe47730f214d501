/** For tests: engines in front of servers that say what they are told. */
import type { Socket } from 'node:net'
import { content } from '#mail/content.ts'
import { systemClock } from '#sys/clock.ts'
import { fake } from '../../testing.ts'
import { type SpamEngineSettings, SpamEngines } from './engines.ts'
import { rspamd } from './rspamd.ts'
import { spamd } from './spamd.ts'

export const MAIL = content([Buffer.from('Subject: x\r\n\r\nhel'), Buffer.from('lo\r\n')])

/** The message is all there: both kinds of question end with it. */
export const isWhole = (heard: Buffer): boolean => heard.subarray(-7).equals(Buffer.from('hello\r\n'))

export const says = (answer: string) =>
  fake((socket: Socket, heard) => void (isWhole(heard) && socket.end(Buffer.from(answer, 'latin1'))))

export const http = (body: string, more = ''): string =>
  `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`
export const verdict = (more: Record<string, unknown> = {}): string =>
  JSON.stringify({ is_skipped: false, score: 0, required_score: 15, action: 'no action', symbols: {}, ...more })
export const symbols = (spam: string, names = ''): string =>
  `SPAMD/1.1 0 EX_OK\r\nContent-length: ${names.length}\r\nSpam: ${spam}\r\n\r\n${names}`

type Kind = 'rspamd' | 'spamd'
const KINDS = {
  rspamd: { symbol: 'ENGINE_RSPAMD', ask: rspamd({ hostname: 'mx.relay.example' }) },
  spamd: { symbol: 'ENGINE_SPAMD', ask: spamd({ hostname: 'mx.relay.example' }) },
} as const

export const engineOf = (
  kind: Kind,
  servers: SpamEngineSettings['servers'],
  more: Partial<SpamEngineSettings> = {},
): SpamEngineSettings => ({
  name: kind,
  servers,
  connectionsMax: 2,
  connectMsMax: 2_000,
  timeMsMax: 5_000,
  octetsMax: 100_000,
  trust: 1,
  ...KINDS[kind],
  ...more,
})

/** What one engine says, in short: `ENGINE_RSPAMD 4: rspamd: 6 of 15`. */
export async function saidBy(settings: SpamEngineSettings, mail = MAIL, endMs?: number): Promise<string[]> {
  const { signs, silent } = await new SpamEngines([settings], systemClock).ask(mail, {}, endMs)
  return [
    ...signs.map(({ symbol, weight, detail }) => `${symbol} ${Math.round(weight * 100) / 100}: ${detail}`),
    ...silent.map((name) => `silent: ${name}`),
  ]
}
