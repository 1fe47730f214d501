/**
 * Fuzzes the rules of the spam filter, with header sections and parts made of tricks:
 *
 * - they never throw, say only what has a meaning, and say the same again;
 * - two authors are told, however their fields are written and wherever they stand;
 * - a piece that is repeated until the message is full takes no longer than other octets do.
 */

import { lookAt } from '#scan/spam/look.ts'
import { SYMBOLS } from '#scan/spam/symbols.ts'
import { type Chance, chances } from './made-mail.ts'

const PIECES = [
  ...'<>"\'=&;:/?#@%()[]\\,.-_!\0\t ',
  '\r\n',
  '\r\n\r\n',
  '\r\n ',
  'From: ',
  'From: "A, B" <a@b.example>\r\n',
  'To: undisclosed-recipients:;\r\n',
  'Subject: =?utf-8?B?dmlhZ3Jh?= Re: ',
  'Reply-To: ',
  'Return-Path: <>\r\n',
  'Received: from [192.0.2.1] (x.example [192.0.2.1]) by y.example; Mon, 5 Jan 2026 10:00:00 +0000\r\n',
  'DKIM-Signature: a=rsa-sha1; d=x.example; b=\r\n',
  'Message-ID: <',
  'References: <a@b> ',
  'List-Unsubscribe: <https://x.example/',
  'List-Id: ',
  'Feedback-ID: a:b:c:d\r\n',
  'Date: Mon, 5 Jan 2026 10:00:00 +0000 (',
  'Content-Type: text/html; charset=koi8-r\r\n',
  'Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n',
  'Content-Disposition: attachment; filename="a.pdf .exe"\r\n',
  'Content-Transfer-Encoding: base64\r\n',
  '\r\n--b\r\n',
  '--b--',
  'a@b.example',
  'xn--',
  'A'.repeat(70),
  'a1b2c3',
  '0'.repeat(40),
  'Ä',
]
const PIECES_COUNT_MAX = 60
/** Octets of a message that is one piece over and over, and what it may take, of the processor. */
const PUMPED_OCTETS = 60_000
const PUMPED_MS_MAX = 3_000
/** Of 200 messages, how many are such. */
const PUMPED_EVERY = 50

type Look = (octets: Buffer) => readonly string[]
const look: Look = (octets) => lookAt(octets, {}).signs.map(({ symbol }) => symbol)

export function fuzz(seed: number, iterations: number): void {
  run(seed, iterations, look)
}

/** Of a reader that takes the first author for the only one. */
export function canary(): void {
  run(1, 1_000, (octets) => look(octets).filter((symbol) => symbol !== 'HEADER_FROM_AMBIGUOUS'))
}

function run(seed: number, iterations: number, see: Look): void {
  const chance = chances(seed)
  for (let i = 0; i < iterations; i++) {
    const text = some(chance)
    try {
      check(Buffer.from(text), see)
      authors(chance, see)
      if (i % PUMPED_EVERY === 0) pumped(chance, see)
    } catch (cause) {
      throw new Error(`${JSON.stringify(text)}: ${cause instanceof Error ? cause.message : cause}`, { cause })
    }
  }
}

const some = (chance: Chance): string =>
  Array.from({ length: chance(PIECES_COUNT_MAX) }, () => PIECES[chance(PIECES.length)]!).join('')

function check(octets: Buffer, see: Look): void {
  const symbols = see(octets)
  const strange = symbols.find((symbol) => !(symbol in SYMBOLS))
  if (strange !== undefined) throw new Error(`${strange} has no meaning`)
  if (see(octets).join() !== symbols.join()) throw new Error('not the same again')
}

const NAMES = ['From', 'from', 'FROM', 'From ', 'From\r\n ']
const OTHERS = ['To: c@d.example', 'Subject: x', 'X-Y: =?x?q?y?=', 'Date: today', 'Received: from x by y']

function authors(chance: Chance, see: Look): void {
  const fields = Array.from({ length: chance(8) }, () => OTHERS[chance(OTHERS.length)]!)
  for (const domain of ['one.example', 'two.example']) {
    const fold = chance(2) === 0 ? ' ' : '\r\n\t'
    fields.splice(chance(fields.length + 1), 0, `${NAMES[chance(NAMES.length)]}:${fold}"A" <a@${domain}>`)
  }
  const text = `${fields.join('\r\n')}\r\n\r\nx\r\n`
  if (!see(Buffer.from(text)).includes('HEADER_FROM_AMBIGUOUS')) throw new Error(`one author: ${JSON.stringify(text)}`)
}

function pumped(chance: Chance, see: Look): void {
  const [first, piece] = [PIECES[chance(PIECES.length)]!, PIECES[chance(PIECES.length)]!]
  const text = `${first}${piece.repeat(Math.ceil(PUMPED_OCTETS / piece.length))}`
  const before = process.cpuUsage()
  see(Buffer.from(text))
  const { user, system } = process.cpuUsage(before)
  const ms = (user + system) / 1000
  if (ms > PUMPED_MS_MAX) throw new Error(`${JSON.stringify(first)} and ${JSON.stringify(piece)} many times: ${ms} ms`)
}
