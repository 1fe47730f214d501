/**
 * Fuzzes the reader of ICAP answers: whatever a server says, cut into whatever pieces, it never throws, it says the same for
 * every cut, and "clean" only for a 204 after all octets, or for the very content given back by a server that has no 204.
 */
import { type Asked, type IcapAnswer, IcapAnswerReader } from '#scan/icap-answer.ts'

type Chance = (n: number) => number
type Read = (octets: Buffer, asked: Asked, sentAll: boolean, cut: () => number) => IcapAnswer | undefined

const SENT = 'Subject: x\r\n\r\nhello\r\n'
const PAGE = 'HTTP/1.1 200 OK\r\nContent-Type: x/y\r\n\r\n'
const PIECES = [
  'ICAP/1.0 200 OK\r\n',
  'ICAP/1.0 204 No\r\n',
  'ICAP/1.0 100 Continue\r\n\r\n',
  'ICAP/1.0 500 No\r\n',
  'HTTP/1.0 403 Forbidden\r\n',
  `Encapsulated: res-hdr=0, res-body=${PAGE.length}\r\n`,
  `Encapsulated: res-hdr=0, null-body=${PAGE.length}\r\n`,
  'Encapsulated: res-hdr=0, res-body=999999\r\n',
  'X-Infection-Found: Type=0; Threat=a;\r\n',
  'X-Virus-ID: none\r\n',
  'X-Violations-Found: 1\r\n\t-\r\n\tb\r\n',
  ' folded\r\n',
  'ISTag: "t"\r\n',
  PAGE,
  `15\r\n${SENT}\r\n`,
  `15;x=y\r\n${SENT}\r\n`,
  `b\r\n${SENT.slice(0, 11)}\r\n`,
  `a\r\n${SENT.slice(11)}\r\n`,
  '0\r\n\r\n',
  '\r\n',
  '\n',
  '\0',
  'ffffffff\r\n',
  'x'.repeat(300),
]

export function fuzz(seed: number, iterations: number): void {
  run(seed, iterations, read)
}

/** A reader that takes any 2yz for a clean. */
export function canary(): void {
  run(1, 2_000, (octets) =>
    octets.toString('latin1').startsWith('ICAP/1.0 2') ? { kind: 'clean', tag: undefined } : undefined,
  )
}

function read(octets: Buffer, asked: Asked, sentAll: boolean, cut: () => number): IcapAnswer | undefined {
  const reader = new IcapAnswerReader(asked)
  for (let at = 0; at < octets.length; ) {
    const next = Math.min(octets.length, at + 1 + cut())
    const answer = reader.push(octets.subarray(at, next), sentAll)
    if (answer !== undefined) return answer
    at = next
  }
  return reader.closed()
}

function run(seed: number, iterations: number, reading: Read): void {
  let state = seed >>> 0
  const chance: Chance = (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
  const sent = Buffer.from(SENT)
  const asked = { sent: [sent.subarray(0, 5), Buffer.alloc(0), sent.subarray(5)] }
  for (let i = 0; i < iterations; i++) {
    const text = answerText(chance)
    const octets = Buffer.from(text, 'latin1')
    const has204 = chance(2) === 0
    const sentAll = chance(3) > 0
    const answer = reading(octets, { ...asked, has204 }, sentAll, () => octets.length)
    const inPieces = reading(octets, { ...asked, has204 }, sentAll, () => chance(chance(2) === 0 ? 2 : 60))
    if (JSON.stringify(answer) !== JSON.stringify(inPieces))
      throw new Error(`${JSON.stringify({ text, has204, sentAll, answer, inPieces })}: another word in pieces`)
    if (answer?.kind === 'clean' && !mayBeClean(text, has204, sentAll))
      throw new Error(`${JSON.stringify({ text, has204, sentAll })}: clean`)
  }
}

/** Half of the time an answer as it should be, with something put in or taken out. */
function answerText(chance: Chance): string {
  const sane = [PIECES[0]!, PIECES[5]!, '\r\n', PAGE, PIECES[14 + chance(2)]!, '0\r\n\r\n']
  const pieces = chance(2) === 0 ? sane : chance(2) === 0 ? [PIECES[1]!, '\r\n'] : []
  for (let n = chance(pieces.length === 0 ? 9 : 3); n > 0; n--)
    pieces.splice(chance(pieces.length + 1), chance(4) === 0 ? 1 : 0, PIECES[chance(PIECES.length)]!)
  const text = pieces.join('')
  const at = chance(text.length + 1)
  return chance(4) === 0 ? text.slice(0, at) + String.fromCharCode(chance(256)) + text.slice(at + chance(2)) : text
}

function mayBeClean(text: string, has204: boolean, sentAll: boolean): boolean {
  if (!sentAll) return false
  if (/^ICAP\/1\.\d 204\b/.test(text))
    return !/\n(?:x-infection-found: *type|x-violations-found: *1)/i.test(text.split('\r\n\r\n')[0]!)
  return /^ICAP\/1\.\d 200\b/.test(text) && !has204 && text.includes('hello')
}
