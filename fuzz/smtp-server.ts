/**
 * Fuzzer of the SMTP server session: dialogues from a grammar, mutated, from several states of a session. The same
 * octets go in whole, cut at random, one by one, and with answers that come late; everything must tell the same story,
 * and the story must keep the laws below. A seed replays exactly. A violation throws, with seed and input in its message.
 *
 * `canary` runs the same checks behind a proxy that turns bare LF into CRLF, which is how smuggling works: it must fail.
 */
import { permanent, transient } from '#mail/reply.ts'
import { defer, reject } from '#mail/verdict.ts'
import type { ServerSettings } from '#smtp/server/contract.ts'
import { DEFAULT_LIMITS } from '#smtp/server/limits.ts'
import { type Answers, acceptAll, cut, Rehearsal, type RehearsalOptions, TLS } from './smtp-rehearsal.ts'

type Random = () => number

/** mulberry32: small, and the same everywhere. */
function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const below = (random: Random, max: number): number => Math.floor(random() * max)
const oneOf = <T>(random: Random, items: readonly T[]): T => items[below(random, items.length)] as T

/** Where a session stands before the fuzz begins. */
const STATES = {
  greeted: '',
  introduced: 'EHLO client.example\r\n',
  old: 'HELO client.example\r\n',
  mail: 'EHLO client.example\r\nMAIL FROM:<a@client.example>\r\n',
  rcpt: 'EHLO client.example\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<b@example.net>\r\n',
  data: 'EHLO client.example\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n',
  chunks: 'EHLO client.example\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nBDAT 4\r\nabcd',
  binary: 'EHLO client.example\r\nMAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<b@example.net>\r\nBDAT 2\r\n\n\r',
} as const

const COMMANDS = [
  ...[
    'EHLO client.example',
    'HELO [192.0.2.1]',
    'RSET',
    'NOOP',
    'VRFY a',
    'HELP',
    'STARTTLS',
    'AUTH PLAIN',
    'AUTH LOGIN YW5uYQ==',
    'AUTH PLAIN =',
    'ETRN x.example',
  ],
  ...['YW5uYQ==', '*', 'c2VjcmV0'],
  ...[
    'MAIL FROM:<a@client.example>',
    'MAIL FROM:<> SIZE=20',
    'MAIL FROM:<ü@x.example> SMTPUTF8',
    'MAIL FROM:<> SIZE=9999',
  ],
  ...[
    'MAIL FROM:<> BODY=BINARYMIME',
    'MAIL FROM:<a@b> RET=FULL ENVID=a+2Bb',
    'RCPT TO:<b@example.net>',
    'RCPT TO:<Postmaster>',
  ],
  ...['RCPT TO:<"a\\"b"@example.net> NOTIFY=NEVER ORCPT=rfc822;a+40b', 'DATA', 'DATA', 'DATA', 'QUIT', 'XYZZY', ''],
]
const CONTENT = ['text', 'Subject: x', '..', '.a', '.', '.', '', 'x'.repeat(70), 'MAIL FROM:<smuggled@evil.example>']
const LINE_ENDS = ['\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '\r\r\n', '\0\r\n', '']
const SEQUENCES = ['\n.\n', '\n.\r\n', '\r.\r\n', '\r\n.\n', '\r\n.\r', '\r\n\0.\r\n', '\r\n.\0\r\n', '\r\n.\r\r\n']

function part(random: Random): string {
  const kind = random()
  if (kind < 0.4) return oneOf(random, COMMANDS) + oneOf(random, LINE_ENDS)
  if (kind < 0.7) return oneOf(random, CONTENT) + oneOf(random, LINE_ENDS)
  if (kind < 0.75) return `${oneOf(random, SEQUENCES)}MAIL FROM:<smuggled@evil.example>\r\n`
  if (kind < 0.8) return 'DATA\r\ntext\r\n.\r\n'
  const octets = oneOf(random, [0, 1, 5, 9, 60, 210, 900, -1, 2 ** 64])
  const chunk = oneOf(random, ['a', '\r\n', '\n', '.\r\n', 'QUIT\r\n'])
  const text = octets > 0 && octets < 1000 ? chunk.repeat(octets).slice(0, octets) : ''
  return `BDAT ${octets}${oneOf(random, ['', ' LAST', ' LAST', ' X'])}\r\n${text}`
}

function mutate(random: Random, bytes: Buffer): Buffer {
  const at = below(random, bytes.length + 1)
  const piece = bytes.subarray(below(random, bytes.length + 1)).subarray(0, below(random, 30))
  const kind = below(random, 4)
  if (kind === 0) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(random, 4))])
  if (kind === 1) return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)])
  if (kind === 2)
    return Buffer.concat([
      bytes.subarray(0, at),
      Buffer.from(oneOf(random, ['\r', '\n', '.', '\0'])),
      bytes.subarray(at),
    ])
  const changed = Buffer.from(bytes)
  if (at < changed.length) changed[at] = below(random, 256)
  return changed
}

