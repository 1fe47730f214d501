/**
 * The two questions to an ICAP server (RFC 3507): OPTIONS, and RESPMOD with the content as the answer to an HTTP request that
 * nobody made. Each has a connection of its own.
 *
 * A preview is sent to a server that wants one (c-icap loses the content without). What it says to that is no word about the
 * rest: a "204" to a preview is not "clean".
 */
import { type Content, content, head } from '#mail/content.ts'
import type { Clock } from '#sys/clock.ts'
import { HEAD_OCTETS_MAX, type IcapAnswer, IcapAnswerReader, type IcapOptions, readOptions } from './icap-answer.ts'
import type { Failure, Seen } from './servers.ts'
import { pieces, type TalkLimits, talk } from './talk.ts'

export interface IcapAddress {
  readonly address: string
  readonly port: number
  /** Path and query, from the slash on. */
  readonly service: string
}

export const icapText = ({ address, port, service }: IcapAddress): string =>
  `icap://${hostText(address)}:${port}${service}`
const hostText = (address: string): string => (address.includes(':') ? `[${address}]` : address)

export function icapOptions(
  address: IcapAddress,
  limits: TalkLimits,
  clock: Pick<Clock, 'after'>,
): Promise<IcapOptions | Failure> {
  let heard = ''
  const conversation = {
    send: [[Buffer.from(`${question('OPTIONS', address)}Encapsulated: null-body=0\r\n\r\n`)]],
    hear(octets: Buffer) {
      heard += octets.toString('latin1')
      const end = heard.indexOf('\r\n\r\n')
      if (end < 0 && heard.length <= HEAD_OCTETS_MAX) return undefined
      return readOptions(end < 0 ? heard : heard.slice(0, end))
    },
    closed: () => (heard === '' ? undefined : readOptions(`${heard}\0`)),
  }
  return talk({ kind: 'tcp', ...address }, conversation, limits, clock)
}

export function icapTalk(
  address: IcapAddress,
  seen: Seen,
  { has204, previewOctets }: Pick<IcapOptions, 'has204' | 'previewOctets'>,
  limits: TalkLimits,
  clock: Pick<Clock, 'after'>,
): Promise<IcapAnswer> {
  const whole = content(seen.chunks)
  // Never all: a "204" of one that looks and of one that lets this type through would be the same.
  const preview =
    previewOctets === undefined || whole.octets === 0
      ? undefined
      : head(whole, Math.min(previewOctets, whole.octets - 1))
  const wanted = Promise.withResolvers<void>()
  const reader = new IcapAnswerReader({ sent: seen.chunks, has204, ...(preview && { goOn: wanted.resolve }) })
  const conversation = {
    send: respmod(address, seen, whole, preview, wanted.promise),
    hear: (octets: Buffer, sentAll: boolean) => reader.push(octets, sentAll),
    closed: () => reader.closed(),
  }
  return talk<IcapAnswer>({ kind: 'tcp', ...address }, conversation, limits, clock)
}

const question = (method: string, address: IcapAddress): string =>
  `${method} ${icapText(address)} ICAP/1.0\r\nHost: ${hostText(address.address)}:${address.port}\r\nConnection: close\r\n`

/** Of a name that no server has: the address of a page is a must. */
const REQUEST = 'GET http://mail.invalid/message HTTP/1.1\r\nHost: mail.invalid\r\n\r\n'

async function* respmod(
  address: IcapAddress,
  { chunks, isMessage }: Seen,
  { octets }: Content,
  preview: Buffer | undefined,
  wanted: Promise<void>,
): AsyncGenerator<readonly Buffer[]> {
  const type = isMessage ? 'message/rfc822' : 'application/octet-stream'
  const response = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${octets}\r\n\r\n`
  const [at, bodyAt] = [REQUEST.length, REQUEST.length + response.length]
  const first = preview === undefined ? '' : `Preview: ${preview.length}\r\n`
  const parts = `Allow: 204\r\n${first}Encapsulated: req-hdr=0, res-hdr=${at}, res-body=${bodyAt}\r\n\r\n`
  yield [Buffer.from(`${question('RESPMOD', address)}${parts}${REQUEST}${response}`)]
  if (preview !== undefined) {
    yield [...chunkOf(preview), END]
    await wanted
  }
  for (const piece of pieces(from(chunks, preview?.length ?? 0))) yield chunkOf(piece)
  yield [END]
}

/** An empty chunk would be the end. */
const chunkOf = (octets: Buffer): Buffer[] =>
  octets.length === 0 ? [] : [Buffer.from(`${octets.length.toString(16)}\r\n`), octets, CRLF]

function* from(chunks: readonly Buffer[], octets: number): Generator<Buffer> {
  let skipped = 0
  for (const chunk of chunks) {
    const skip = Math.min(chunk.length, octets - skipped)
    skipped += skip
    if (skip < chunk.length) yield chunk.subarray(skip)
  }
}

const END = Buffer.from('0\r\n\r\n')
const CRLF = Buffer.from('\r\n')
