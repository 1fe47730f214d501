/**
 * Fuzzes what the memory of the spam filter reads of a message, and whom it takes for its sender:
 *
 * - it never throws, reads no more than its limits, and says the same again;
 * - an author that nothing vouches for is named with the client's network only, whatever else is authenticated;
 * - white space and the order of header fields change no fingerprint.
 */
import { registrant } from '#mail/registrable-domain.ts'
import type { SpamAbout } from '#scan/spam/contract.ts'
import { ANSWERS_MAX, sendersOf, trailOf } from '#scan/spam/memory/facts.ts'
import { readMessage } from '#scan/spam/message.ts'
import { type Chance, chances } from './made-mail.ts'

const PIECES = [
  ...'<>"\'=,;:@. \t',
  '\r\n',
  'From: "A, b" <a@own.example>\r\n',
  'From: a@own.example\r\n',
  'from:\r\n\t<b@sub.own.example>\r\n',
  'In-Reply-To: <1@x>\r\n',
  'References: <1@x> <2@x>\r\n <3@x>\r\n',
  `References: ${'<long@x> '.repeat(600)}\r\n`,
  `In-Reply-To: <${'y'.repeat(300)}>\r\n`,
  'Content-Type: text/html\r\n',
  '\r\n\r\n',
  'free money for nothing ',
  '\u200b',
  '\ud800',
]
const TEXT = 'one two three four five six seven eight nine ten '.repeat(4)
const DOMAINS = ['own.example', 'sub.own.example', 'eve.github.io', 'other.example', 'xown.example']
const DMARC = ['pass', 'fail', 'none', 'unknown'] as const
type Senders = typeof sendersOf

export function fuzz(seed: number, iterations: number): void {
  run(seed, iterations, sendersOf)
}

/** One that believes every From. */
export function canary(): void {
  run(1, 2_000, ({ about, trail }) =>
    sendersOf({ about: { ...about, authenticated: { dkim: [], dmarc: 'pass' } }, trail }),
  )
}

function run(seed: number, iterations: number, senders: Senders): void {
  const chance = chances(seed)
  for (let i = 0; i < iterations; i++) {
    const header = some(chance)
    const about = someAbout(chance)
    try {
      check(header, about, senders)
    } catch (cause) {
      throw new Error(`${JSON.stringify({ header, about })}: ${cause instanceof Error ? cause.message : cause}`, {
        cause,
      })
    }
  }
}

const some = (chance: Chance): string =>
  Array.from({ length: chance(30) }, () => PIECES[chance(PIECES.length)]!).join('')

function someAbout(chance: Chance): SpamAbout {
  const domain = () => DOMAINS[chance(DOMAINS.length)]!
  const dkim = Array.from({ length: chance(3) }, domain)
  const spf = chance(2) === 0 ? {} : { spf: domain() }
  return {
    session: { client: chance(2) === 0 ? '192.0.2.1' : '2001:db8::1', tls: false },
    ...(chance(5) > 0 && { authenticated: { ...spf, dkim, dmarc: DMARC[chance(4)]! } }),
  }
}

function check(header: string, about: SpamAbout, senders: Senders): void {
  const read = (content: string) => trailOf(readMessage(Buffer.from(content)))
  const trail = read(`${header}\r\n\r\n${TEXT}`)
  if (trail.answers.length > ANSWERS_MAX) throw new Error(`${trail.answers.length} answers`)
  if (trail.answers.some((id) => id.length > 250)) throw new Error('a Message-ID is too long')
  if (JSON.stringify(read(`${header}\r\n\r\n${TEXT}`)) !== JSON.stringify(trail)) throw new Error('not the same again')
  const named = senders({ about, trail })
  const { authenticated: proof } = about
  const vouching = [...(proof?.dkim ?? []), ...(proof?.spf === undefined ? [] : [proof.spf])]
  const author = trail.author ?? ''
  const site = registrant(author.slice(author.lastIndexOf('@') + 1))
  const isProven =
    proof?.dmarc === 'pass' ||
    (proof !== undefined && proof.dmarc !== 'fail' && vouching.some((one) => registrant(one) === site))
  for (const { kind, name } of named) {
    if (kind === 'address' && !isProven) throw new Error(`${name} was believed`)
    if (kind === 'domain' && !(isProven && name === site) && !vouching.some((one) => registrant(one) === name))
      throw new Error(`${name} was believed`)
  }
  const plain = read(`Subject: x\r\n\r\n${TEXT}`)
  const dressed = read(`X-Other: y\r\nSubject: z\r\n\r\n  ${TEXT.replaceAll(' ', ' \r\n\t')}`)
  if (JSON.stringify(plain.fingerprint) !== JSON.stringify(dressed.fingerprint)) throw new Error('white space counts')
}