interface Case {
  readonly input: Buffer
  readonly settings: ServerSettings
  readonly answers: () => Answers
  /** What happens to the octets on their way; the canary's proxy. */
  readonly onTheWay: (octets: Buffer) => Buffer
}

const LIMITS = {
  ...DEFAULT_LIMITS,
  commandOctetsMax: 90,
  contentOctetsMax: 200,
  textLineOctetsMax: 60,
  recipientsMax: 2,
  errorsMax: 6,
  transactionsMax: 4,
}

function newCase(random: Random, onTheWay: Case['onTheWay']): Case {
  let text = STATES[oneOf(random, Object.keys(STATES) as (keyof typeof STATES)[])]
  for (let parts = 1 + below(random, 12); parts > 0; parts--) text += part(random)
  let input: Buffer = Buffer.from(text)
  for (let mutations = below(random, 4); mutations > 0; mutations--) input = mutate(random, input)
  const settings: ServerSettings = {
    hostname: 'mx.example.net',
    limits: LIMITS,
    startTls: random() < 0.9,
    requireTls: random() < 0.05,
    lineEnds: random() < 0.7 ? 'refuse' : 'normalise',
    authMechanisms: random() < 0.5 ? [] : ['PLAIN', 'LOGIN'],
    etrn: random() < 0.5,
  }
  const seed = below(random, 2 ** 32)
  return { input, settings, answers: () => mixedAnswers(randomFrom(seed)), onTheWay }
}

/** Mostly acceptance. The same questions in the same order get the same answers. */
const mixedAnswers =
  (random: Random): Answers =>
  (question) => {
    const luck = random()
    if (luck < 0.01 && question.kind === 'content') return { kind: 'vanish' }
    if (luck < 0.05) return reject(permanent(550, '5.7.1', 'refused'), 'fuzz', '')
    if (luck < 0.1) return defer(transient(luck < 0.06 ? 421 : 451, '4.3.0', 'later'), 'fuzz', '')
    if (question.kind === 'auth' && luck < 0.5) return { kind: 'challenge', challenge: Buffer.from('more') }
    return acceptAll(question)
  }

/** Feeds the pieces; TLS comes up, if it was asked for, when the first half of the input is over. */
function feed(some: Case, cutUp: (half: Buffer) => Buffer[], options: RehearsalOptions, random: Random): Rehearsal {
  const session = new Rehearsal({ settings: some.settings, answers: some.answers(), ...options })
  const middle = some.input.length >> 1
  for (const half of [some.input.subarray(0, middle), some.input.subarray(middle)]) {
    for (const piece of cutUp(some.onTheWay(half))) {
      session.send(piece)
      if (random() < 0.5 && session.waiting !== undefined) session.answerNow()
    }
    while (session.waiting !== undefined) session.answerNow()
    if (session.securing) session.do((machine) => machine.secured(TLS))
    session.securing = false
  }
  return session
}

function run(some: Case, random: Random): void {
  const whole = feed(some, (half) => [half], {}, random)
  const places = Array.from({ length: 6 }, () => below(random, 10_000))
  const others = {
    'cut at random': feed(some, (half) => cut(half, places), {}, random),
    'octet by octet': feed(some, (half) => [...half].map((octet) => Buffer.of(octet)), {}, random),
    'answered late': feed(some, (half) => cut(half, places), { later: true }, random),
  }
  for (const [how, other] of Object.entries(others)) {
    law(other.story.join('\n') === whole.story.join('\n'), `another story when ${how}`)
  }
  checkContents(some, whole)
  checkReplies(whole)
  checkEnds(whole)
}

function law(kept: boolean, broken: string): void {
  if (!kept) throw new Error(broken)
}

/** Only CRLF.CRLF, or a last chunk, ends content; no transaction comes out of anything else. */
function checkContents({ input, settings }: Case, { received }: Rehearsal): void {
  const text = input.toString('latin1')
  const ends = [...text.matchAll(/(?=\r\n\.\r\n)/g), ...text.matchAll(/BDAT +\d+ +LAST/gi)].length
  law(received.length <= ends, `${received.length} contents out of ${ends} ends`)
  for (const content of received) {
    law(content.text.length <= settings.limits.contentOctetsMax, 'content over the limit')
    law(content.chunks <= 20, `content in ${content.chunks} slices`)
    law(content.transaction.envelope.recipients.length > 0, 'content without recipients')
    if (content.transaction.envelope.body === 'binarymime') continue
    law(!/\r(?!\n)|(?<!\r)\n|\0/.test(content.text), 'bare line end or NUL in content')
  }
}

/** Whole lines, printable, and a status that agrees with its code. */
function checkReplies({ said }: Rehearsal): void {
  law(/^(?:\d{3}[ -][\x20-\x7e]*\r\n)*$/.test(said), `bad reply: ${JSON.stringify(said)}`)
  for (const [, code, status] of said.matchAll(/^(\d)\d\d[ -](?:(\d)\.\d+\.\d+ )?/gm)) {
    law(status === undefined || status === code, `status ${status} with code ${code}`)
  }
}

/** Every transaction ends once, nothing happens after the end, and nothing waits that could go on. */
function checkEnds(session: Rehearsal): void {
  const { machine, story } = session
  law(session.closed !== undefined || machine.wantsInput, 'input is left waiting')
  const length = story.length
  if (session.closed !== undefined) session.lines('NOOP', 'MAIL FROM:<>')
  law(story.length === length, 'something happened after the end')
  session.do(() => machine.lost())
  const begun = machine.session.tally.transactions
  const declined = story.filter(
    (line, i) => line.startsWith('ask mail') && /^write (?!250)/.test(story[i + 1] ?? ''),
  ).length
  const ended = session.abandoned.length + session.received.length + declined
  law(begun === ended, `${begun} transactions begun, ${ended} ended`)
}

function fuzzBehind(onTheWay: Case['onTheWay'], seed: number, iterations: number): void {
  for (let i = 0; i < iterations; i++) {
    // Far apart for seeds that are neighbours: the runner counts them up.
    const random = randomFrom(Math.imul(seed, 0x9e3779b1) + i)
    const some = newCase(random, onTheWay)
    try {
      run(some, random)
    } catch (cause) {
      const input = JSON.stringify(some.input.toString('latin1'))
      throw new Error(`seed ${seed}, iteration ${i}: ${(cause as Error).message}: ${input}`, { cause })
    }
  }
}

/** Throws at the first violation; the same two numbers find it again. */
export function fuzz(seed: number, iterations: number): void {
  fuzzBehind((octets) => octets, seed, iterations)
}

/** The alarm test: must throw. */
export function canary(seed = 1, iterations = 3000): void {
  fuzzBehind(
    (octets) => Buffer.from(octets.toString('latin1').replaceAll(/\r?\n/g, '\r\n'), 'latin1'),
    seed,
    iterations,
  )
}
